"""Slot-seconds by study: what several studies have had of the slots that they share, and the time that each is charged."""

import time
from collections.abc import Callable, Hashable


class SlotLedger:
    """Counts how long every study has held slots.

    The clock of a study goes on by a second whenever it has held all slots for a second: as if it had been alone, however many
    others it shares them with. While it holds none it stands still.
    """

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots, self._clock = slots, clock
        self._spent: dict[Hashable, float] = {}
        self._held: dict[tuple[Hashable, Hashable], float] = {}  # by study and climb: since when

    def take(self, study: Hashable, climb: Hashable) -> None:
        """Note that a climb of a study takes a slot."""
        self._held[study, climb] = self._clock()

    def give_back(self, study: Hashable, climb: Hashable) -> None:
        """Note that a climb of a study has left its slot."""
        since = self._held.pop((study, climb), None)
        if since is not None:
            self._spent[study] = self._spent.get(study, 0.0) + self._clock() - since

    def seconds(self, study: Hashable) -> float:
        """Return the seconds that a study is charged: its slot-seconds by the number of slots."""
        now = self._clock()
        held = sum(now - since for (holder, _), since in list(self._held.items()) if holder == study)
        return (self._spent.get(study, 0.0) + held) / self._slots
