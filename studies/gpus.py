"""The NVIDIA GPUs of this machine, asked of the driver's own library, as Ray does: WSL2 has no /proc/driver/nvidia. No torch."""

import ctypes
import os
import platform
from functools import cache
from pathlib import Path
from typing import NamedTuple

from search_spaces.sizes import spell_size

_LONGEST = 96  # characters of a name, as the library documents it
_TAKEN = 0.1  # of a GPU's memory: more than its screen takes
_AMD = Path("/dev/kfd")  # of the driver of AMD's GPUs


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


def taken_gpus() -> list[str]:
    """Return a line for every GPU whose memory other processes have taken much of. Never run on a GPU."""
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
        if library.nvmlInit_v2() != 0:
            return []
        seen = [number for number in range(_count(library)) if is_visible(number)]
        found = [(number, _name(library, number), _memory(library, number)) for number in seen]
        library.nvmlShutdown()
    except (OSError, AttributeError):
        return []
    return [line for gpu in found if (line := spell_taken(*gpu))]


def is_visible(number: int) -> bool:
    """Tell whether CUDA_VISIBLE_DEVICES hides a GPU; names that are no numbers hide none that could be told apart here."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None or not all(one.strip().isdecimal() for one in named.split(",")):
        return named != ""
    return number in {int(one) for one in named.split(",")}


def spell_taken(number: int, name: str, memory: "Memory") -> str | None:
    """Return what of a GPU's memory is taken and what may follow, None for a little."""
    if memory.used <= _TAKEN * memory.total:
        return None
    return (
        f"GPU {number} ({name}): other processes hold {spell_size(memory.used)} of its {spell_size(memory.total)}; trials may"
        " run out of memory and take longer. CUDA_VISIBLE_DEVICES chooses another"
    )


def other_gpu() -> str | None:
    """Return that this machine has a GPU which trials cannot use, None if it has no such GPU."""
    if _AMD.exists():
        return "an AMD GPU is here, which is not supported"
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "Apple's GPU is not supported"
    return None


class Memory(NamedTuple):
    """Bytes of a GPU."""

    total: int
    used: int


class _MemoryInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


def _memory(library: ctypes.CDLL, number: int) -> Memory:
    device, info = ctypes.c_void_p(), _MemoryInfo()
    library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(number), ctypes.byref(device))
    library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(info))
    return Memory(info.total, info.used)


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
