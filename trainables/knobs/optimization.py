"""The knobs of optimization: optimizer, schedule, what is frozen, and which weights are kept."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from trainables.knobs.knob import ABOVE_ZERO, knob
from trainables.knobs.optimizer_options import checked_options

_MEASURE = "it would change the measure instead of the model"
_WITH_MOMENTUM = (  # as timm describes its optimizers; a test compares
    *(
        "sgd",
        "rmsprop",
        "lars",
        "muon",
        "momentum",
        "nesterov",
        "nesterovw",
        "sgdc",
        "sgdp",
        "sgdw",
        "csgdc",
        "csgdp",
        "csgdw",
    ),
    *("rmsproptf", "rmsproptfc", "rmsproptfw", "crmsproptf", "madgrad", "madgradw", "larc", "nlarc", "nlars"),
    *("adamuon", "nadamuon", "nmuon", "kron", "kronc", "kronw"),
    *("adafactorbv", "adafactorbvc", "cadafactorbv", "cadafactorbvc", "bnbsgd", "bnbsgd8bit", "fusedsgd"),
)


class OptimizationKnobs(BaseModel):
    """How weights are found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = knob(
        4, "epochs of every fold; the schedule ends there", ge=1, le=1000, unit="epochs", fixed_because=_MEASURE
    )
    optimizer: str = knob("adamw", "any timm optimizer")
    optimizer_options: Annotated[dict[str, Any], AfterValidator(checked_options)] = knob(
        {},
        "arguments of its own, such as {eps: 1e-6}; one of them is optimizer_options.eps, and one of several numbers"
        " optimizer_options.betas.1",
    )
    learning_rate: float = knob(1e-3, "peak of the schedule", gt=0, le=10)
    weight_decay: float = knob(1e-2, "as the optimizer defines it", ge=0, le=1)
    momentum: float = knob(0.9, "of the gradients", ge=0, lt=1, when={"optimizer": _WITH_MOMENTUM})
    schedule: Literal["cosine", "step", "one_cycle", "constant"] = knob(
        "cosine", "of the learning rate, changed every step"
    )
    warmup_epochs: float = knob(
        0.5,
        "linear warm-up, to where the schedule stands by then",
        ge=0,
        le=100,
        unit="epochs",
        when={"schedule": ("cosine", "step", "constant")},
    )
    decay_epochs: float = knob(
        1.0, "epochs between two falls of the rate", gt=0, le=1000, unit="epochs", when={"schedule": ("step",)}
    )
    decay_rate: float = knob(0.5, "what is left of the rate at a fall", gt=0, lt=1, when={"schedule": ("step",)})
    clip_gradient: float = knob(5.0, "largest norm of the gradient", gt=0)
    accumulation: int = knob(1, "batches whose gradients make one step", ge=1, le=256, unit="batches")
    layer_decay: float = knob(
        1.0,
        "the rate of every layer, as a share of the one after it",
        gt=0,
        le=1,
        source="Clark et al., ELECTRA, ICLR 2020; Bao et al., BEiT, ICLR 2022",
    )
    frozen_share: float = knob(
        0.0, "share of the backbone's layers, from the input on, that stay as loaded", ge=0, le=1
    )
    frozen_epochs: int = knob(
        1, "epochs for which they stay", ge=1, le=1000, unit="epochs", when={"frozen_share": ABOVE_ZERO}
    )
    kept_weights: Literal["last", "best", "ema", "swa"] = knob(
        "last",
        "what of a fold judges and votes: the last, the best epoch's (its score is biased: chosen on the fold that judges),"
        " an exponential moving average, or the mean over the last epochs",
        source="Izmailov et al., Stochastic Weight Averaging, UAI 2018",
    )
    ema_decay: float = knob(0.99, "of the moving average, a step", gt=0, lt=1, when={"kept_weights": ("ema",)})
    swa_epochs: int = knob(
        2, "last epochs that are averaged", ge=1, le=1000, unit="epochs", when={"kept_weights": ("swa",)}
    )
    swa_statistics: Literal["estimated", "averaged"] = knob(
        "estimated",
        "batch norm's statistics of the mean: estimated anew on the training images, or averaged as the weights are",
        baseline="averaged",
        when={"kept_weights": ("swa",)},
        source="Izmailov et al., Stochastic Weight Averaging, UAI 2018",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = knob(
        "auto",
        "of training's forward pass; auto: float32 on a CPU, half on a GPU, and for a whole study what it began with",
    )
    validation_precision: Literal["float32", "training"] = knob(
        "float32",
        "in which an epoch is validated before a fold's last; a finished fold is always predicted in float32",
        fixed_because=_MEASURE,
    )
    deterministic: bool = knob(
        False,
        "algorithms that give the same digits again on the same GPU and versions; slower. A CPU needs no such thing",
        fixed_because=_MEASURE,
    )
    seed: int = knob(0, "of weights, order, augmentation and dropout", ge=0, fixed_because=_MEASURE)
    as_trial: int | None = knob(
        None, "number of the trial whose random numbers are drawn; null: its own", ge=0, fixed_because=_MEASURE
    )
