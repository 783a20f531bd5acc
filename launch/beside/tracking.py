"""What sends a study to other tools beside its search (see `analysis.tracking`)."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from analysis.reading.words import typed_path
from analysis.tracking.complaints import complaints_in
from command_line.commands import typed
from launch.beside.process import BackgroundProcess
from launch.resolve import Say
from studies.study_folder import StudyFolder

_PATIENCE = 120.0  # seconds for what is still to be sent, of all tools together
_LOOK = 5.0  # seconds between two looks at what they say


class Tracking:
    """Sends a study to other tools from `begin` on; what they complain about is said once."""

    def __init__(self, tools: Sequence[str], say: Say) -> None:
        self._tools, self._say = tools, say
        self._processes: dict[str, BackgroundProcess] = {}
        self._over = threading.Event()
        self._folder: StudyFolder | None = None

    def begin(self, folder: StudyFolder) -> None:
        """Send a study that has begun."""
        self._folder = folder
        for tool in dict.fromkeys(self._tools):
            try:
                self._processes[tool] = BackgroundProcess("analysis.track", str(folder.path), "--to", tool, "--follow")
            except OSError as error:  # no tracking is no reason for no search
                self._say(f"{tool}: {error}. To send the study: {self._by_hand(tool)}")
        if self._processes:
            threading.Thread(target=self._watch, daemon=True).start()

    def end(self, patience: float = _PATIENCE) -> None:
        """Wait until the tools have everything; Ctrl-C leaves the rest unsent."""
        self._over.set()
        try:
            if waiting := [tool for tool, process in self._processes.items() if not process.ended]:
                self._say(f"Sending the rest to {', '.join(waiting)} (Ctrl-C leaves it unsent).")
            self._wait(patience)
        except KeyboardInterrupt:
            for process in self._processes.values():
                process.kill()
            self._say(*(f"{tool}: may lack the rest. To send it: {self._by_hand(tool)}" for tool in self._processes))

    def _wait(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        for process in self._processes.values():
            process.ask_to_end()  # all of them, before any is waited for
        for tool, process in self._processes.items():
            if (words := process.end(max(0.1, deadline - time.monotonic()))) is not None:
                self._say(f"{tool}: {words}. To send the rest: {self._by_hand(tool)}")

    def _watch(self) -> None:
        told = set[str]()
        while not self._over.wait(_LOOK):
            for tool, process in self._processes.items():
                found = complaints_in(process.said)
                if process.ended:
                    found.append(f"has ended ({process.last_words})")
                for words in found:
                    line = f"{tool}: {words}. The search goes on; what is missing in the end: {self._by_hand(tool)}"
                    if line not in told and not self._over.is_set():
                        told.add(line)
                        self._say(line)

    def _by_hand(self, tool: str) -> str:
        place = typed_path(self._folder.path) if self._folder else ""
        return f"{typed('track')} {place} --to {tool}"


@contextmanager
def tracking_beside(tools: Sequence[str], say: Say) -> Iterator[Tracking]:
    """Yield what sends a study to other tools, and wait at the end of the block until they have everything."""
    tracking = Tracking(tools, say)
    try:
        yield tracking
    finally:
        tracking.end()
