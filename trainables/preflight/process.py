"""Start the preflight of a configuration in a process of its own; imports no torch, so that a launch stays quick."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainables.config import TrainConfig


class PreflightError(ValueError):
    """A configuration that cannot be trained here."""


class Preflight:
    """A running preflight: is there such a backbone, are its weights here, how fast is a step?"""

    def __init__(
        self,
        config: TrainConfig,
        backbones: Sequence[str],
        optimizers: Sequence[str],
        *,
        steps: int = 0,
        compile: bool = False,
        plugins: Sequence[Path] = (),
        optimizer_options: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        options = ["--options", json.dumps({name: list(given) for name, given in (optimizer_options or {}).items()})]
        options += ["--backbones", *backbones, "--optimizers", *optimizers, "--steps", str(steps)]
        options += ["--compile"] if compile else []
        options += ["--plugins", *map(str, plugins)] if plugins else []
        command = [sys.executable, "-m", "trainables.preflight", config.model_dump_json(), *options]
        root = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def check(self) -> list[str]:
        """Wait for the preflight and return what it has to say, such as what of a weights file was loaded.

        Raises:
            PreflightError: the configuration cannot be trained; says why and the way out.
        """
        out, complaint = self._process.communicate()
        if self._process.returncode != 0:
            lines = complaint.strip().splitlines() or ["the preflight of the backbone died"]
            raise PreflightError(lines[-1])
        self._found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return list(self._found["notes"])

    def images_per_second(self) -> float:
        """Return the speed of a training step; the preflight must have been started with steps."""
        self.check()
        return float(self._found["images_per_second"])

    def end(self) -> None:
        """End the preflight if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
