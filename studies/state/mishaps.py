"""Climbs that failed one after the other: in one process, which then has to end, or everywhere, which is the machine's fault."""

from typing import NamedTuple

from studies.record.events import WITHDRAWN, ClimbEnded, ClimbPlaced, EpochScored, Event, Launched, TrialFailed

LOST = "lost_process"  # the class of a process that died, or that a device error made useless
TRIALS = 3  # so many different trials one after the other, and it is not their configurations
IN_PROCESS = 2  # climbs that fail alike in one process before it ends
_KINDS = {"lost": LOST, "out_of_memory": "out_of_memory"}  # of climbs that are tried again
_OF_CONFIGURATIONS = ("not_finite", WITHDRAWN)


class Mishap(NamedTuple):
    """A climb that failed."""

    trial: int
    kind: str
    reason: str


class Mishaps:
    """The failures since the last epoch: of all climbs, and of those in each process; a launch begins anew."""

    def __init__(self) -> None:
        self.row: list[Mishap] = []
        self._places: dict[tuple[int, int], tuple[str, int]] = {}  # node and process, by trial and fold
        self._in_process: dict[tuple[str, int], list[Mishap]] = {}

    def take(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case Launched():
                self.__init__()  # type: ignore[misc]
            case ClimbPlaced():
                self._places[event.trial, event.fold] = (event.node, event.process)
            case EpochScored():
                self.row.clear()
                self._in_process.pop(self._place(event.trial, event.fold), None)
            case ClimbEnded() if event.reason in _KINDS:
                self._add(event.fold, Mishap(event.trial, _KINDS[event.reason], ""))
            case TrialFailed() if event.fold is not None and event.failure not in _OF_CONFIGURATIONS:
                self._add(event.fold, Mishap(event.trial, event.failure, event.reason))

    def process_must_end(self, trial: int, fold: int) -> bool:
        """Tell whether the process that had a climb is not to have another: it is of no use, or fails one like the other."""
        row = self._in_process.get(self._place(trial, fold), [])
        alike = len({one.kind for one in row[-IN_PROCESS:]}) == 1
        return bool(row) and (row[-1].kind == LOST or (len(row) >= IN_PROCESS and alike))

    @property
    def machine_fails(self) -> Mishap | None:
        """Return a failure, if all of the row lost their processes and are of so many trials that it must be the machine."""
        lost = all(one.kind == LOST for one in self.row)
        if not lost or len({one.trial for one in self.row}) < TRIALS:
            return None
        return next((one for one in reversed(self.row) if one.reason), self.row[-1])

    def _add(self, fold: int, mishap: Mishap) -> None:
        self.row.append(mishap)
        self._in_process.setdefault(self._place(mishap.trial, fold), []).append(mishap)

    def _place(self, trial: int, fold: int) -> tuple[str, int]:
        return self._places.get((trial, fold), ("", 0))
