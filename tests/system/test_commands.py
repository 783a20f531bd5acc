"""The three commands as a user runs them: real processes, a real Ray, real kills."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.crash import trial_processes
from studies.events import ClimbEnded, ClimbStarted, EpochScored, TrialAdded, TrialFailed, parse_event
from studies.manifest import read_manifest
from studies.record import read_record
from studies.study_state import StudyState
from tests.toys.commands import ROOT, SPACE, run, search, start
from voting.bundle.manifest import open_bundle
from voting.bundle.model_card import CARD
from voting.rules.joint import JOINT

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "toy.yaml").write_text(SPACE)
    return tmp_path


def state(place: Path, study: str = "toy") -> StudyState:
    return StudyState(read_record(place / f"results/{study}/record.jsonl"))


def wait_for_epochs(place: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until the record holds so many fold-epochs."""
    record = place / "results/toy/record.jsonl"
    deadline = time.monotonic() + 120
    while not record.exists() or sum(isinstance(event, EpochScored) for event in read_record(record)) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def check_nothing_lost_or_doubled(place: Path, before: list[object]) -> None:
    """Check the record against itself, against the folders and against what it said before the kill."""
    events = list(read_record(place / "results/toy/record.jsonl"))
    assert events[: len(before)] == before, "the record was rewritten"
    trials = [event.trial for event in events if isinstance(event, TrialAdded)]
    assert trials == list(range(5))
    for trial in state(place).trials.values():
        places = [(epoch.fold, epoch.epoch) for epoch in trial.epochs]
        assert places == [divmod(number, 3) for number in range(trial.fold_epochs)]
        manifest = read_manifest(place / "results/toy", trial.number)
        assert manifest is not None
        assert [line.score for line in manifest.curve] == [epoch.score for epoch in trial.epochs]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_three_tasks_are_searched_packaged_and_voted_on(place: Path) -> None:
    assert "holds no study; run launch_search.py first" in run(place, "export_best.py", code=2)
    for task in ("mask", "gender", "age"):
        out = search(place, "--study", task, "--set", f"task={task}", "--trials", "2")
        for words in ("Leaderboard", "Ray dashboard: http://127.0.0.1:", "saved", "Next: python export_best.py"):
            assert words in out
    exported = run(place, "export_best.py", "--size", "2", "--archive")
    check_promises(place / "ensembles/age-gender-mask", exported)
    assert "Verified in a fresh process: all members vote as recorded" in exported
    for words in (
        "best single trial",
        "ensemble",
        "default recipe",
        "mask x gender x age",
        "ensembles/age-gender-mask",
    ):
        assert words in exported
    names = lay_out_eval(place)
    out = run(place, "predict.py", "--images", "eval", "--labels", "eval/images")
    by_archive = run(place, "predict.py", "--bundle", "ensembles/age-gender-mask.tar", "--images", "eval")
    assert "submission -> submission.csv" in by_archive
    assert "submission -> submission.csv" in out
    assert "mask x gender x age: macro F1" in out
    with open(place / "submission.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ImageID"] for row in rows] == names
    assert all(0 <= int(row["ans"]) < 18 for row in rows)
    for weights in place.glob("results/age/trials/*/fold_1/weights.safetensors"):
        weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    assert "is missing or was changed" in run(place, "export_best.py", "--study", "age", code=2)
    assert sorted(path.name for path in (place / "ensembles").iterdir()) == ["age-gender-mask", "age-gender-mask.tar"]


def check_promises(bundle: Path, exported: str) -> None:
    """Check that a promise of every task and of the joint classes is printed first, and stands in manifest and card."""
    manifest, card = open_bundle(bundle), (bundle / CARD).read_text(encoding="utf-8")
    promises = {task.task: task.promise for task in manifest.tasks}
    assert manifest.joint is not None
    lines = iter(exported.splitlines())
    for name, promise in [*promises.items(), (JOINT, manifest.joint.promise)]:
        assert promise is not None
        assert 0 <= promise.low <= promise.score <= promise.high <= 1
        said = f"{promise.score:.3f} on new persons; 90% interval {promise.low:.3f} to {promise.high:.3f}"
        assert next(lines) == f"{name}: macro F1 {said}"
        assert f"{promise.score:.3f} | {promise.low:.3f} to {promise.high:.3f} (90%)" in card
    assert "there is no holdout" not in exported


def lay_out_eval(place: Path) -> list[str]:
    """Lay the drawn faces out as the competition's eval folder and return the listed images."""
    faces = next(Path(os.environ["FOLDRACE_CACHE"]).glob("sample_faces-*-20-*")) / "train/images"
    (place / "eval").mkdir()
    (place / "eval/images").symlink_to(faces)
    names = [path.relative_to(faces).as_posix() for path in sorted(faces.rglob("*.jpg"))][:21]
    (place / "eval/info.csv").write_text("ImageID,ans\n" + "".join(f"{name},0\n" for name in names))
    return names


def test_a_second_launch_is_refused_while_the_first_holds_the_lock_and_an_export_says_what_is_missing(
    place: Path, processes: list[subprocess.Popen[str]]
) -> None:
    driver = start(place, "launch_search.py", "--space", "toy.yaml")
    processes.append(driver)
    wait_for_epochs(place, 1, driver)
    driver.send_signal(signal.SIGSTOP)
    assert f"another launch (process {driver.pid})" in search(place, code=2)
    driver.kill()
    driver.wait()
    assert "no trial has trained all 2 folds yet" in run(place, "export_best.py", code=2)


def test_trials_that_diverge_fail_with_their_reason_and_the_study_goes_on_with_all_slots(place: Path) -> None:
    # A learning rate of 10 with a weight decay of 1 multiplies the weights by -9 at every step.
    changes = (
        "learning_rate={choice: [10.0, 9.0, 8.0]}",
        "weight_decay={choice: [1.0]}",
        "optimizer=sgd",
        "search.grace_period=2",
    )
    constants = ("schedule=constant", "clip_gradient=1e30", "batch_size=2")
    sets = [*changes, *(f"constants.{constant}" for constant in constants)]
    out = search(place, "--trials", "4", *(word for change in sets for word in ("--set", change)))
    trials = state(place).trials
    assert [trial.failure for trial in trials.values()] == [None, "not_finite", "not_finite", "not_finite"]
    assert "trial 2 failed (not_finite)" in out
    assert "Next: python export_best.py" in out
    climbing, most = 0, 0
    for event in read_record(place / "results/toy/record.jsonl"):
        climbing += isinstance(event, ClimbStarted) - isinstance(event, ClimbEnded | TrialFailed)
        most = max(most, climbing)
    assert most == os.cpu_count()


def test_a_signal_ends_running_epochs_and_says_how_to_go_on(
    place: Path, processes: list[subprocess.Popen[str]]
) -> None:
    for number, epochs in ((signal.SIGINT, 2), (signal.SIGTERM, 6)):
        driver = start(place, "launch_search.py", "--space", "toy.yaml")
        processes.append(driver)
        wait_for_epochs(place, epochs, driver)
        driver.send_signal(number)
        out, _ = driver.communicate(timeout=60)
        assert driver.returncode == 130, out
        assert "Stopped. To continue: python " in out
        assert not state(place).climbing()
        before = list(read_record(place / "results/toy/record.jsonl"))
    search(place)
    check_nothing_lost_or_doubled(place, list(before))


def test_sigterm_cuts_an_epoch_short_that_takes_longer_than_its_sender_waits(
    place: Path, processes: list[subprocess.Popen[str]]
) -> None:
    driver = start(place, "launch_search.py", "--space", "toy.yaml")
    processes.append(driver)
    wait_for_epochs(place, 2, driver)
    trials = trial_processes(driver.pid)
    for trial in trials:
        os.kill(trial, signal.SIGSTOP)  # an epoch that never ends
    driver.send_signal(signal.SIGTERM)
    started = time.monotonic()
    out, _ = driver.communicate(timeout=60)
    for trial in trials:
        with suppress(ProcessLookupError):
            os.kill(trial, signal.SIGKILL)
    assert time.monotonic() - started < 20
    assert driver.returncode == 130, out
    assert "Cut short" in out
    assert "To continue: python " in out
    before = list(read_record(place / "results/toy/record.jsonl"))
    search(place)
    check_nothing_lost_or_doubled(place, list(before))


def test_folds_in_lockstep_with_budgets_a_queue_and_another_sampler_run_under_ray(place: Path) -> None:
    (place / "own.yaml").write_text("- {learning_rate: 2e-3, optimizer: sgd}\n")
    lockstep = ("--set", "search.scheduler=lockstep", "--set", "search.sampler=qmc")
    out = search(place, *lockstep, "--fold-epochs", "14", "--disk-budget", "20KB", "--enqueue", "own.yaml")
    assert "the budget of 14 fold-epochs is spent" in out
    study = state(place)
    assert study.fold_epochs == 14
    assert [trial.origin for trial in study.trials.values()][:2] == ["recipe", "enqueued"]
    assert [(epoch.fold, epoch.epoch) for epoch in study.trials[0].epochs[:4]] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    refused = search(place, "--set", "search.scheduler=fold_ladder", code=2)
    assert "fold order: 'lockstep' -> 'sequential'" in refused
    more = search(place, *lockstep, "--fold-epochs", "40", "--enqueue", "own.yaml")
    assert "trials 5/5" in more
    assert len([trial for trial in state(place).trials.values() if trial.origin == "enqueued"]) == 1
    other = ("--set", "learning_rate.low=1e-3", "--set", "metric=log_loss")
    warm = search(place, "--study", "warm", "--trials", "4", "--warm-start", "toy", *other)
    assert "log loss ± spread over folds" in warm
    assert "Warm start, toy (mask): 1 configuration comes before the sampler's" in warm
    assert state(place, "warm").trials[1].origin == "toy"
    check = [sys.executable, "-m", "analysis.check", str(place / "results/toy")]
    assert "0 wrong" in subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_larger_number_of_trials_extends_and_another_space_is_refused_with_the_difference(place: Path) -> None:
    search(place, "--trials", "2")
    before = len(list(read_record(place / "results/toy/record.jsonl")))
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "toy.yaml", "--trials", "4", "--json"]
    extended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    assert len(state(place).trials) == 4
    assert "4/4" in extended.stderr
    printed = [parse_event.validate_json(line) for line in extended.stdout.splitlines()]
    assert printed == list(read_record(place / "results/toy/record.jsonl"))[before:], "a line an event, nothing else"
    epochs = len(list(read_record(place / "results/toy/record.jsonl")))
    refused = search(place, "--set", "learning_rate.high=5e-3", "--set", "data.split_seed=1", code=2)
    assert "parameters.learning_rate.high: 0.01 -> 0.005" in refused
    assert "data.split_seed: 0 -> 1" in refused
    assert "--study NAME" in refused
    assert len(list(read_record(place / "results/toy/record.jsonl"))) == epochs


def test_a_serial_search_with_a_seed_is_the_same_study_again(place: Path) -> None:
    for study in ("one", "two"):
        search(place, "--study", study, "--seed", "3", "--trials", "3", "--cpus-per-trial", str(os.cpu_count()))

    def decisions(study: str) -> list[object]:
        events = read_record(place / f"results/{study}/record.jsonl")
        decided = (TrialAdded, ClimbStarted, EpochScored)
        return [
            event.model_dump(exclude={"time", "seconds", "phases", "images_per_second"})
            for event in events
            if isinstance(event, decided)
        ]

    assert decisions("one") == decisions("two")


def test_a_dry_run_tells_everything_and_starts_nothing(place: Path) -> None:
    out = search(place, "--dry-run")
    for words in ("learning_rate", "Ten configurations", "fold 2", "holdout", "wear", "fold-epochs for 5 trials"):
        assert words in out
    assert not (place / "results").exists()
