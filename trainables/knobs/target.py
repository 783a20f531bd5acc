"""The knobs of the loss."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from trainables.knobs.knob import knob
from trainables.training.losses import LOSSES

_CLASSES = ("classification", "ordinal")  # heads that take a loss of classes
_EFFECTIVE = "Cui et al., Class-Balanced Loss, CVPR 2019"


class LossKnobs(BaseModel):
    """What training minimises."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: Annotated[str, AfterValidator(LOSSES.checked)] = knob(
        "cross_entropy", "of soft targets: cross_entropy, focal, soft_macro_f1, or a mixture", when={"head": _CLASSES}
    )
    focal_gamma: float = knob(
        2.0,
        "focus on hard images",
        ge=0,
        le=10,
        when={"loss": ("focal", "mixture")},
        source="Lin et al., Focal Loss, ICCV 2017",
    )
    mixture_focal: float = knob(
        0.5,
        "share of the focal loss in what of a mixture is not macro F1; the rest is cross entropy",
        ge=0,
        le=1,
        when={"loss": ("mixture",)},
    )
    mixture_macro_f1: float = knob(0.0, "share of soft macro F1 in a mixture", ge=0, le=1, when={"loss": ("mixture",)})
    label_smoothing: float = knob(
        0.1, "share of every target spread over all classes", ge=0, lt=1, when={"head": _CLASSES}
    )
    class_weights: Literal["none", "balanced", "effective"] = knob(
        "none",
        "balanced: inverse class frequency; effective: inverse effective number; none beside class_weighted sampling, which"
        " has corrected already",
        source=_EFFECTIVE,
    )
    effective_beta: float = knob(
        0.999, "of the effective number", ge=0, lt=1, when={"class_weights": ("effective",)}, source=_EFFECTIVE
    )
