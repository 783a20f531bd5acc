"""The NVIDIA GPUs of this machine, asked of the driver's own library, as Ray does: WSL2 has no /proc/driver/nvidia. No torch."""

import ctypes
from functools import cache
from typing import NamedTuple

_LONGEST = 96  # characters of a name, as the library documents it


class Gpus(NamedTuple):
    """Their names, and the version of their driver; None without one."""

    names: tuple[str, ...] = ()
    driver: str | None = None


@cache
def nvidia_gpus() -> Gpus:
    """Return the GPUs that the driver knows; none where there is no driver. The lines after the first were never run on a GPU."""
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
        if library.nvmlInit_v2() != 0:
            return Gpus()
        found = Gpus(tuple(_name(library, number) for number in range(_count(library))), _driver(library))
        library.nvmlShutdown()
    except (OSError, AttributeError):  # no driver, or a very old one
        return Gpus()
    return found


def _count(library: ctypes.CDLL) -> int:
    count = ctypes.c_uint(0)
    return count.value if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0 else 0


def _name(library: ctypes.CDLL, number: int) -> str:
    device, name = ctypes.c_void_p(), ctypes.create_string_buffer(_LONGEST)
    library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(number), ctypes.byref(device))
    return name.value.decode() if library.nvmlDeviceGetName(device, name, ctypes.c_uint(_LONGEST)) == 0 else "unknown"


def _driver(library: ctypes.CDLL) -> str | None:
    version = ctypes.create_string_buffer(_LONGEST)
    return version.value.decode() if library.nvmlSystemGetDriverVersion(version, ctypes.c_uint(_LONGEST)) == 0 else None
