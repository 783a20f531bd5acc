"""Climbs that failed in a row: in one process, which has to end, on one slot, which is left out, or on the whole machine."""

from typing import NamedTuple

from studies.record.events import WITHDRAWN, ClimbEnded, ClimbPlaced, EpochScored, Event, Launched, TrialFailed

LOST = "lost_process"  # the class of a process that died, or that a device error made useless
TRIALS = 3  # so many different trials one after the other, and it is not their configurations
IN_PROCESS = 2  # climbs that fail alike in one process before it ends
ON_NODE = (
    3  # new processes of a node, one after the other, that are lost before their first epoch: a slot there is of no use
)
_KINDS = {"lost": LOST, "out_of_memory": "out_of_memory"}  # of climbs that are tried again
_OF_CONFIGURATIONS = ("not_finite", WITHDRAWN)


class Mishap(NamedTuple):
    """A climb that failed."""

    trial: int
    kind: str
    reason: str


class Mishaps:
    """The failures since the last epoch: of all climbs, of those in each process, and of new processes; a launch begins anew.

    The epochs of a good GPU say nothing of a broken one beside it: that is why new processes count for themselves.
    """

    def __init__(self, slots: int = 1) -> None:
        self.row: list[Mishap] = []
        self.left_out = 0  # slots
        self.on_left_out: list[Mishap] = []  # what was lost on the slot that was left out last
        self._slots = slots
        self._places: dict[tuple[int, int], tuple[str, int]] = {}  # node and process, by trial and fold
        self._in_process: dict[tuple[str, int], list[Mishap]] = {}
        self._working = set[tuple[str, int]]()  # processes that have scored an epoch
        self._new: dict[str, list[Mishap]] = {}  # losses of processes that had scored none, by node

    def take(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case Launched():
                self.__init__(event.slots or 1)  # type: ignore[misc]
            case ClimbPlaced():
                self._places[event.trial, event.fold] = (event.node, event.process)
            case EpochScored():
                self._works(self._place(event.trial, event.fold))
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

    def _works(self, place: tuple[str, int]) -> None:
        """Take in that a process has scored an epoch."""
        self.row.clear()
        self._in_process.pop(place, None)
        if place not in self._working:
            self._working.add(place)
            self._new.pop(place[0], None)

    def _add(self, fold: int, mishap: Mishap) -> None:
        place = self._place(mishap.trial, fold)
        self.row.append(mishap)
        self._in_process.setdefault(place, []).append(mishap)
        if mishap.kind == LOST and place[0]:
            self._lose(place, mishap)

    def _lose(self, place: tuple[str, int], mishap: Mishap) -> None:
        """Take in that a process is of no use any more; leave a slot out where new ones are lost, whatever they train."""
        if place in self._working:
            self._working.discard(place)
            return
        lost = self._new.setdefault(place[0], [])
        lost.append(mishap)
        if len(lost) >= ON_NODE and len({one.trial for one in lost}) > 1 and self._slots - self.left_out > 1:
            self.left_out, self.on_left_out = self.left_out + 1, self._new.pop(place[0])

    def _place(self, trial: int, fold: int) -> tuple[str, int]:
        return self._places.get((trial, fold), ("", 0))
