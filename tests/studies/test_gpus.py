"""Which GPUs there are, asked of a driver's library that answers as NVIDIA's documents say."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studies.gpus import Memory, other_gpu, spell_taken
from tests.toys import ROOT

DRIVER = """
#include <string.h>
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int number, void **device) { *device = (void *)(long)(number + 1); return 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned int most) {
  strncpy(name, device == (void *)1 ? "NVIDIA A" : "NVIDIA B", most);
  return 0;
}
int nvmlSystemGetDriverVersion(char *version, unsigned int most) { strncpy(version, "580.1", most); return 0; }
int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *info) {
  info[0] = 24000000000ull;
  info[2] = device == (void *)1 ? 20000000000ull : 400000000ull;
  info[1] = info[0] - info[2];
  return 0;
}
"""
ASKED = "import json; from studies.gpus import *; print(json.dumps([nvidia_gpus(), taken_gpus()]))"


@pytest.mark.skipif(shutil.which("cc") is None, reason="builds a library as the driver's is")
def test_the_driver_is_asked_for_names_and_for_what_others_have_taken(tmp_path: Path) -> None:
    (tmp_path / "driver.c").write_text(DRIVER)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "driver.c"], check=True)
    found = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=ROOT,
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    (names, driver), taken = json.loads(found.stdout)
    assert (names, driver) == (["NVIDIA A", "NVIDIA B"], "580.1")
    assert taken == [
        "GPU 0 (NVIDIA A): other processes hold 20 GB of its 24 GB; trials may run out of memory and take longer."
        " CUDA_VISIBLE_DEVICES chooses another"
    ]


def test_what_a_screen_takes_of_a_gpu_is_no_matter() -> None:
    assert spell_taken(0, "NVIDIA A", Memory(24 * 10**9, 10**9)) is None


@pytest.mark.parametrize(
    ("system", "machine", "amd", "told"),
    [
        ("Linux", "x86_64", False, None),
        ("Linux", "x86_64", True, "an AMD GPU is here, which is not supported"),
        ("Darwin", "arm64", False, "Apple's GPU is not supported"),
    ],
)
def test_a_gpu_that_trials_cannot_use_is_named(
    system: str, machine: str, amd: bool, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("studies.gpus._AMD", tmp_path if amd else tmp_path / "none")
    assert other_gpu() == told
