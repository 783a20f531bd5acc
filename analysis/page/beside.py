"""The page beside a search: a process of its own, so that neither can hold the other up. It ends with the launch."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from analysis.page.serving.sockets import listening_socket, port_of
from studies.study_folder import StudyFolder

PORT = 8300  # unless it is taken
_ROOT = Path(__file__).resolve().parents[2]
_NICE = 10  # behind the driver; a trial's process is nicer still


@dataclass
class PageBeside:
    """A running page."""

    address: str
    taken: str  # why it is on another port than was asked for
    process: subprocess.Popen[bytes]

    def where_to_watch(self) -> str:
        """Return where a browser shows the study, or how to see why it does not."""
        if self.process.poll() is not None:  # it never ends of itself
            return "The study's page did not start; python -m analysis.page on the study's folder says why."
        return f"Study page: {self.address}{self.taken}"


@contextmanager
def page_beside(folder: StudyFolder, port: int | None) -> Iterator[PageBeside | None]:
    """Serve the page of a study's folder as long as the block runs, on `port` or the next free one; None: no page.

    Raises:
        NoPort: no port is free.
    """
    if port is None:
        yield None
        return
    with listening_socket(port) as listening:
        number = listening.fileno()
        process = subprocess.Popen(
            # -P: what lies in the user's folder must not stand in for our modules
            [sys.executable, "-P", "-m", "analysis.page", str(folder.path.parent), "--socket", str(number)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[number],
            start_new_session=True,  # Ctrl-C is for the search
            preexec_fn=lambda: os.nice(_NICE),
        )
        taken = f" (port {port} is taken)" if port not in (0, port_of(listening)) else ""
        address = f"http://127.0.0.1:{port_of(listening)}/study/{quote(folder.name, safe='')}"
    try:
        yield PageBeside(address, taken, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=10)
