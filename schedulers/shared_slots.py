"""Several studies on one set of slots: a free slot goes to the study that has had the least, and idles only if none has work."""

from collections.abc import Sequence

from schedulers.slot_ledger import SlotLedger
from schedulers.study_run import StudyRun
from studies.trials.climb_order import ClimbOrder


class SharedSlots:
    """Hands out the climbs of studies; each is known by its place among `runs`, which is also its name in the ledger."""

    def __init__(self, runs: Sequence[StudyRun], ledger: SlotLedger) -> None:
        self.runs = tuple(runs)
        self._ledger = ledger

    @property
    def slots(self) -> int:
        return self.runs[0].slots

    @property
    def finished(self) -> bool:
        """Tell whether no study has anything left to do."""
        return all(run.finished for run in self.runs)

    def next_climb(self) -> tuple[int, ClimbOrder] | None:
        """Return the place of a study and its next climb, None where none has one: wait, or see `finished`."""
        waiting = [place for place, run in enumerate(self.runs) if not run.finished]
        for place in sorted(waiting, key=self._ledger.seconds):
            if (order := self.runs[place].next_climb()) is not None:
                self._ledger.take(place, order.attempt)
                return place, order
        return None

    def climb_has_ended(self, place: int, order: ClimbOrder) -> None:
        """Note that a study's climb has left its slot."""
        self._ledger.give_back(place, order.attempt)

    def stop(self) -> None:
        """Hand out no more climbs of any study; those in flight end after their fold-epoch."""
        for run in self.runs:
            run.stop()

    def close_at_once(self) -> None:
        """Note in every study, from another thread than the driver's, that its search ends now."""
        for run in self.runs:
            run.close_at_once()

    def close(self) -> None:
        """Note in every study why its search ended."""
        for run in self.runs:
            run.close()

    def pause(self, reason: str) -> None:
        """Stop all studies, for a reason that a human has to mend."""
        for run in self.runs:
            run.pause(reason)
