"""TrainConfig: every knob of a trial, with its type, bounds, default, unit and meaning.

Spaces, `--set`, documentation and manifests all come from this model; there is no second list of names.
`python -m trainables.config` prints the knobs as a table.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from datasets.augmentations import AUGMENTATIONS
from plugins import BACKBONES
from plugins.registry import Knob, PluginError, Registry
from trainables.training.losses import LOSSES

_ONE_PER_STUDY = "the decoded images and the cost of a fold-epoch are one per study"
_MEASURE = "it would change the measure instead of the model"


class TrainConfig(BaseModel):
    """The whole configuration of a trial."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field("tf_efficientnet_lite0", description="any timm model name")
    pretrained: bool = Field(True, description="start from ImageNet weights")
    image_size: int = Field(
        64,
        ge=16,
        le=1024,
        description="side of the square input",
        json_schema_extra={"unit": "pixels", "fixed_because": _ONE_PER_STUDY},
    )
    epochs: int = Field(
        4,
        ge=1,
        le=1000,
        description="epochs of every fold; the schedule ends there",
        json_schema_extra={"unit": "epochs", "fixed_because": _MEASURE},
    )
    batch_size: int = Field(32, ge=2, le=4096, description="images per step", json_schema_extra={"unit": "images"})
    optimizer: str = Field("adamw", description="any timm optimizer name")
    learning_rate: float = Field(1e-3, gt=0, le=10, description="peak of the schedule")
    weight_decay: float = Field(1e-2, ge=0, le=1, description="as the optimizer defines it")
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd; Adam and its kin ignore it")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="timm schedule, stepped every batch")
    warmup_epochs: float = Field(0.5, ge=0, le=100, description="linear warm-up", json_schema_extra={"unit": "epochs"})
    loss: Annotated[str, AfterValidator(LOSSES.checked)] = Field("cross_entropy", description="of soft targets")
    focal_gamma: float = Field(2.0, ge=0, le=10, description="focus on hard images, with loss: focal")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share of every target spread over all classes")
    class_weights: Literal["none", "balanced"] = Field("none", description="balanced: inverse class frequency")
    cutmix_probability: float = Field(0.0, ge=0, le=1, description="share of batches that are cut-mixed")
    cutmix_lambda: Literal["half", "beta"] = Field("half", description="share kept: one half, or drawn from Beta")
    cutmix_alpha: float = Field(1.0, gt=0, le=10, description="both parameters of Beta, with cutmix_lambda: beta")
    cutmix_shape: Literal["box", "vertical_half"] = Field("box", description="a random box, or one side of the image")
    augmentation: Annotated[str, AfterValidator(AUGMENTATIONS.checked)] = Field(
        "medium", description="of training images: none, or a strength"
    )
    drop_rate: float = Field(0.2, ge=0, lt=1, description="dropout before the classifier")
    clip_gradient: float = Field(5.0, gt=0, description="largest norm of the gradient")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="of training's forward pass, judging is float32; auto: float32 on a CPU, half on a GPU",
    )
    seed: int = Field(
        0,
        ge=0,
        description="of weights, order, augmentation and dropout",
        json_schema_extra={"fixed_because": _MEASURE},
    )

    def classifier(self) -> dict[str, Any]:
        """Return the knobs that the model is built by: what has to be known to load its weights."""
        built_by = ("backbone", "image_size", *BACKBONES.options().get(self.backbone, ()))
        return self.model_dump(include=set(built_by))

    def effective(self) -> dict[str, Any]:
        """Return the configuration less the knobs that do nothing under the others."""
        idle = {
            "momentum": self.optimizer in ("adam", "adamw", "adamp", "radam", "radamw", "nadam", "nadamw", "adamax"),
            "cutmix_lambda": self.cutmix_probability == 0,
            "cutmix_alpha": self.cutmix_probability == 0 or self.cutmix_lambda != "beta",
            "cutmix_shape": self.cutmix_probability == 0,
            **{name: not any(getattr(self, knob) == item for knob, item in of) for name, of in _takers().items()},
        }
        return {name: value for name, value in self.model_dump().items() if not idle.get(name)}

    @property
    def digest(self) -> str:
        """Return a hash of the effective configuration: equal for configurations that train alike.

        A knob at its baseline is left out, so that a configuration of before there was that knob keeps its hash.
        """
        told = {name: value for name, value in self.effective().items() if value != baselines()[name]}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def train_config() -> type[TrainConfig]:
    """Return `TrainConfig` with the knobs that plugins have registered.

    Raises:
        PluginError: one of them has the name of another knob.
    """
    return _extended(tuple(knob for registry in _CHOSEN for knob in registry.knobs()))


def configured(values: Mapping[str, Any]) -> TrainConfig:
    """Return a configuration that a study has stored or a sampler drawn; a knob it lacks is at its baseline."""
    return train_config()(**{**baselines(), **values})


def baselines() -> dict[str, Any]:
    """Return the value of every knob under which a trial is what it was before there was the knob.

    It is the first default that the knob ever had: whoever changes a default states the old one as `baseline`.
    """
    return {
        name: (knob.json_schema_extra if isinstance(knob.json_schema_extra, dict) else {}).get("baseline", knob.default)
        for name, knob in train_config().model_fields.items()
    }


_CHOSEN: tuple[Registry[Any], ...] = (LOSSES, AUGMENTATIONS, BACKBONES)  # by knobs of the same names


@cache
def _extended(brought: tuple[Knob, ...]) -> type[TrainConfig]:
    fields: dict[str, Any] = {}
    for knob in brought:
        if knob.name in TrainConfig.model_fields or knob.name in fields:
            raise PluginError(
                f"{knob.chosen_by} {knob.item}: there is a knob {knob.name!r} already; rename it, or leave its default out to"
                " use the one that is there"
            )
        fields[knob.name] = (knob.annotation, knob.default)
    return create_model("TrainConfig", __base__=TrainConfig, **fields) if fields else TrainConfig


def _takers() -> dict[str, list[tuple[str, str]]]:
    """Return for every knob that registered items take which ones do, each as (the knob that chooses it, its name)."""
    takers: dict[str, list[tuple[str, str]]] = {}
    for registry in _CHOSEN:
        for item, names in registry.options().items():
            for name in names:
                takers.setdefault(name, []).append((registry.knob or "", item))
    return takers


def knob_table() -> str:
    """Return all knobs as a Markdown table."""
    lines = ["| knob | default | unit | meaning |", "|---|---|---|---|"]
    for name, knob in train_config().model_fields.items():
        unit = knob.json_schema_extra.get("unit", "") if isinstance(knob.json_schema_extra, dict) else ""
        lines.append(f"| `{name}` | {knob.default} | {unit} | {knob.description} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(knob_table())
