"""The events of a study, one JSON object a line of `record.jsonl` (format 5).

Lines of formats 1 to 4 become these events when they are read: see `studies.record.former_formats`.
"""

from math import isfinite
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from studies.metrics import Metric
from studies.record.requests import Request
from studies.state.rungs import Rungs

RECORD_FORMAT = 5  # raise it when a record could be misread by the version before
READABLE_FORMATS = (1, 2, 3, 4, 5)
WITHDRAWN = "withdrawn"  # the failure of a trial that somebody stopped
Part: TypeAlias = Literal["resume", "weights"]  # of a fold: what the disk budget may drop
# No reader counts to a number that only a record names: what no study reaches is damage.
Trial: TypeAlias = Annotated[int, Field(ge=0, lt=10**6)]
Fold: TypeAlias = Annotated[int, Field(ge=0, lt=10**4)]
Epochs: TypeAlias = Annotated[int, Field(ge=0, lt=10**6)]
Attempt: TypeAlias = Annotated[int, Field(ge=0, lt=10**9)]
Slots: TypeAlias = Annotated[int, Field(ge=0, lt=10**5)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, lt=1e12)]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time: Seconds  # seconds since 1970, by the driver's clock: for people, nothing is decided by it
    # Seconds of search before this event, over all launches, by a monotonic clock; None in formats 1 to 4.
    elapsed: Seconds | None = None


class MetricFacts(BaseModel):
    """How scores of a study read: `maximised` says whether more is better, `range` holds the least and the most.

    An end of the range is None where there is none: JSON has no infinity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    maximised: bool
    range: tuple[float | None, float | None]

    @classmethod
    def of(cls, metric: Metric) -> Self:
        """Return the facts of a metric."""
        low, high = (end if isfinite(end) else None for end in metric.range)
        return cls(name=metric.name, title=metric.title, maximised=metric.maximised, range=(low, high))


class StrategyFacts(BaseModel):
    """The strategy of a launch: its name, its settings, and how many trials it wants to train on all folds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: dict[str, Any] = {}
    finalists: int = Field(ge=0, lt=10**6)


class Launched(_Event):
    """A driver began to work on the study, under these settings. Formats 1 to 4 lack what may be None."""

    event: Literal["launched"] = "launched"
    format: int = RECORD_FORMAT  # of this and the lines after it
    launch: str | None = None  # an id of its own
    slots: Slots | None = None  # climbs at a time
    rungs: Rungs | None = None
    metric: MetricFacts | None = None
    strategy: StrategyFacts | None = None
    settings: dict[str, Any]
    setup: str = ""  # digest of the environment, the constants and the data: what may be at fault if every trial fails
    shared: bool = False  # other studies had climbs on the same slots: time is what this one had of them


class SearchEnded(_Event):
    """A launch is over: `finished` as its budgets say, `stopped` by somebody, or `paused` until somebody mends something."""

    event: Literal["search_ended"] = "search_ended"
    outcome: Literal["finished", "stopped", "paused"]
    reason: str


class ForecastMade(_Event):
    """The driver's forecast of the seconds of search that are left, with the least and the most that it may be."""

    event: Literal["forecast_made"] = "forecast_made"
    left: Seconds
    least: Seconds
    most: Seconds


class TrialAdded(_Event):
    """A configuration joined the study."""

    event: Literal["trial_added"] = "trial_added"
    trial: Trial
    configuration: dict[str, Any]
    origin: str  # "recipe", the sampler's name, "portfolio", "enqueued", or the study it was taken from
    expected: float | None = None  # its place from 0 (worst) to 1 on other data; None: nothing is known


class FieldClosed(_Event):
    """No further configuration begins in this launch, for a reason; those that have begun go on."""

    event: Literal["field_closed"] = "field_closed"
    reason: str


class ClimbStarted(_Event):
    """A fold of a trial is to be trained to `epoch` epochs; `attempt` grows over the whole study."""

    event: Literal["climb_started"] = "climb_started"
    trial: Trial
    fold: Fold
    epoch: Epochs
    attempt: Attempt
    launch: str | None = None


class ClimbPlaced(_Event):
    """A process took a climb: the address of its node, and its number there."""

    event: Literal["climb_placed"] = "climb_placed"
    trial: Trial
    fold: Fold
    attempt: Attempt
    node: str
    process: int


class EpochScored(_Event):
    """One fold-epoch is done and saved: a line of the record, and of the fold's learning curve.

    `score` is this fold's; more is better (see `studies.metrics`). What a simulation does not know is None.
    """

    event: Literal["epoch_scored"] = "epoch_scored"
    trial: Trial
    fold: Fold
    epoch: Epochs  # from 0
    score: float
    loss: float | None = None
    learning_rate: float | None = None
    images_per_second: float | None = None
    gpu_memory: int | None = None  # bytes that tensors held at most in this epoch; None without a GPU
    gpu_reserved: int | None = None  # bytes that torch had taken for them
    precision: str | None = None  # dtype of training's forward pass
    seconds: Seconds
    # Seconds of preparing, training, judging and saving; {} where unknown. Training includes `wait_input`, the wait for batches,
    # and `device`, the time of its steps by a GPU's own events.
    phases: dict[str, float] = {}


class RungReached(_Event):
    """A trial has come to a rung: `score` is the metric of the pooled predictions of exactly these folds."""

    event: Literal["rung_reached"] = "rung_reached"
    trial: Trial
    folds: Fold
    epoch: Epochs
    score: float


class PredictionsReplaced(_Event):
    """A finished fold was trained again, because its weights were gone: its predictions and `score` are new."""

    event: Literal["predictions_replaced"] = "predictions_replaced"
    trial: Trial
    fold: Fold
    score: float


class ClimbEnded(_Event):
    """A climb is over: at its epoch, stopped on request, or without having got there."""

    event: Literal["climb_ended"] = "climb_ended"
    trial: Trial
    fold: Fold
    attempt: Attempt
    reason: Literal["rung", "stopped", "lost", "out_of_memory"]  # after the last two it is tried again


class TrialFailed(_Event):
    """A trial is out for good, with the class of its failure and the reason."""

    event: Literal["trial_failed"] = "trial_failed"
    trial: Trial
    fold: Fold | None = None  # whose climb failed; None: no climb did, or it was in formats 1 to 4
    failure: str  # its class: see `studies.trials.failures`
    reason: str


class TrialRestored(_Event):
    """A failed trial is taken back: by a launch, once, as its setup may be mended, or in a search, as a device was at fault."""

    event: Literal["trial_restored"] = "trial_restored"
    trial: Trial
    in_search: bool = False  # its other folds may be climbing


class FoldRewound(_Event):
    """A fold stands at `epochs` again: a repair set aside what it had beyond."""

    event: Literal["fold_rewound"] = "fold_rewound"
    trial: Trial
    fold: Fold
    epochs: Epochs


class Dropped(_Event):
    """The disk budget took a part of a fold's folder; a state is trained again if the fold goes on."""

    event: Literal["dropped"] = "dropped"
    trial: Trial
    fold: Fold | None = None  # None in formats 1 to 4: of all folds
    part: Part
    bytes: int


class Requested(_Event):
    """Somebody asked for something from another terminal, and the driver took it up."""

    event: Literal["requested"] = "requested"
    name: str  # of the request's file: nothing is taken up twice
    request: Request


OfTrial: TypeAlias = (
    ClimbStarted
    | ClimbPlaced
    | EpochScored
    | RungReached
    | PredictionsReplaced
    | ClimbEnded
    | TrialFailed
    | TrialRestored
    | FoldRewound
    | Dropped
)
OfStudy: TypeAlias = Launched | SearchEnded | ForecastMade | FieldClosed | Requested
Event: TypeAlias = OfStudy | TrialAdded | OfTrial
parse_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
