"""Build the library that has calls of the operating system fail, and switch it on and off."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("preload.c")


@dataclass(frozen=True)
class FailingStorage:
    """Storage below a folder that can be made to fail."""

    preload: Path
    root: Path

    @classmethod
    def built(cls, place: Path, root: Path) -> "FailingStorage":
        """Build the library in a folder; needs a C compiler."""
        preload = place / "preload.so"
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(preload), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        return cls(preload, root)

    @property
    def _control(self) -> Path:
        return self.preload.with_name("number")

    def environment(self, *, without_locks: bool = False) -> dict[str, str]:
        """Return the environment of a process whose storage fails when it is told to."""
        found = {"LD_PRELOAD": str(self.preload), "FAULT_ROOT": str(self.root), "FAULT_CONTROL": str(self._control)}
        return {**found, "FAULT_NO_LOCK": "1"} if without_locks else found

    @contextmanager
    def failing(self, name: str) -> Iterator[None]:
        """Have everything that is written fail with an error, by its name, as long as the block runs."""
        torn = self._control.with_suffix(".torn")
        torn.write_text(str(getattr(errno, name)))
        torn.replace(self._control)
        try:
            yield
        finally:
            self._control.unlink()
