"""A mistake in what is typed is one clear error, before anything is prepared or trained."""

import sys
from pathlib import Path

import pytest

import launch_search
from tests.toys.commands import SPACE


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "toy.yaml").write_text(SPACE)
    (tmp_path / "other.yaml").write_text(SPACE.replace("task: mask", "task: age"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--trials", "0"], "search.trials: Input should be greater than or equal to 1"),
        (["--time-budget", "soon"], "search.time_budget: is no duration"),
        pytest.param(
            ["--set", "constants.backbone=tf_efficientnet_lite9"],
            "timm has no model 'tf_efficientnet_lite9'; near it are",
            marks=pytest.mark.slow,
        ),
        (["--set", "task=hat"], "the data has no task 'hat'; it has: mask, gender, age"),
        pytest.param(
            ["--set", "optimizer.choice=[adamw, sdg]"],
            "timm has no optimizer 'sdg'; near it are: sgd",
            marks=pytest.mark.slow,
        ),
        (["--set", "search.trials=true"], "search.trials: cannot be true; write its value"),
        (["--set", "constants.epochs=true"], "constants.epochs: must be a number (got true); write one"),
        (["--set", "learning_rate.low=false"], "learning_rate.low: must be a number"),
        (["--set", "learning_rate={low: 1e-3, low: 1e-4, high: 1e-2}"], "is no YAML value"),
        (["--study", "../elsewhere"], "must be a plain folder name"),
        (["--data", "nowhere"], "--data nowhere: no such file or folder"),
        (["--profile", "tpu"], "there is no profile 'tpu'"),
        (["--trials-per-gpu", "2"], "--trials-per-gpu needs a GPU"),
        (["--trials-per-gpu", "nan"], "must be a whole number, 1 or more, or auto (got nan)"),
        (["--trials-per-gpu", "0.5"], "must be a whole number, 1 or more, or auto (got 0.5)"),
        (["--set", "search.folds=18"], "fewer than 18 folds"),
        (["--fold-epochs", "0"], "search.fold_epochs: Input should be greater than or equal to 1"),
        (["--fold-epochs", "11"], "search.fold_epochs is 11 but the recipe and one finalist on all folds take 12"),
        (["--target-score", "80"], "search.target_score: a macro F1 lies between 0 and 1 (got 80)"),
        (["--set", "metric=[macro_f1]"], "metric: there is no metric ['macro_f1']; did you mean macro_f1? Valid"),
        (["--set", "metric=f1"], "metric: there is no metric 'f1'; Valid: macro_f1, accuracy"),
        (["--disk-budget", "much"], "search.disk_budget: is no size; write it like 500MB"),
        (["--trials", "2", "--set", "search.finalists=3"], "search.finalists is 3 but search.trials only 2"),
        (
            ["--set", "search.reduction_factor=3"],
            "search.reduction_factor: the strategy fold_ladder has no such setting",
        ),
        (["--set", "search.grace_period=4"], "search.grace_period is 4 but constants.epochs only 3"),
        (
            ["--set", "search.scheduler=hyperband"],
            "search.scheduler: there is no strategy 'hyperband'; Valid: fold_ladder",
        ),
        (
            ["--set", "search.sampler_options={startup: 3}"],
            "search.sampler_options.startup: gp has no such option",
        ),
        (["--warm-start", "nowhere"], "--warm-start nowhere:"),
        (
            ["--set", "head=regression"],
            "head: regression needs a number behind the label, and mask has none; say data.bins",
        ),
        (["--set", "head=ordinal"], "head: ordinal needs an order of the classes, and mask has none; say data.ordered"),
        (["--set", "batch_size=4000"], "batch_size: 4000 is larger than the 56 images that a fold trains on; lower it"),
        (["--set", "accumulation=5"], "accumulation: 5 batches make a step, but an epoch may have only 4; lower it"),
        (
            ["--set", "warmup_epochs=9"],
            "warmup_epochs: 9 is more than the 3 epochs: the rate would never be reached; lower",
        ),
        (["--set", "frozen_share=0.5", "--set", "frozen_epochs=4"], "frozen_epochs: 4 is more than the 3 epochs"),
        (["--set", "kept_weights=swa", "--set", "swa_epochs=4"], "swa_epochs: 4 is more than the 3 epochs"),
        (
            ["--set", "cutmix_probability=0.5", "--set", "unmixed_epochs=3"],
            "unmixed_epochs: no epoch of 3 would be left to mix in; lower it",
        ),
        (
            [
                *("--set", "cutmix_probability=0.5", "--set", "cutmix_shape=vertical_half"),
                *("--set", "cutmix_lambda=fixed", "--set", "cutmix_kept=0.99"),
            ],
            "cutmix_kept: leaves no column of 32 to cut out when it keeps 0.99; lower it",
        ),
        (["--set", "unmixed_epochs=1"], "unmixed_epochs: does nothing here: it needs cutmix_probability or mixup_"),
        (
            ["--set", "cutmix_probability=1.0", "--set", "mixup_probability=0.5"],
            "mixup_probability: does nothing here: it needs cutmix_probability below 1",
        ),
        (
            ["--set", "optimizer=lion", "--set", "momentum=0.5"],
            "momentum: does nothing here: it needs optimizer sgd, rmsprop, lars, muon and their kin, and optimizer is lion",
        ),
        (["--set", "frozen_share=1.5"], "constants.frozen_share: Input should be less than or equal to 1"),
        (["--set", "weights=nowhere.pth"], "constants.weights: there is no file"),
        (["--set", "constants.pretrained=false"], "constants.pretrained: is called weights by now"),
        (["--set", "plugins=[nowhere]"], "plugin nowhere: there is no nowhere.py in"),
        (["--enqueue", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--space", "toy.yaml"], "--space: toy: two spaces have this name"),
        (["--space", "other.yaml", "--study", "both"], "--study: both: say of which space it is the study"),
        (
            ["--space", "other.yaml", "--set", "other:data.split_seed=1"],
            "toy and other: data: other persons are in their folds and holdouts, so they cannot vote together; give both",
        ),
    ],
)
def test_bad_input_is_one_error_before_anything_is_trained(
    arguments: list[str],
    complaint: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["launch_search.py", "--space", "toy.yaml", *arguments])
    monkeypatch.chdir(place)
    try:
        code = launch_search.main()
    except SystemExit as refused:  # argparse's own
        code = int(str(refused.code))
    out = capsys.readouterr()
    assert code == 2
    assert complaint in out.out + out.err
    assert not (place / "results/toy/trials").exists()
