"""Rules that hold for every file of the project."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.sets.orl import orl_identity
from benchmarks.sets.pictures import write_set
from datasets.preparation import prepare
from datasets.sources.opening import data_options
from studies.trials.climb_order import ClimbOrder
from tests.toys import ROOT
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.training.devices import Resources

PACKAGES = (
    "search_spaces",
    "datasets",
    "trainables",
    "schedulers",
    "voting",
    "analysis",
    "studies",
    "storage",
    "plugins",
    "launch",
)
SCRIPTS = ("launch_search.py", "export_best.py", "predict.py")
SOURCES = [*(ROOT / name for name in SCRIPTS), *(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))]
RAY_ADAPTERS = {
    "schedulers/ray/tune_search.py",
    "schedulers/ray/trial_metrics.py",
    "schedulers/ray/private_names.py",
    "schedulers/ray/cluster.py",
    "schedulers/ray/joining.py",
    "trainables/fold_trainable.py",
}


def imports(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, inside functions, too."""
    tree = ast.parse(path.read_text())
    plain = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return plain | {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }


@pytest.mark.parametrize(
    ("script", "allowed"),
    [
        (
            "launch_search.py",
            set(PACKAGES),  # of voting, how many trials an export chooses among
        ),
        ("export_best.py", {"voting", "analysis", "studies", "storage", "plugins"}),
        ("predict.py", {"voting", "studies"}),
    ],
)
def test_an_entry_point_imports_only_what_the_design_allows(script: str, allowed: set[str]) -> None:
    assert imports(ROOT / script) & set(PACKAGES) <= allowed


def test_ray_is_imported_by_its_adapters_alone() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in SOURCES if "ray" in imports(path)}
    assert found == RAY_ADAPTERS


def test_nothing_unpickles_and_no_yaml_is_read_unsafely() -> None:
    for path in SOURCES:
        text = path.read_text()
        assert not imports(path) & {"pickle", "joblib", "cloudpickle", "dill"}, path
        assert "yaml.load(" not in text, path
        assert "allow_pickle=True" not in text, path
        for line in text.splitlines():
            assert "torch.load(" not in line or "weights_only=True" in line, path


def test_the_annotated_tree_in_the_docs_is_that_of_the_code() -> None:
    written = subprocess.run(
        [sys.executable, "docs/annotated_tree.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert written.stdout in (ROOT / "docs/architecture.md").read_text(), (
        "python docs/annotated_tree.py says what it must be"
    )


def test_every_requirement_is_pinned() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all("==" in line for line in lines)
    assert {"ray[default,tune]==2.60.0", "torch==2.14.1", "torchvision==0.29.1"} <= set(lines)


@pytest.mark.slow
def test_real_photographs_come_in_through_the_csv_source_and_can_be_learned(tmp_path: Path) -> None:
    assert write_set(orl_identity(), tmp_path / "orl") == 400
    source = {"source": "csv", "file": str(tmp_path / "orl/labels.csv"), "split": "by_image"}
    data = prepare(data_options().validate_python(source), "label", 4, 48)
    assert len(data.table.frame) == 400
    assert len(data.classes) == 40
    assert len(data.splits.holdout) == 80
    assert {len(fold) for fold in data.splits.folds} == {80}
    assert all((np.bincount(part["target"], minlength=40) == 2).all() for _, part in data.samples().groupby("fold"))
    data.samples().to_csv(tmp_path / "samples.csv", index=False)
    (tmp_path / "data.json").write_text(pd.Series(data.facts()).to_json())
    shared_fold_data.cache_clear()
    config = TrainConfig(
        image_size=48, epochs=3, batch_size=16, learning_rate=5e-3, augmentation="light", warmup_epochs=0.2
    )
    climber = Climber(tmp_path, ClimbOrder(0, 0, 3, 1, config.model_dump()), Resources())
    scores = [climber.step()["score"] for _ in range(3)]
    assert scores[-1] > 0.2, "40 people; guessing scores 0.025"
