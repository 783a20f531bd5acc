"""What Optuna is shown: a projection in which nothing looks deeper than it has earned (facts 1 to 10)."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from schedulers.samplers.ask import ask
from schedulers.samplers.projection import SHOWN, by_depth, by_depth_of_active, by_rank
from schedulers.samplers.registry import STARTUP
from schedulers.samplers.warm_up import WarmUp
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import Choice, Range, SearchSpace
from studies.record.events import TrialAdded, TrialFailed
from studies.state.study_state import StudyState
from tests.toys import ROOT
from tests.toys.search import ToyDriver, study_of, toy_space

LADDER = FoldLadder(epochs=9, folds=5, finalists=2)
SPACE = toy_space()


def shown(study: StudyState, space: SearchSpace = SPACE) -> list[optuna.trial.FrozenTrial]:
    for trial in study.trials.values():
        trial.configuration = trial.configuration or {"epochs": 9, "learning_rate": 0.1 * trial.number}
    return by_depth(space, study, LADDER)


def test_a_trial_that_rests_is_pruned_at_its_rung_with_its_value_there() -> None:
    frozen = shown(study_of({1: [0.5, 0.6, 0.7], 2: [0.4], 3: [0.3]}))
    assert [trial.state for trial in frozen] == [TrialState.PRUNED] * 3
    assert frozen[0].intermediate_values == {3: 0.7}
    assert frozen[1].intermediate_values == {1: 0.4}


def test_a_finalist_with_all_folds_is_complete_and_no_early_value_is() -> None:
    frozen = shown(study_of({1: [0.9] * 45, 2: [0.4], 3: [0.3]}))
    assert [trial.state for trial in frozen] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.PRUNED]


def test_the_recipe_at_the_top_with_the_worst_score_is_not_complete() -> None:
    frozen = shown(study_of({0: [0.1] * 45, 1: [0.5], 2: [0.4], 3: [0.3]}, {0: "recipe"}))
    assert frozen[0].state == TrialState.PRUNED
    assert frozen[0].intermediate_values == {1: 0.1}


def test_an_unstarted_trial_is_running_and_a_failed_one_violates_a_constraint() -> None:
    study = study_of({1: [0.5]})
    study.apply(TrialAdded(time=0, trial=2, configuration={}, origin="tpe"))
    study.apply(TrialAdded(time=0, trial=3, configuration={}, origin="tpe"))
    study.apply(TrialFailed(time=0, trial=3, failure="not_finite", reason=""))
    frozen = shown(study)
    assert frozen[1].state == TrialState.RUNNING
    assert frozen[2].constraints == {"failed": 1.0}


def test_a_crash_leaves_no_running_row_that_pushes_the_sampler_away_for_ever(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start()
    for _ in range(5):
        driver.tick()
    driver.record.close()
    resumed = ToyDriver(tmp_path / "record.jsonl", toy_space()).start().finish()
    states = {trial.state for trial in by_depth(SPACE, resumed.run.state, resumed.run.strategy)}
    assert TrialState.RUNNING not in states


def test_a_configuration_outside_the_space_is_not_shown_to_the_sampler() -> None:
    study = study_of({1: [0.5], 2: [0.4]})
    study.trials[1].configuration = {"epochs": 9, "learning_rate": 7.0}
    assert len(shown(study)) == 1


def test_the_same_seed_and_number_ask_for_the_same_and_others_for_others() -> None:
    space = toy_space(sampler="tpe")
    study = study_of({number: [0.1 * number] for number in range(1, 12)})
    shown(study, space)
    asked = {
        (seed, number): ask(toy_space(sampler="tpe", seed=seed), study, LADDER, number)["learning_rate"]
        for seed in (0, 1)
        for number in (12, 13)
    }
    assert asked[0, 12] == ask(space, study, LADDER, 12)["learning_rate"]
    assert len(set(asked.values())) == 4


def test_where_a_parameter_has_no_part_a_sampler_is_shown_its_usual_value_and_a_grid_nothing() -> None:
    momentum = Range(low=0.8, high=0.99, when={"optimizer": "sgd"})
    space = toy_space().model_copy(
        update={"parameters": {"optimizer": Choice(choice=("sgd", "adamw")), "momentum": momentum}}
    )
    study = study_of({1: [0.5], 2: [0.4]})
    study.trials[1].configuration = {"optimizer": "sgd", "momentum": 0.85, "epochs": 9}
    study.trials[2].configuration = {"optimizer": "adamw", "momentum": 0.9, "epochs": 9}
    frozen = shown(study, space)
    assert frozen[0].params == {"optimizer": "sgd", "momentum": 0.85}
    assert frozen[1].params == {"optimizer": "adamw", "momentum": momentum.usual}
    assert by_depth_of_active(space, study, LADDER)[1].params == {"optimizer": "adamw"}


def test_tpe_is_shown_all_of_a_thousand_trials_and_asks_where_the_best_are() -> None:
    study = study_of({number: [0.001 * number] for number in range(1, 1001)})
    for trial in study.trials.values():
        trial.configuration = {"epochs": 9, "learning_rate": 0.001 * trial.number}
    assert len(by_depth(toy_space(sampler="tpe"), study, LADDER)) == 1000
    asked = [ask(toy_space(sampler="tpe"), study, LADDER, 1001 + number)["learning_rate"] for number in range(5)]
    assert min(asked) > 0.8


def test_a_gaussian_process_is_shown_the_best_and_the_newest_of_a_large_study() -> None:
    study = study_of({number: [1 - 0.001 * number] for number in range(1000)})
    for trial in study.trials.values():
        trial.configuration = {"epochs": 9, "learning_rate": 0.001 * trial.number}
    shown = by_rank(toy_space(sampler="gp"), study, LADDER)
    rates = sorted(round(1000 * trial.params["learning_rate"]) for trial in shown)
    assert rates == [*range(SHOWN), *range(1000 - SHOWN, 1000)]
    assert max(trial.value for trial in shown) == 1


def test_asking_prints_nothing() -> None:
    script = "from tests.schedulers.test_sampler import *; ask(toy_space(sampler='tpe'), study_of({}), LADDER, 1)"
    command, root = [sys.executable, "-c", script], ROOT
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "Warning" not in done.stderr


def test_a_gaussian_process_is_warmed_up_once_and_only_where_it_will_be_asked() -> None:
    def threads_begun(**search: Any) -> int:
        warm_up = WarmUp(toy_space(**search))
        before = set(threading.enumerate())
        for event in study_of({0: [0.5, 0.6]}).trials[0].epochs:
            warm_up.take(event)
        begun = set(threading.enumerate()) - before
        for thread in begun:
            thread.join()
        return len(begun)

    assert threads_begun(sampler="gp") == 1
    assert threads_begun(sampler="gp", trials=STARTUP) == 0
    assert threads_begun(sampler="tpe") == 0
