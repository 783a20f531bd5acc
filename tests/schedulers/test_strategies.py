"""One contract for every strategy, on tables of scores, with asynchronous workers."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from benchmarks.curves import CurveTable, Replayed, read_table
from benchmarks.replay import chosen, ladders, random_orders, replay
from schedulers.next_work import next_work
from schedulers.race import leaves_race
from schedulers.search_settings import make_strategy
from schedulers.spending.budget import Budget
from schedulers.spending.forecast import seconds_left
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES, settings_of
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategy import Climb, NewTrial, Outlook, Strategy
from search_spaces import SpaceError
from studies.record.events import ClimbStarted, Event, Launched, TrialAdded
from studies.state.ranking import competitors, ranked_at
from studies.state.study_state import StudyState
from tests.toys import ROOT
from tests.toys.search import climb_of, toy_space

TABLES = ROOT / "benchmarks/tables"
every_strategy = pytest.mark.parametrize("name", STRATEGIES)
JUDGES_BY_ARRIVAL = ("stopping_asha",)  # Ray's rule compares with those that were there before
SHARES_GROW = ("asha",)  # the best third of more is more: who had no place may have one later
some = settings(max_examples=20, deadline=None)


@st.composite
def searches(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a table whose curves never cross, the shape of a ladder, and a number of workers."""
    epochs, folds, trials = draw(st.integers(1, 9)), draw(st.integers(2, 4)), draw(st.integers(1, 20))
    levels = draw(st.lists(st.integers(1, 9), min_size=trials, max_size=trials))
    offsets = draw(st.lists(st.floats(-0.05, 0.05), min_size=folds, max_size=folds))
    growth = np.linspace(0.5, 1, epochs)
    scores = np.array(
        [[[0.1 + 0.08 * level * grown + offset for grown in growth] for offset in offsets] for level in levels]
    )
    seconds = np.array(draw(st.lists(st.floats(0.5, 3), min_size=trials, max_size=trials)))
    return {
        "table": CurveTable("drawn", tuple({} for _ in levels), scores, seconds),
        "shape": {
            "epochs": epochs,
            "folds": folds,
            "grace_period": draw(st.integers(1, epochs)),
            "reduction_factor": draw(st.integers(2, 4)),
            "looks": draw(st.integers(1, 4)),
            "finalists": draw(st.integers(1, min(3, trials))),
        },
        "workers": draw(st.integers(1, 5)),
    }


def shaped(name: str, search: dict[str, Any]) -> Strategy:
    """Return a strategy with those of the drawn settings that it has."""
    strategy, shape = STRATEGIES[name], search["shape"]
    return strategy(**{key: shape[key] for key in shape if key in ("epochs", "folds", *settings_of(strategy))})


def run(name: str, search: dict[str, Any], order: np.ndarray | None = None) -> tuple[StudyState, Strategy]:
    table, ladder = search["table"], shaped(name, search)
    order = np.arange(len(table.scores)) if order is None else order
    return Simulation(ladder, Budget(len(order)), search["workers"], Replayed(table, order)).run(), ladder


@every_strategy
@some
@given(search=searches())
def test_it_ends_costs_at_most_full_and_finds_the_best_of_curves_that_do_not_cross(
    name: str, search: dict[str, Any]
) -> None:
    study, ladder = run(name, search)
    table = search["table"]
    assert len(study.trials) == len(table.scores)
    assert study.fold_epochs <= len(table.scores) * ladder.rungs.whole
    assert table.final[chosen(study, ladder)] == pytest.approx(table.final.max())
    best = next(trial for trial in ranked_at(study.trials.values(), ladder.rungs.top))
    assert best.fold_epochs == ladder.rungs.whole, "the chosen one is trained on all folds"


@every_strategy
@some
@given(search=searches(), seed=st.integers(0, 99))
def test_the_order_of_equal_scores_does_not_matter(name: str, search: dict[str, Any], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(search["table"].scores))
    study, ladder = run(name, search, order)
    assert search["table"].final[chosen(study, ladder)] == pytest.approx(search["table"].final.max())


@every_strategy
@some
@given(search=searches())
def test_no_slot_idles_while_a_trial_may_begin_or_one_rests_that_goes_on_later(
    name: str, search: dict[str, Any]
) -> None:
    ladder, table = shaped(name, search), search["table"]
    trials = len(table.scores)
    idle: list[dict[int, int]] = []

    def watch(study: StudyState, now: float) -> None:
        if study.climbs() < search["workers"]:
            assert len(study.trials) == trials, "a new trial could have begun"
            idle.append({trial.number: trial.fold_epochs for trial in study.trials.values() if not trial.climbing})

    study = Simulation(ladder, Budget(trials), search["workers"], Replayed(table, np.arange(trials)), watch=watch).run()
    for resting in idle if name not in SHARES_GROW else ():
        assert all(study.trials[number].fold_epochs == rested for number, rested in resting.items())


@every_strategy
@some
@given(search=searches(), more=st.floats(1, 4))
def test_the_recipe_always_goes_to_the_top_within_a_budget_of_fold_epochs(
    name: str, search: dict[str, Any], more: float
) -> None:
    ladder, table = shaped(name, search), search["table"]
    trials = len(table.scores)
    budget = Budget(trials, fold_epochs=int(more * ladder.rungs.whole))
    worst_first = np.argsort(table.final, kind="stable")
    study = Simulation(ladder, budget, search["workers"], Replayed(table, worst_first, recipe=True)).run()
    assert study.trials[0].fold_epochs == ladder.rungs.whole
    assert study.fold_epochs <= int(more * ladder.rungs.whole)


@pytest.mark.parametrize("shape", [{"epochs": 1}, {"epochs": 3, "grace_period": 3}])
@pytest.mark.parametrize("name", ["fold_ladder", "survey"])
def test_the_finals_do_not_begin_before_all_have_been_compared_where_the_first_fold_has_no_inner_rung(
    name: str, shape: dict[str, int]
) -> None:
    ladder = STRATEGIES[name](folds=3, finalists=1, **shape)
    study = first_folds(ladder, [0.5, 0.6])
    study.apply(TrialAdded(time=0, trial=2, configuration={}, origin="tpe"))
    study.apply(ClimbStarted(time=0, trial=2, fold=0, epoch=ladder.epochs, attempt=9))
    outlook = Outlook(contenders=3, open=False, may_promote_early=False)
    assert ladder.choose(study, outlook) is None, "the third may be better than the second"
    for event in climb_of(2, 0, [0.7] * ladder.epochs):
        study.apply(event)
    assert ladder.choose(study, outlook) == Climb(2, 1, ladder.epochs)


def first_folds(ladder: Strategy, scores: list[float]) -> StudyState:
    """Return a study whose trials have trained the first fold."""
    study = StudyState()
    for trial, score in enumerate(scores):
        study.apply(TrialAdded(time=0, trial=trial, configuration={}, origin="tpe"))
        for event in climb_of(trial, 0, [score] * ladder.epochs):
            study.apply(event)
    return study


@every_strategy
@some
@given(search=searches(), cut=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_decision_depends_on_the_record_and_not_on_who_was_faster(
    name: str, search: dict[str, Any], cut: float, seed: int
) -> None:
    ladder, table = shaped(name, search), search["table"]
    budget, trials = Budget(len(table.scores)), len(table.scores)
    events: list[Event] = []

    class Recorded(StudyState):
        def apply(self, event: Event) -> None:
            super().apply(event)
            events.append(event)

    Simulation(ladder, budget, search["workers"], Replayed(table, np.arange(trials)), begin=Recorded).run()
    record = events[: int(cut * len(events))]
    decision = next_work(StudyState(record), ladder, budget, 9, 0.0)
    assert next_work(StudyState(record), ladder, budget, 9, 0.0) == decision
    if name not in JUDGES_BY_ARRIVAL:
        assert next_work(StudyState(interleaved_anew(record, seed)), ladder, budget, 9, 0.0) == decision


def interleaved_anew(record: list[Event], seed: int) -> list[Event]:
    """Return a record in which every trial went the same way, but not side by side with the same others."""
    generator = np.random.default_rng(seed)
    begun = [event for event in record if isinstance(event, Launched | TrialAdded)]
    ways: dict[int, list[Event]] = {}
    for event in record:
        if not isinstance(event, Launched | TrialAdded):
            ways.setdefault(event.trial, []).append(event)
    merged = []
    while ways:
        trial = int(generator.choice(list(ways)))
        merged.append(ways[trial].pop(0))
        ways = {number: way for number, way in ways.items() if way}
    return [*begun, *merged]


@some
@given(search=searches())
def test_the_fold_ladder_gives_no_place_that_a_later_trial_could_still_take(search: dict[str, Any]) -> None:
    ladder, table = shaped("fold_ladder", search), search["table"]
    assert isinstance(ladder, FoldLadder)
    contenders = len(table.scores)
    promoted: list[int] = []

    def watch(study: StudyState, now: float) -> None:
        for index, rung in enumerate(ladder.rungs.inside_first_fold):
            if len(study.trials) < contenders:
                beyond = [trial for trial in competitors(study) if trial.fold_epochs > rung.epoch]
                promoted.append(len(beyond) - ladder.quota(index, contenders))

    Simulation(ladder, Budget(contenders), 1, Replayed(table, np.arange(contenders)), watch=watch).run()
    assert all(excess <= 0 for excess in promoted)


def test_a_strategy_asks_for_new_trials_until_there_are_enough() -> None:
    for strategy in STRATEGIES.values():
        ladder = strategy(epochs=9, folds=5)
        assert ladder.choose(StudyState(), Outlook(contenders=3)) == NewTrial()
        assert ladder.choose(StudyState(), Outlook(contenders=3, open=False)) is None


def test_stopping_asha_stops_whom_rays_asha_stops_and_when() -> None:
    curves = read_table(TABLES / "digits.jsonl")
    ladder = STRATEGIES["stopping_asha"](epochs=curves.epochs, folds=curves.folds)
    study = Simulation(ladder, Budget(36), 1, Replayed(curves, np.arange(36))).run()
    rays = AsyncHyperBandScheduler(
        "epoch", "score", "max", max_t=ladder.rungs.whole, grace_period=1, reduction_factor=3
    )
    for number in range(36):
        tune_trial = SimpleNamespace(trial_id=str(number), stub=False)
        rays.on_trial_add(SimpleNamespace(), tune_trial)
        stopped = ladder.rungs.whole
        for done in range(1, ladder.rungs.whole + 1):
            fold, epoch = divmod(done - 1, ladder.epochs)
            folds = [*curves.scores[number, :fold, -1], curves.scores[number, fold, epoch]]
            result = {"epoch": done, "score": float(np.mean(folds))}
            if rays.on_trial_result(SimpleNamespace(), tune_trial, result) == TrialScheduler.STOP:
                stopped = done
                break
        assert study.trials[number].fold_epochs == stopped


@pytest.mark.slow
@pytest.mark.parametrize(("finalists", "share"), [(3, 0.125), (1, 0.075)])
@pytest.mark.parametrize("table", sorted(path.stem for path in TABLES.glob("*.jsonl")))
def test_on_recorded_curves_the_fold_ladder_spends_an_eighth_and_misses_little(
    table: str, finalists: int, share: float
) -> None:
    curves = read_table(TABLES / f"{table}.jsonl")
    ladder = ladders(curves, finalists, "worst_fold")["fold_ladder"]
    orders = random_orders(curves, 40, seed=1)
    for workers in (1, 2):
        studies = [Simulation(ladder, Budget(32), workers, Replayed(curves, order)).run() for order in orders]
        best = [curves.final[order].max() for order in orders]
        regrets = best - np.array([curves.final[chosen(study, ladder)] for study in studies])
        assert np.median([study.fold_epochs for study in studies]) <= share * 32 * ladder.rungs.whole
        assert np.median(regrets) <= 0.003
        assert np.quantile(regrets, 0.9) <= 0.008


@pytest.mark.parametrize("race", ["none", "worst_fold"])
def test_the_time_left_at_half_time_is_less_than_a_quarter_off(race: str) -> None:
    curves = read_table(TABLES / "digits.jsonl")
    ladder = ladders(curves, 3, race)["fold_ladder"]
    orders = random_orders(curves, 9, seed=0)
    assert np.median([replay(curves, ladder, order, 2).time_left_error for order in orders]) < 0.25
    assert seconds_left(StudyState(), FoldLadder(9, 5), Budget(9), 1, 0.0) is None


def test_a_budget_of_fold_epochs_is_kept_to_the_last_one_and_its_finalists_are_done() -> None:
    curves = read_table(TABLES / "digits.jsonl")
    for fold_epochs in (60, 75, 90):
        for workers in (1, 2, 4):
            ladder = FoldLadder(epochs=9, folds=5, finalists=1)
            budget = Budget(trials=36, fold_epochs=fold_epochs)
            study = Simulation(ladder, budget, workers, Replayed(curves, np.arange(36))).run()
            assert 0.8 * fold_epochs <= study.fold_epochs <= fold_epochs
            assert any(trial.fold_epochs == ladder.rungs.whole for trial in study.trials.values())


def test_a_target_score_ends_the_search_once_all_folds_have_reached_it() -> None:
    curves = read_table(TABLES / "digits.jsonl")
    ladder = STRATEGIES["full"](epochs=9, folds=5)
    study = Simulation(ladder, Budget(36, target_score=0.5), 1, Replayed(curves, np.arange(36))).run()
    reached = [trial for trial in study.trials.values() if (trial.score_at(ladder.rungs.top) or 0) >= 0.5]
    assert len(reached) == 1
    assert study.fold_epochs < Simulation(ladder, Budget(36), 1, Replayed(curves, np.arange(36))).run().fold_epochs


def test_who_leaves_the_race() -> None:
    leader = [0.80, 0.84, 0.82]
    assert not leaves_race("none", [0.1, 0.1, 0.1], leader)
    assert not leaves_race("worst_fold", [0.1], [0.8]), "one fold says nothing"
    assert not leaves_race("worst_fold", [0.81, 0.82, 0.81], leader)
    assert leaves_race("worst_fold", [0.79, 0.80, 0.79], leader)
    assert leaves_race("worst_fold", [-0.5, -0.6], [-0.2, -0.3]), "a loss, negated"


@some
@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.sampled_from(["none", "worst_fold"]))
def test_nobody_leaves_a_race_against_an_equal(scores: list[float], rule: Any) -> None:
    assert not leaves_race(rule, scores, scores)


@pytest.mark.parametrize(
    ("scheduler", "setting"),
    [
        ("fold_ladder", {"reduction_factor": 3}),
        ("survey", {"looks": 2}),
        ("survey", {"keep": 0.3}),
        ("asha", {"looks": 2}),
        ("stopping_asha", {"race": "none"}),
        ("full", {"grace_period": 2}),
    ],
)
def test_a_setting_that_a_strategy_does_not_have_is_named(scheduler: str, setting: dict[str, Any]) -> None:
    (name,) = setting
    with pytest.raises(
        SpaceError, match=rf"search\.{name}: the strategy {scheduler} has no such setting, it has finalists"
    ):
        make_strategy(toy_space(scheduler=scheduler, **setting))


@every_strategy
def test_every_setting_of_a_strategy_reaches_it(name: str) -> None:
    values = {"finalists": 1, "grace_period": 2, "looks": 2, "keep": 0.3, "reduction_factor": 4, "race": "none"}
    stated = {key: value for key, value in values.items() if key in settings_of(STRATEGIES[name])}
    ladder = make_strategy(toy_space(scheduler=name, **stated))
    assert {key: getattr(ladder, key) for key in stated} == stated
