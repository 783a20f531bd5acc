"""What a sampler sees of conditional parameters: as many dimensions as there are parameters, always; and draws by weight."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.samplers import BaseSampler, GPSampler, TPESampler

from schedulers.samplers.ask import Asker
from schedulers.samplers.dimensions import all_coordinates
from schedulers.samplers.failed_neighbours import likely_to_fail
from schedulers.samplers.optuna_journal import OptunaJournal
from schedulers.samplers.transfer.encoding import encoded
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import SearchSpace, load_space
from search_spaces.drawing import drawn
from studies.record.events import TrialAdded, TrialFailed
from studies.state.study_state import StudyState
from tests.toys.conditional import CONDITIONAL
from tests.toys.search import EPOCHS, climb_of
from trainables.config import TrainConfig

SPACE = f"{CONDITIONAL}constants: {{epochs: 9}}\nsearch: {{folds: 3}}\n"
LADDER = FoldLadder(epochs=EPOCHS, folds=3)


@pytest.fixture
def space(tmp_path: Path) -> SearchSpace:
    (tmp_path / "own.yaml").write_text(SPACE)
    return load_space(str(tmp_path / "own.yaml"), knobs=TrainConfig)


def sampled_by(space: SearchSpace, sampler: str) -> SearchSpace:
    return space.model_copy(update={"search": space.search.model_copy(update={"sampler": sampler})})


def study_of(space: SearchSpace, trials: int) -> StudyState:
    """Return a study of configurations drawn by chance, all trained on the first fold."""
    study, generator = StudyState(), np.random.default_rng(0)
    for trial in range(trials):
        values = space.complete(drawn(space, generator))
        study.apply(TrialAdded(time=0, trial=trial, configuration=values, origin="random"))
        for event in climb_of(trial, 0, [float(generator.random())] * EPOCHS):
            study.apply(event)
    return study


@pytest.mark.parametrize(("sampler", "kind"), [("gp", GPSampler), ("tpe", TPESampler)])
def test_after_the_start_up_nothing_is_drawn_by_chance_alone(
    sampler: str, kind: type[BaseSampler], space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[str] = []

    def counted(self: BaseSampler, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        alone.append(name)
        return before(self, study, trial, name, distribution)

    before = kind.sample_independent
    monkeypatch.setattr(kind, "sample_independent", counted)
    asker, study = Asker(sampled_by(space, sampler), LADDER), study_of(space, 14)
    proposed = [asker.propose(study, 14, retry=retry if sampler == "tpe" else 0).configuration for retry in range(4)]
    assert not alone
    assert all(space.contains(one) for one in proposed)
    assert asker.propose(study_of(space, 2), 2)
    assert alone, "while there are few trials it is by chance"


def test_every_trial_has_every_dimension_in_the_same_distribution(space: SearchSpace) -> None:
    generator = np.random.default_rng(0)
    seen = [all_coordinates(space, space.complete(drawn(space, generator))) for _ in range(40)]
    for name in space.parameters:
        assert len({repr(one[name].distribution) for one in seen}) == 1, name
        assert all(
            one[name].distribution._contains(one[name].distribution.to_internal_repr(one[name].value)) for one in seen
        )


def test_a_learning_rate_is_seen_by_its_place_in_the_range_of_its_optimizer(space: SearchSpace) -> None:
    for optimizer, lowest, highest in (("adamw", 5e-4, 8e-3), ("sgd", 1e-2, 3e-1)):
        for rate, place in ((lowest, 0.0), (np.sqrt(lowest * highest), 0.5), (highest, 1.0)):
            seen = all_coordinates(space, space.complete({"optimizer": optimizer, "learning_rate": float(rate)}))
            assert seen["learning_rate"].value == pytest.approx(place)


@pytest.mark.parametrize("sampler", ["random", "gp", "tpe", "cmaes", "qmc", "transfer_gp"])
def test_choices_are_drawn_by_weight_before_a_sampler_has_learned(sampler: str, space: SearchSpace) -> None:
    asker = Asker(sampled_by(space, sampler), LADDER)
    optimizers = [asker.propose(StudyState(), 1 + number).configuration["optimizer"] for number in range(160)]
    shares = {name: count / len(optimizers) for name, count in Counter(optimizers).items()}
    assert shares["adamw"] == pytest.approx(0.6, abs=0.1)
    assert shares["sgd"] == pytest.approx(0.2, abs=0.08)


@pytest.mark.parametrize("sampler", ["random", "gp", "tpe", "cmaes", "qmc", "transfer_gp"])
def test_every_sampler_stays_in_the_ranges_of_the_optimizer_that_it_draws(sampler: str, space: SearchSpace) -> None:
    asker, study = Asker(sampled_by(space, sampler), LADDER), study_of(space, 12)
    proposed = [asker.propose(study, 12 + number).configuration for number in range(12)]
    assert all(space.contains(one) for one in proposed)


def test_a_grid_takes_every_point_of_the_range_that_is_active(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "{task: mask, data: {source: sample_faces}, search: {sampler: grid, finalists: 1}, parameters: {optimizer: {choice:"
        " [adamw, sgd]}, learning_rate: [{low: 0.001, high: 0.002, step: 0.001, when: {optimizer: adamw}}, {low: 0.1, high: 0.3,"
        " step: 0.1, when: {optimizer: sgd}}]}}"
    )
    space = load_space(str(tmp_path / "own.yaml"), knobs=TrainConfig)
    study, asker = StudyState(), Asker(space, LADDER)
    for number in range(5):
        one = asker.propose(study, number).configuration
        study.apply(TrialAdded(time=0, trial=number, configuration=one, origin="grid"))
        for event in climb_of(number, 0, [0.5] * EPOCHS):
            study.apply(event)
    tried = {
        (one.configuration["optimizer"], round(one.configuration["learning_rate"], 6)) for one in study.trials.values()
    }
    assert tried == {("adamw", 0.001), ("adamw", 0.002), ("sgd", 0.1), ("sgd", 0.2), ("sgd", 0.3)}


def test_likeness_compares_learning_rates_of_one_range_only(space: SearchSpace) -> None:
    study = study_of(space, 0)
    for number in range(6):
        optimizer, rate = ("sgd", 0.25) if number % 2 else ("adamw", 1e-3)
        values = space.complete(
            {"optimizer": optimizer, "learning_rate": rate, "momentum": 0.9, "loss": "cross_entropy"}
        )
        study.apply(TrialAdded(time=0, trial=number, configuration=values, origin="random"))
        if optimizer == "sgd":
            study.apply(TrialFailed(time=0, trial=number, fold=0, failure="not_finite", reason=""))
        else:
            for event in climb_of(number, 0, [0.5]):
                study.apply(event)
    trials = list(study.trials.values())
    assert likely_to_fail(space, space.complete({"optimizer": "sgd", "learning_rate": 0.2}), trials)
    assert not likely_to_fail(space, space.complete({"optimizer": "adamw", "learning_rate": 2e-3}), trials)


def test_the_mirror_for_optuna_dashboard_takes_trials_of_different_ranges(space: SearchSpace, tmp_path: Path) -> None:
    study = study_of(space, 8)
    journal = OptunaJournal(tmp_path / "optuna.journal", space, LADDER.rungs, study)
    journal.close()
    assert journal._study is not None, "it did not give up"
    shown = {trial.number: trial.params for trial in journal._study.get_trials()}
    for number, trial in study.trials.items():
        assert shown[number] == space.active(trial.configuration)


def test_vectors_hold_places_in_the_active_range(space: SearchSpace) -> None:
    middle = {"optimizer": "sgd", "learning_rate": float(np.sqrt(1e-2 * 3e-1)), "momentum": 0.98}
    one, other = encoded(space, [middle, {"optimizer": "adamw", "learning_rate": 2e-3}])
    column = 3  # after the three optimizers
    assert one[column] == pytest.approx(0.5)
    assert other[column] == pytest.approx(0.5)
    assert one[column + 1] == pytest.approx(1.0)
    assert other[column + 1] == 0.5, "momentum has no part"
