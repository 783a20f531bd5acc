"""On what a study was run: versions and machine, for `environment.json`."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "ray",
    "optuna",
    "torch",
    "torchvision",
    "timm",
    "albumentations",
    "numpy",
    "scikit-learn",
    "pillow",
    "safetensors",
)


def environment() -> dict[str, Any]:
    """Return versions of what influences a score, and the machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "gpus": [_gpu_name(facts) for facts in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))],
    }


def _gpu_name(facts: Path) -> str:
    """Return the model that the driver's description of a GPU names."""
    lines = [line.partition(":") for line in facts.read_text(encoding="utf-8").splitlines()]
    return next((value.strip() for key, _, value in lines if key == "Model"), "unknown")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
