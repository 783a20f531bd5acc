"""The events of a study, one JSON object a line of `record.jsonl`."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from studies.requests import Request

RECORD_FORMAT = 4  # raise it when a record could be misread by the version before
READABLE_FORMATS = (1, 2, 3, 4)  # 2 brought expectations and the closed field, 3 requests, 4 memory of the GPU
Part: TypeAlias = Literal["resume", "weights"]  # of a trial folder: what may be dropped from it


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time: float  # seconds since 1970, by the driver's clock


class Launched(_Event):
    """A driver began to work on the study, under these settings."""

    event: Literal["launched"] = "launched"
    format: int = RECORD_FORMAT  # of this and the lines after it
    settings: dict[str, Any]
    setup: str = ""  # digest of the environment, the constants and the data: what may be at fault if every trial fails


class TrialAdded(_Event):
    """A configuration joined the study."""

    event: Literal["trial_added"] = "trial_added"
    trial: int
    configuration: dict[str, Any]
    origin: str  # "recipe", the sampler's name, "portfolio", "enqueued", or the study it was taken from
    expected: float | None = (
        None  # its place from 0 (worst) to 1 by what was seen on other data; None: nothing is known
    )


class FieldClosed(_Event):
    """No further configuration begins in this launch, for a reason; those that have begun go on."""

    event: Literal["field_closed"] = "field_closed"
    reason: str


class ClimbStarted(_Event):
    """A trial sets out for `rung`, counted in fold-epochs; `attempt` grows over the whole study folder."""

    event: Literal["climb_started"] = "climb_started"
    trial: int
    rung: int
    attempt: int


class EpochScored(_Event):
    """One fold-epoch is done and saved: a line of the record, and of the trial folder's learning curve.

    `score` is pooled over the folds trained so far, `fold_score` is this fold's; more is better (see `studies.metrics`).
    What a simulation does not know is None.
    """

    event: Literal["epoch_scored"] = "epoch_scored"
    trial: int
    fold: int
    epoch: int
    score: float
    fold_score: float | None = None
    loss: float | None = None
    learning_rate: float | None = None
    images_per_second: float | None = None
    gpu_memory: int | None = None  # bytes that torch held at most in this epoch; None without a GPU
    seconds: float
    phases: dict[str, float] = {}  # seconds that went into preparing, training, judging and saving; {} where unknown


class ClimbEnded(_Event):
    """A climb is over: at its rung, stopped on request, or without having got there."""

    event: Literal["climb_ended"] = "climb_ended"
    trial: int
    attempt: int
    reason: Literal["rung", "stopped", "lost", "out_of_memory"]  # after the last two it is tried again


class TrialFailed(_Event):
    """A trial is out for good, with the class of its failure and the reason."""

    event: Literal["trial_failed"] = "trial_failed"
    trial: int
    failure: str  # its class: see `studies.failures`
    reason: str


class Rewound(_Event):
    """A trial stands at `fold_epochs` again, not failed: a repair set aside what it had beyond, or the setup was mended."""

    event: Literal["rewound"] = "rewound"
    trial: int
    fold_epochs: int


class Dropped(_Event):
    """The disk budget took a part of a trial's folder; a state is trained again if the trial goes on."""

    event: Literal["dropped"] = "dropped"
    trial: int
    part: Part
    bytes: int


class Requested(_Event):
    """Somebody asked for something from another terminal, and the driver took it up."""

    event: Literal["requested"] = "requested"
    name: str  # of the request's file: nothing is taken up twice
    request: Request


Event: TypeAlias = (
    Launched
    | TrialAdded
    | FieldClosed
    | ClimbStarted
    | EpochScored
    | ClimbEnded
    | TrialFailed
    | Rewound
    | Dropped
    | Requested
)
parse_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
