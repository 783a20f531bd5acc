"""The knobs of the model: backbone, where its weights come from, and its head."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from trainables.knobs.knob import knob
from trainables.training.heads.registry import HEADS
from trainables.training.weights.file import sealed

_ONE_PER_STUDY = "the decoded images and the cost of a fold-epoch are one per study"
_HEADS = "ordinal: Shi et al., CORN, 2021; label_distribution: Gao et al., IEEE TIP 2017"
_DROP_PATH = "Huang et al., Deep Networks with Stochastic Depth, ECCV 2016"


class ModelKnobs(BaseModel):
    """What the model is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = knob("tf_efficientnet_lite0", "any timm model, or one that a plugin registers")
    weights: Annotated[str, AfterValidator(sealed)] = knob(
        "imagenet", "what training starts from: imagenet, none, or a file (safetensors, or a state_dict)"
    )
    image_size: int = knob(64, "side of the square input", ge=16, le=1024, unit="pixels", fixed_because=_ONE_PER_STUDY)
    drop_rate: float = knob(0.2, "dropout before the classifier", ge=0, lt=1)
    drop_path_rate: float = knob(0.0, "whole blocks dropped, where the backbone can", ge=0, lt=1, source=_DROP_PATH)
    global_pool: Literal["default", "avg", "max", "avgmax"] = knob(
        "default", "how positions are pooled, where the backbone can; default: its own"
    )
    head: Annotated[str, AfterValidator(HEADS.checked)] = knob(
        "classification", "from features to probabilities of the true classes", source=_HEADS
    )
    head_hidden: int = knob(0, "width of a hidden layer in the head; 0: none", ge=0, le=4096, unit="channels")
    test_flip: bool = knob(False, "judge and vote by the mean over an image and its mirror image")
    regression_loss: Literal["l1", "l2", "huber"] = knob(
        "huber", "of the scaled number", when={"head": ("regression",)}
    )
    regression_sigma: float = knob(
        0.5,
        "standard deviation of the predicted number's error, which turns it into probabilities",
        when={"head": ("regression",)},
        ge=0.01,
        le=5,
        unit="standard deviations of the number",
    )
    thresholds: Literal["bayes", "borders", "tuned"] = knob(
        "bayes",
        "how a predicted number becomes a class: bayes, by how often the true numbers near it occur; borders, where the class"
        " begins, give or take the error; tuned, where the metric is best out of fold (cross-fitted over persons while judged,"
        " over all folds to vote)",
        when={"head": ("regression",)},
    )
    distribution_bins: int = knob(
        40,
        "equal steps that the number's range is cut into",
        when={"head": ("label_distribution",)},
        ge=8,
        le=200,
    )
    distribution_sigma: float = knob(
        0.1,
        "standard deviation of the target's Gaussian",
        when={"head": ("label_distribution",)},
        ge=0.01,
        le=2,
        unit="standard deviations of the number",
        source="Gao et al., Deep Label Distribution Learning, IEEE TIP 2017",
    )
