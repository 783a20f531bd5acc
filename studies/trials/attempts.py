"""Whose climb may write into a fold's folder: an attempt's number grows over the study, and names the launch that gave it."""

from dataclasses import dataclass
from pathlib import Path

from studies.errors import check_command
from studies.trials.manifest import FolderError, fold_path, trial_path


@dataclass(frozen=True)
class Attempt:
    """One try to train a fold; of two, the one with the higher number is right."""

    number: int
    launch: str = ""  # of formats 1 to 4 none is known

    def yields_to(self, other: "Attempt") -> bool:
        """Tell whether another attempt that was found in the folder forbids this one to write."""
        return other.number > self.number or (other.number == self.number and other.launch not in ("", self.launch))

    def spelled(self) -> str:
        """Return the attempt as its file holds it."""
        return f"{self.number} {self.launch}".strip()


def attempt_path(study: Path, trial: int, fold: int) -> Path:
    """Return the file that says whose a fold is."""
    return fold_path(study, trial, fold) / "attempt"


def read_attempt(study: Path, trial: int, fold: int) -> Attempt:
    """Return the newest attempt at a fold, number 0 before the first; the former layout had one a trial.

    Raises:
        FolderError: a file that says so is damaged.
    """
    found = [_read(study, path) for path in (attempt_path(study, trial, fold), trial_path(study, trial) / "attempt")]
    return max(found, key=lambda attempt: attempt.number)


def newest_attempt(study: Path) -> int:
    """Return the number of the newest attempt at any fold of a study."""
    files = [*(study / "trials").glob("*/attempt"), *(study / "trials").glob("*/fold_*/attempt")]
    return max((_read(study, file).number for file in files), default=0)


def _read(study: Path, path: Path) -> Attempt:
    try:
        number, _, launch = path.read_text(encoding="utf-8").strip().partition(" ")
        return Attempt(int(number), launch)
    except FileNotFoundError:
        return Attempt(0)
    except ValueError:
        raise FolderError(f"{path}: is damaged; {check_command(study)} --repair has the trial trained again") from None
