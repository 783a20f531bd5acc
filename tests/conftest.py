"""Toys that all tests share: a few drawn faces, a tiny net, a study on them."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # two test processes share two cores

import pytest
import torch
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from datasets.preparation import PreparedData, prepare
from datasets.sources.opening import data_options
from tests.toys.training import TINY, write_study
from trainables.config import TrainConfig

_PATIENT = ("test_address.py", "test_backbones.py", "test_plugins.py")  # they only wait for commands to end


class ByFile(LoadScopeScheduling):
    """Gives a worker a file at a time; the files of `tests/system` that time or kill what runs go to one, in order."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "tests/system" if file.startswith("tests/system/") and not file.endswith(_PATIENT) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("FOLDRACE_CACHE")
    os.environ["FOLDRACE_CACHE"] = str(folder)
    yield folder
    os.environ.pop("FOLDRACE_CACHE") if before is None else os.environ.update(FOLDRACE_CACHE=before)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def faces(cache_folder: Path) -> PreparedData:
    """Twenty drawn people, their mask to be told, two folds."""
    options = data_options().validate_python({"source": "sample_faces", "people": 20, "scale": 0.125})
    return prepare(options, "mask", 2, 32)


@pytest.fixture
def study(tmp_path: Path, faces: PreparedData) -> Path:
    """A study folder as a launch leaves it before its first trial."""
    write_study(tmp_path, faces)
    return tmp_path


@pytest.fixture
def tiny() -> TrainConfig:
    return TrainConfig(**TINY)
