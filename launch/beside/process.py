"""A process of ours beside a search."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_ROOT = Path(__file__).resolve().parents[2]
_NICE = 10  # behind the driver
_KEPT = 2**16  # bytes of what a process has printed that are looked at


class BackgroundProcess:
    """A process that runs a module of ours until its standard input ends."""

    def __init__(self, module: str, *arguments: str, handed: Sequence[int] = ()) -> None:
        self._said: IO[bytes] = TemporaryFile()
        self._asked = False  # to end
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
        os.setpriority(os.PRIO_PROCESS, self._process.pid, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))

    @property
    def ended(self) -> bool:
        """Tell whether it has ended already, which it does not of itself."""
        return self._process.poll() is not None

    @property
    def said(self) -> str:
        """Return the last of what it has printed."""
        size = os.fstat(self._said.fileno()).st_size  # not by a position: it is the process's, too
        return os.pread(self._said.fileno(), _KEPT, max(0, size - _KEPT)).decode(errors="replace").strip()

    @property
    def last_words(self) -> str:
        """Return the last line that it has printed."""
        return self.said.splitlines()[-1] if self.said else "it says nothing"

    def ask_to_end(self) -> None:
        """Let it know that the launch is over, and do not wait."""
        assert self._process.stdin is not None
        self._asked = True
        self._process.stdin.close()

    def watch(self, told: Callable[[str], object]) -> None:
        """Have a function told its last words if it ends without having been asked to."""

        def wait() -> None:
            self._process.wait()
            if not self._asked:
                told(self.last_words)

        threading.Thread(target=wait, daemon=True).start()

    def end(self, patience: float) -> str | None:
        """Have it end, and return its last words where it failed or took too long."""
        self.ask_to_end()
        try:
            failed = self._process.wait(patience) != 0
        except subprocess.TimeoutExpired:
            self.kill()
            return "was still sending"
        return self.last_words if failed else None

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
