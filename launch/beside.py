"""Processes beside a search: the study's page, and what sends it to other tools.

Each reads the study alone, so none of them can hold the search up or bring it down. They end with the launch, however it
ends: their standard input is a pipe of the launch's. They are nice to the driver; a trial's process is nicer still.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote

from analysis.page.serving.sockets import listening_socket, port_of
from launch.resolve import Say
from studies.study_folder import StudyFolder

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 120.0  # seconds for what is still to be sent, of all tools together
_LOOK = 5.0  # seconds between two looks at what they say


class Beside:
    """A process that runs a module of ours until its standard input ends."""

    def __init__(self, module: str, *arguments: str, handed: Sequence[int] = ()) -> None:
        self._said: IO[bytes] = TemporaryFile()
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            # -P: what lies in the user's folder must not stand in for our modules
            [sys.executable, "-P", "-m", module, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            pass_fds=handed,
            start_new_session=True,  # Ctrl-C is for the search
        )

    @property
    def ended(self) -> bool:
        """Tell whether it has ended already, which it does not of itself."""
        return self._process.poll() is not None

    @property
    def last_words(self) -> str:
        """Return the last line that it has printed, if there is one."""
        size = os.fstat(self._said.fileno()).st_size  # not by a position: it is the process's, too
        said = os.pread(self._said.fileno(), 4096, max(0, size - 4096)).decode(errors="replace").strip()
        return said.splitlines()[-1] if said else ""

    def end(self, patience: float) -> str | None:
        """Have it end, and return its last words where it failed or took too long."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            failed = self._process.wait(patience) != 0
        except subprocess.TimeoutExpired:
            self.kill()
            return "was still sending"
        return (self.last_words or "it says nothing") if failed else None

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


@contextmanager
def page_beside(folder: StudyFolder, port: int | None, say: Say) -> Iterator[None]:
    """Serve the page of a study as long as the block runs, on `port` or the next free one; None: no page."""
    page = None if port is None else _page(folder, port, say)
    try:
        yield
    finally:
        if page is not None:
            if page.ended:
                say(f"The study's page had ended: {page.last_words}. python -m analysis.page {folder.path} shows it.")
            page.end(_LOOK)


def _page(folder: StudyFolder, port: int, say: Say) -> Beside | None:
    try:
        listening = listening_socket(port)
    except (ValueError, OSError) as error:  # no page is no reason for no search
        say(f"No page of the study: {error}")
        return None
    with listening:
        number, found = listening.fileno(), port_of(listening)
        page = Beside("analysis.page", str(folder.path.parent), "--socket", str(number), handed=[number])
    taken = f" (port {port} is taken)" if port not in (0, found) else ""
    say(f"Study page: http://127.0.0.1:{found}/study/{quote(folder.name, safe='')}{taken}")
    return page


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
