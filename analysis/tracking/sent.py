"""What was sent to a tool already, kept in the study's folder: a run that is taken up again goes on where it was."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ValidationError

from analysis.tracking.tracker import TrackingError
from storage.atomic import make_folder, write_text
from storage.json_text import load_json
from studies.study_folder import StudyFolder


def without_credentials(address: str) -> str:
    """Return an address that may be kept and printed: without user, password, and whatever was asked of the server."""
    kept = re.split(r"[?#;]", address, maxsplit=1)[0]
    scheme, separator, rest = kept.rpartition("://")
    host, slash, path = rest.partition("/")
    if "@" in path.partition("/")[0] and separator:  # a slash in a password
        host, slash, path = (host + slash + path).rpartition("@")[2].partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


class Sent(BaseModel):
    """Of every trial the fold-epochs, the folds whose pictures, and the end that the tool knows of."""

    destination: str
    key: str  # of the study: another one under the same name begins anew
    fold_epochs: dict[int, int] = {}
    folds: dict[int, int] = {}
    ends: dict[int, str] = {}
    rewound: dict[int, int] = {}  # how often a trial had been set back when it was told of last

    def forget(self, trial: int) -> None:
        """Send everything of a trial again: its run is gone."""
        for known in (self.fold_epochs, self.folds, self.ends):
            known.pop(trial, None)


def read_sent(folder: StudyFolder, tool: str, nothing: Sent) -> Sent:
    """Return what a tool was sent; `nothing` where it was another place, another study, or the file is damaged."""
    try:
        sent = Sent.model_validate(load_json((folder.tracking / f"{tool}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return nothing
    sent.destination = without_credentials(sent.destination)  # an earlier version kept them
    return sent if (sent.destination, sent.key) == (nothing.destination, nothing.key) else nothing


def write_sent(folder: StudyFolder, tool: str, sent: Sent) -> None:
    """Keep what was sent."""
    make_folder(folder.tracking)
    write_text(folder.tracking / f"{tool}.json", sent.model_dump_json())


@contextmanager
def sending(folder: StudyFolder, tool: str) -> Iterator[None]:
    """Be the only one who sends a study to a tool as long as the block runs.

    Raises:
        TrackingError: another process does already.
    """
    make_folder(folder.tracking)
    with open(folder.tracking / f"{tool}.lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrackingError(
                f"{folder.name} is being sent to {tool} by a search or another command; wait for it, or end it"
            ) from None
        yield
