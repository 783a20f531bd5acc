"""What sends a study to other tools beside its search (see `analysis.tracking`)."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from launch.beside.process import Beside
from launch.resolve import Say
from studies.study_folder import StudyFolder

_PATIENCE = 120.0  # seconds for what is still to be sent, of all tools together
_LOOK = 5.0  # seconds between two looks at what they say


class Tracking:
    """Sends a study to other tools from `begin` on; what they complain about is said once each."""

    def __init__(self, tools: Sequence[str], say: Say) -> None:
        self._tools, self._say = tools, say
        self._processes: dict[str, Beside] = {}
        self._over = threading.Event()
        self._folder: StudyFolder | None = None

    def begin(self, folder: StudyFolder) -> None:
        """Send a study that has begun."""
        self._folder = folder
        for tool in dict.fromkeys(self._tools):
            self._processes[tool] = Beside("analysis.track", str(folder.path), "--to", tool, "--follow")
        if self._processes:
            threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Wait until the tools have everything; Ctrl-C leaves the rest unsent."""
        self._over.set()
        deadline = time.monotonic() + _PATIENCE
        waiting = [tool for tool, process in self._processes.items() if not process.ended]
        if waiting:
            self._say(f"Sending the rest to {', '.join(waiting)} (Ctrl-C leaves it unsent).")
        for tool, process in self._processes.items():
            try:
                words = process.end(max(1.0, deadline - time.monotonic()))
            except KeyboardInterrupt:
                process.kill()
                words = "was left"
            if words is not None:
                self._say(f"{tool}: {words}. To send the rest: {self._by_hand(tool)}")

    def _watch(self) -> None:
        told = dict[str, str]()
        while not self._over.wait(_LOOK):
            for tool, process in self._processes.items():
                words = "it has ended" if process.ended and not process.last_words else process.last_words
                if words and tool not in told:
                    told[tool] = words
                    self._say(f"{tool}: {words}. The search goes on; what is missing then: {self._by_hand(tool)}")

    def _by_hand(self, tool: str) -> str:
        return f"python -m analysis.track {self._folder and self._folder.path} --to {tool}"


@contextmanager
def tracking_beside(tools: Sequence[str], say: Say) -> Iterator[Tracking]:
    """Yield what sends a study to other tools, and wait at the end of the block until they have everything."""
    tracking = Tracking(tools, say)
    try:
        yield tracking
    finally:
        tracking.end()
