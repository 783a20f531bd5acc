"""What a tool that keeps runs is told about trials, and the tools by name; a user's own registers here, too."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

import plugins
from plugins.registry import Registry
from studies.study_folder import StudyFolder

Picture: TypeAlias = npt.NDArray[np.uint8]  # H x W x 3
End: TypeAlias = Literal[
    "finished", "failed", "out"
]  # all folds trained; failed; anything else that nobody goes on with


class TrackingError(ValueError):
    """A tool that cannot be used; names the way out."""


@dataclass(frozen=True)
class Run:
    """A trial as tools know it."""

    study: str  # name of the study
    key: str  # of the study among all that ever had this name
    trial: int
    origin: str
    parameters: Mapping[str, Any]  # all knobs that do something

    @property
    def name(self) -> str:
        return f"trial_{self.trial:04d}"


class Tracker(ABC):
    """Keeps one run a trial, however many climbs it took. Fold-epochs count from 1."""

    def __init__(self, folder: StudyFolder, metric: str) -> None:
        self.folder, self.metric = folder, metric

    @property
    @abstractmethod
    def destination(self) -> str:
        """Return where runs go: another place knows nothing of what was sent to this one."""

    @abstractmethod
    def begin(self, run: Run) -> bool:
        """Open a trial's run, or go on with it; tell whether it was there."""

    def forget(self, run: Run) -> None:
        """Take away what there is of a trial's run, before `begin`: everything of it is told again."""
        return

    @abstractmethod
    def log(self, run: Run, steps: Sequence[tuple[int, float, Mapping[str, float]]]) -> None:
        """Keep scalars: (fold-epochs, seconds since 1970, values by name), in their order."""

    @abstractmethod
    def picture(self, run: Run, name: str, picture: Picture, step: int) -> None:
        """Keep a picture."""

    @abstractmethod
    def end(self, run: Run, how: End, final: Mapping[str, float]) -> None:
        """Close a run, with its final metrics; it may go on all the same."""

    def close(self) -> None:
        """Let go of everything."""
        return


TRACKERS: Registry[Callable[[StudyFolder, str], Tracker]] = plugins.TRACKERS
TRACKERS.add("tensorboard", "analysis.tracking.to_tensorboard:TensorBoard")
TRACKERS.add("mlflow", "analysis.tracking.to_mlflow:MLflow")
TRACKERS.add("wandb", "analysis.tracking.to_wandb:WeightsAndBiases")
_PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}


def check_installed(name: str) -> None:
    """Check that a tool can be used here.

    Raises:
        TrackingError: there is no such tool, or its package is not installed.
    """
    if name not in TRACKERS:
        raise TrackingError(TRACKERS.unknown(name))
    package = _PACKAGES.get(name)
    if package is not None and find_spec(package) is None:
        raise TrackingError(f"{name}: its package is not installed; pip install {package}")
