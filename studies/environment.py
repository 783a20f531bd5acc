"""On what a study was run: versions and machine, for `environment.json`."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from studies.gpus import nvidia_gpus

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
_CUDA = ("nvidia-cuda-runtime", *(f"nvidia-cuda-runtime-cu{major}" for major in (13, 12, 11)))  # by torch's wheel
_CUDNN = tuple(f"nvidia-cudnn-cu{major}" for major in (13, 12, 11))


def environment() -> dict[str, Any]:
    """Return versions of what influences a score, and the machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "cuda": _first_version(_CUDA),
        "cudnn": _first_version(_CUDNN),
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


def _first_version(packages: Iterable[str]) -> str | None:
    """Return the version of the first package that is installed."""
    return next((found for package in packages if (found := _version(package))), None)
