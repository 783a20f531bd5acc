"""On what a study was run: versions and machine, for `environment.json`."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from studies.gpus import nvidia_gpus

_PACKAGES = (
    "ray",
    "optuna",
    "torch",
    "torchvision",
    "nvidia-cuda-runtime",
    "nvidia-cudnn-cu13",
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
        "gpus": list(nvidia_gpus().names),
        "driver": nvidia_gpus().driver,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
