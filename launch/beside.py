"""Processes beside a search: the study's page, and what sends it to other tools.

Each reads the study alone, so none of them can hold the search up or bring it down. They end with the launch, however it
ends: their standard input is a pipe of the launch's. They are nice to the driver; a trial's process is nicer still.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote

from analysis.page.serving.sockets import listening_socket, port_of
from launch.resolve import Say
from studies.study_folder import StudyFolder

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 120.0  # seconds for what is still to be sent


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

    def end(self) -> str | None:
        """Have it end, and return its last words where it failed or took too long."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            failed = self._process.wait(_PATIENCE) != 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            return f"was still at work after {_PATIENCE:.0f} seconds"
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        return (words[-1] if words else "it says nothing") if failed else None


@contextmanager
def page_beside(folder: StudyFolder, port: int | None, say: Say) -> Iterator[None]:
    """Serve the page of a study as long as the block runs, on `port` or the next free one; None: no page.

    Raises:
        NoPort: no port is free.
    """
    if port is None:
        yield
        return
    with listening_socket(port) as listening:
        number, found = listening.fileno(), port_of(listening)
        page = Beside("analysis.page", str(folder.path.parent), "--socket", str(number), handed=[number])
    taken = f" (port {port} is taken)" if port not in (0, found) else ""
    say(f"Study page: http://127.0.0.1:{found}/study/{quote(folder.name, safe='')}{taken}")
    try:
        yield
    finally:
        if page.ended:
            say(f"The study's page had ended: {page.end()}. python -m analysis.page {folder.path} shows it.")
        page.end()


@contextmanager
def tracking_beside(folder: StudyFolder, tools: Sequence[str], say: Say) -> Iterator[None]:
    """Send a study to other tools as long as the block runs, and wait at its end until they have everything."""
    with ExitStack() as stack:
        for tool in tools:
            tracking = Beside("analysis.track", str(folder.path), "--to", tool, "--follow")
            stack.callback(_ended, tool, tracking, folder, say)
        yield


def _ended(tool: str, tracking: Beside, folder: StudyFolder, say: Say) -> None:
    if (words := tracking.end()) is not None:
        say(f"{tool}: {words}. Nothing is lost: python -m analysis.track {folder.path} --to {tool} sends the rest.")
