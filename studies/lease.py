"""The lease of a launch: who works on a study, renewed as long as it does. It decides where `flock` holds nobody off.

On some network file systems every host gets the lock. So a launch also puts `lease.json` there, which says its host and process
and counts its heartbeats. A lease is over when its process is gone (on the same host), or when its heartbeat stands still for
`PATIENCE` seconds, as seen by whoever waits: no clock of one host is compared with that of another.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from storage.atomic import write_text
from storage.json_text import load_json
from storage.regular import read_text

HEARTBEAT = 3.0  # seconds from one to the next
PATIENCE = 4 * HEARTBEAT
_SETTLING = 0.3  # seconds in which another launch that saw the same dead lease has done what it does


@dataclass(frozen=True)
class Holder:
    """A launch that holds a lease; `began` is when its process began, by its host's own count."""

    launch: str
    host: str
    process: int
    began: str
    heartbeat: int = 0

    @classmethod
    def of_this_process(cls, launch: str) -> "Holder":
        """Return the holder that this process is."""
        return cls(launch, this_host(), os.getpid(), _began(os.getpid()) or "")

    def is_gone(self) -> bool | None:
        """Tell whether its process has ended; None where that cannot be seen from here."""
        if self.host != this_host():
            return None
        return _began(self.process) != self.began


def this_host() -> str:
    """Return what tells this machine from others, and a container from the machine that it runs on."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()  # machines may share a name
        return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').stat().st_ino}"
    return socket.gethostname()


def _began(process: int) -> str | None:
    """Return when a process began, in ticks since its machine did; None if there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


class Lease:
    """A study's lease, held by this process and renewed in the background until it is released."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self._path, self._holder = path, holder
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    def take(self, patience: float = PATIENCE, told: Callable[[Holder], None] = lambda holder: None) -> Holder | None:
        """Take the lease, and return None; or return who holds it.

        Of a holder on another host the heartbeat is watched for `patience` seconds, after `told` was called.
        """
        while not self._put() or not self._is_still_ours():
            if not self._path.exists():  # it was released this moment
                continue
            holder = read_holder(self._path) or self._read_again()
            if holder is not None and not self._is_over(holder, patience, told):
                return holder
            self._clear(holder)
        self._renewing.start()
        return None

    def _is_still_ours(self) -> bool:
        """Tell a moment later whether the lease is this process's: another, clearing a dead one, may have moved it."""
        time.sleep(_SETTLING)
        holder = read_holder(self._path)
        return holder is not None and holder.launch == self._holder.launch

    def _read_again(self) -> Holder | None:
        """Return the holder after a short wait: a network may be slow, or a crash may have left half of the file."""
        time.sleep(HEARTBEAT / 3)
        return read_holder(self._path)

    def _clear(self, left: Holder | None) -> None:
        """Take a lease away that was left behind; one that another launch has put there meanwhile is put back."""
        if left is not None and read_holder(self._path) != left:
            return
        aside = self._path.with_name(f".{self._path.name}.{self._holder.launch}.aside")
        with suppress(FileNotFoundError):
            self._path.rename(aside)
            if read_holder(aside) != left:
                with suppress(FileExistsError):
                    _put_once(aside, self._path)
        aside.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the lease back, if it is still this process's."""
        self._over.set()
        self._renewing.join(timeout=HEARTBEAT)
        holder = read_holder(self._path)
        if holder is not None and holder.launch == self._holder.launch:
            self._path.unlink(missing_ok=True)

    def _put(self) -> bool:
        """Put the lease there if there is none; of several launches that try at once only one can, also on a network."""
        temporary = self._path.with_name(f".{self._path.name}.{self._holder.launch}")
        write_text(temporary, json.dumps(asdict(self._holder)))
        try:
            _put_once(temporary, self._path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _is_over(self, holder: Holder, patience: float, told: Callable[[Holder], None]) -> bool:
        gone = holder.is_gone()
        if gone is not None:
            return gone
        told(holder)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            time.sleep(min(HEARTBEAT / 3, patience))
            if read_holder(self._path) != holder:
                return False
        return True

    def _renew(self) -> None:
        beat = 0
        while not self._over.wait(HEARTBEAT):
            beat += 1
            with suppress(OSError):  # a full disk: the next heartbeat may be written again
                held = read_holder(self._path)
                if held is None or held.launch == self._holder.launch:
                    write_text(self._path, json.dumps(asdict(replace(self._holder, heartbeat=beat))))


def _put_once(source: Path, target: Path) -> None:
    """Put what `source` holds at `target`, as one of several that try.

    Raises:
        FileExistsError: another was faster.
    """
    try:
        os.link(source, target)  # whole at once, also on a network
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with open(target, "x", encoding="utf-8") as file:
            file.write(source.read_text(encoding="utf-8"))


def read_holder(path: Path) -> Holder | None:
    """Return who holds a lease, None if nobody does or what is there cannot be read."""
    try:
        return Holder(**load_json(read_text(path)))
    except (OSError, ValueError, TypeError):
        return None
