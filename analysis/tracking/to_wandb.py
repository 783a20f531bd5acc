"""W&B: a group a study, a run a trial; offline where no key is known. WANDB_PROJECT, WANDB_MODE and the like are W&B's own."""

import netrc
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import wandb

from analysis.tracking.tracker import End, Picture, Run, Tracker
from storage.atomic import make_folder
from studies.study_folder import StudyFolder

_HOST = "api.wandb.ai"


class WeightsAndBiases(Tracker):
    """Writes runs under `results/<study>/tracking/wandb/`; `wandb sync` there sends what was written offline."""

    _OPEN = 8  # runs at once: each has threads of its own

    def __init__(self, folder: StudyFolder, metric: str) -> None:
        super().__init__(folder, metric)
        self._runs: dict[int, Any] = {}  # the one that was used last comes last
        self._mode: Any = os.environ.get("WANDB_MODE") or ("online" if _knows_a_key() else "offline")

    @property
    def destination(self) -> str:
        return f"wandb {os.environ.get('WANDB_ENTITY', '')}/{self._project} ({self._mode})"

    @property
    def _project(self) -> str:
        return os.environ.get("WANDB_PROJECT", "foldrace")

    def begin(self, run: Run) -> bool:
        """Open the trial's run, or go on with it: its id is the trial's."""
        there = any(self._places(run)) or self._mode == "online"
        self._run(run)
        return there

    def forget(self, run: Run) -> None:
        """Delete what was written offline; a server keeps what it has, and takes no step twice."""
        if opened := self._runs.pop(run.trial, None):
            opened.finish()
        for place in list(self._places(run)) if self._mode != "online" else ():
            shutil.rmtree(place, ignore_errors=True)

    def log(self, run: Run, steps: Sequence[tuple[int, float, Mapping[str, float]]]) -> None:
        """Send scalars."""
        opened = self._run(run)
        for step, _, values in steps:
            opened.log(dict(values), step=step)

    def picture(self, run: Run, name: str, picture: Picture, step: int) -> None:
        """Send a picture."""
        self._run(run).log({name: wandb.Image(picture)}, step=step)

    def end(self, run: Run, how: End, final: Mapping[str, float]) -> None:
        """Send the final metrics as the run's summary, and finish it."""
        opened = self._run(run)
        opened.summary.update({**final, "end": how})
        opened.finish(exit_code=1 if how == "failed" else 0)
        del self._runs[run.trial]

    def close(self) -> None:
        """Finish what is open; it is taken up again under its id."""
        for opened in self._runs.values():
            opened.finish()
        self._runs.clear()

    def _places(self, run: Run) -> Iterator[Path]:
        return (self.folder.tracking / "wandb").glob(f"*run-*-{_id_of(run)}")

    def _run(self, run: Run) -> Any:
        if run.trial not in self._runs:
            while len(self._runs) >= self._OPEN:
                self._runs.pop(next(iter(self._runs))).finish()
            make_folder(self.folder.tracking)
            self._runs[run.trial] = wandb.init(
                project=self._project,
                id=_id_of(run),
                name=f"{run.study} {run.name}",
                group=run.study,
                config={**run.parameters, "from": run.origin},
                dir=str(self.folder.tracking),
                mode=self._mode,
                resume="allow",
                reinit="create_new",
                settings=wandb.Settings(console="off", silent=True, disable_git=True, x_disable_stats=True),
            )
        self._runs[run.trial] = self._runs.pop(run.trial)
        return self._runs[run.trial]


def _id_of(run: Run) -> str:
    """Return the run's id, of letters that W&B takes."""
    return f"{run.key.rpartition('-')[2]}-{run.trial}"


def _knows_a_key() -> bool:
    """Tell whether W&B has been logged in to, here or at the server that WANDB_BASE_URL names."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "")).netloc or _HOST
    with suppress(OSError, netrc.NetrcParseError):
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    return False
