"""The knobs of training images: which come, how they are changed, and how two are mixed."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from datasets.augmentations import AUGMENTATIONS
from trainables.knobs.knob import ABOVE_ZERO, BELOW_ONE, OR, knob

MIRRORED = ("light", "medium", "strong")
_CUTMIX = "Yun et al., CutMix, ICCV 2019"
_MIXUP = "Zhang et al., mixup, ICLR 2018"


class ImageKnobs(BaseModel):
    """What the model is shown while it trains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int = knob(32, "images per batch", ge=2, le=4096, unit="images")
    last_batch: Literal["joined", "short"] = knob(
        "joined",
        "a few images that are left at the end of an epoch, or batches of a step of several: they join what is before them, or"
        " make a short one",
        baseline="short",
    )
    sampling: Literal["shuffled", "class_weighted", "person_balanced"] = knob(
        "shuffled", "which images an epoch shows: each once, or drawn so that classes, or persons, come equally often"
    )
    augmentation: Annotated[str, AfterValidator(AUGMENTATIONS.checked)] = knob(
        "medium", "of training images: none, or a strength"
    )
    horizontal_flip: float = knob(
        0.5,
        "share of training images that are mirrored; 0 where a mirror image means something else, as of a letter",
        ge=0,
        le=1,
        when={"augmentation": MIRRORED},
    )
    cutmix_probability: float = knob(0.0, "share of batches that are cut-mixed", ge=0, le=1, source=_CUTMIX)
    cutmix_lambda: Literal["half", "fixed", "uniform", "beta"] = knob(
        "half",
        "share of an image that is kept: one half, cutmix_kept, drawn from a band around it, or from Beta",
        when={"cutmix_probability": ABOVE_ZERO},
    )
    cutmix_kept: float = knob(
        0.5,
        "share kept, or the middle of the band",
        when={"cutmix_probability": ABOVE_ZERO, "cutmix_lambda": ("fixed", "uniform")},
        gt=0,
        lt=1,
    )
    cutmix_band: float = knob(
        0.04,
        "half the width of the band",
        when={"cutmix_probability": ABOVE_ZERO, "cutmix_lambda": ("uniform",)},
        ge=0,
        le=0.5,
    )
    cutmix_alpha: float = knob(
        1.0,
        "both parameters of Beta",
        when={"cutmix_probability": ABOVE_ZERO, "cutmix_lambda": ("beta",)},
        gt=0,
        le=10,
        source=_CUTMIX,
    )
    cutmix_shape: Literal["box", "vertical_half"] = knob(
        "box", "a random box, or one side of the image", when={"cutmix_probability": ABOVE_ZERO}
    )
    mixup_probability: float = knob(
        0.0,
        "share of the other batches that are mixed up",
        ge=0,
        le=1,
        when={"cutmix_probability": BELOW_ONE},
        source=_MIXUP,
    )
    mixup_alpha: float = knob(
        0.2, "both parameters of Beta", when={"mixup_probability": ABOVE_ZERO}, gt=0, le=10, source=_MIXUP
    )
    unmixed_epochs: int = knob(
        0,
        "last epochs without any mixing",
        ge=0,
        le=1000,
        unit="epochs",
        when={f"cutmix_probability{OR}mixup_probability": ABOVE_ZERO},
    )
