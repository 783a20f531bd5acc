"""Several studies on one set of slots: a free slot goes to the study that has had the least, and idles only if none has work."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from schedulers.slot_ledger import SlotLedger
from schedulers.study_run import StudyRun
from studies.trials.climb_order import ClimbOrder


class SharedSlots:
    """Hands out the climbs of studies; each is known by its place among `runs`, which is also its name in the ledger.

    An error in the driver's side of a study ends that study alone: it is kept in `broken`, and the others go on.
    """

    def __init__(self, runs: Sequence[StudyRun], ledger: SlotLedger) -> None:
        self.runs = tuple(runs)
        self.broken: dict[int, Exception] = {}  # by place
        self._ledger = ledger

    @property
    def slots(self) -> int:
        return self.runs[0].slots

    @property
    def finished(self) -> bool:
        """Tell whether no study has anything left to do."""
        return all(run.finished or place in self.broken for place, run in enumerate(self.runs))

    def next_climb(self) -> tuple[int, ClimbOrder] | None:
        """Return the place of a study and its next climb, None where none has one: wait, or see `finished`."""
        places = [place for place in range(len(self.runs)) if place not in self.broken]
        running = [self.runs[place] for place in places]
        # of several studies that met a broken device it is the same one
        left_out = max((run.state.mishaps.left_out for run in running if not run.finished), default=0)
        if left_out and sum(run.state.climbs() for run in running) >= max(1, self.slots - left_out):
            return None
        for place in sorted(places, key=lambda place: self.runs[place].elapsed()):
            with self.guarded(place):
                if (order := self._next_of(self.runs[place])) is not None:
                    self._ledger.take(place, order.attempt)
                    return place, order
        return None

    @staticmethod
    def _next_of(run: StudyRun) -> ClimbOrder | None:
        """Return a study's next climb; one that has finished is asked only whether somebody wants more of it."""
        if run.finished:
            run.take_requests()
        return None if run.finished else run.next_climb()

    @contextmanager
    def guarded(self, place: int) -> Iterator[None]:
        """Keep what goes wrong with a study in this block: from then on it is left alone."""
        try:
            yield
        except Exception as error:
            self.broken[place] = error

    def climb_has_ended(self, place: int, order: ClimbOrder) -> None:
        """Note that a study's climb has left its slot."""
        self._ledger.give_back(place, order.attempt)

    def stop(self) -> None:
        """Start no more climbs of any study; climbs in flight end after their fold-epoch."""
        for run in self.runs:
            if not run.finished:
                run.stop()

    def close_at_once(self) -> None:
        """Note in every study, from another thread than the driver's, that its search ends now."""
        for run in self.runs:
            run.close_at_once()

    def close(self) -> None:
        """Note in every study why its search ended."""
        for place, run in enumerate(self.runs):
            if place not in self.broken:
                with self.guarded(place):
                    run.close()
