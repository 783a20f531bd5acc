"""Where Ray keeps the logs and sockets of searches: a folder that its user alone may enter.

Ray's own place is `/tmp/ray`, which every user of the machine may read and write.
"""

import os
import stat
from pathlib import Path

from schedulers.ray.private_names import ClusterError

_LONGEST = 107 - len(
    "/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store.99"
)  # of the path of a Unix socket


def session_folder() -> Path:
    """Return the folder, made where it is missing: below RAY_TMPDIR, TMPDIR where that is short enough, or `/tmp`.

    Raises:
        ClusterError: RAY_TMPDIR is too long a path for sockets, or the folder belongs to somebody else.
    """
    folder = _place() / f"foldrace-{os.getuid()}"
    if len(os.fsencode(folder)) > _LONGEST:
        raise ClusterError(
            f"RAY_TMPDIR: sockets lie below {folder}, and a path may have {_LONGEST} bytes there; name a shorter one"
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise ClusterError(f"{folder}: it belongs to somebody else; set RAY_TMPDIR to a folder of yours")
        folder.chmod(0o700)
    except OSError as error:
        raise ClusterError(
            f"{folder}: Ray's logs cannot be kept there ({error}); set RAY_TMPDIR to a folder of yours"
        ) from None
    return folder


def _place() -> Path:
    if chosen := os.environ.get("RAY_TMPDIR"):
        return Path(chosen).absolute()
    usual = Path(os.environ.get("TMPDIR") or "/tmp").absolute()
    return usual if len(os.fsencode(usual)) + len(f"/foldrace-{os.getuid()}") <= _LONGEST else Path("/tmp")
