"""Start the preflight of a configuration in a process of its own; imports no torch, so that a launch stays quick."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainables.config import TrainConfig


class PreflightError(ValueError):
    """A configuration that cannot be trained here."""


class Preflight:
    """A running preflight: are there such backbones and optimizers, are their weights here, do they train, and how fast?

    It imports what it needs beside the preparation of the data, and trains once `go_on` says how many classes there are.
    """

    def __init__(
        self,
        configurations: Sequence[TrainConfig],
        *,
        steps: int = 0,
        compile: bool = False,
        plugins: Sequence[Path] = (),
        gpu: bool = False,
        precision: str | None = None,
    ) -> None:
        """Start to try configurations; of several backbones, the speed is that of their mean time.

        `precision` is what `auto` stands for in a study that goes on.
        """
        options = ["--steps", str(steps), *(["--compile"] if compile else [])]
        options += ["--gpu"] if gpu else []
        options += ["--precision", precision] if precision else []
        options += ["--plugins", *map(str, plugins)] if plugins else []
        tried = [config.model_dump_json() for config in configurations]
        command = [sys.executable, "-m", "trainables.preflight", *tried, *options]
        root = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._found: dict[str, Any] | None = None

    def go_on(self, classes: int) -> None:
        """Have it train steps, now that the data say how many classes there are."""
        with suppress(OSError):  # it has ended by an error, which `check` raises
            self._process.stdin.write(f"{classes}\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def check(self) -> list[str]:
        """Wait for the preflight and return what it has to say, such as what of a weights file was loaded.

        Raises:
            PreflightError: the configuration cannot be trained; says why and the way out.
        """
        if self._found is None:
            out, complaint = self._process.communicate()
            if self._process.returncode != 0:
                lines = complaint.strip().splitlines() or ["the preflight of the backbone died"]
                raise PreflightError(lines[-1])
            self._found = json.loads(out.splitlines()[-1])
        return list(self._found["notes"])

    def images_per_second(self) -> float:
        """Return the speed of a training step, checked before; the preflight must have been started with steps."""
        assert self._found is not None, "check comes first"
        return float(self._found["images_per_second"])

    def end(self) -> None:
        """End the preflight if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
