"""What the events of a record amount to: where trials stand, what they cost, what is owed, and what may go on."""

import pytest

from studies.record.events import (
    WITHDRAWN,
    ClimbEnded,
    ClimbStarted,
    Dropped,
    EpochScored,
    Event,
    FieldClosed,
    FoldRewound,
    Launched,
    PredictionsReplaced,
    Requested,
    RungReached,
    StrategyFacts,
    TrialAdded,
    TrialFailed,
    TrialRestored,
)
from studies.record.requests import StopTrial
from studies.state.failures import all_failed
from studies.state.ranking import best_trial, competitors, least_promising_first, ranked_at
from studies.state.rungs import Rung, Rungs, is_reached
from studies.state.study_state import StateError, StudyState

RUNGS = Rungs.of(3, 4, [1, 2])  # three folds of four epochs, looks after one and two of the first


def launched(setup: str = "same", slots: int = 2) -> Launched:
    facts = StrategyFacts(name="fold_ladder", finalists=2)
    return Launched(time=0, settings={}, setup=setup, slots=slots, rungs=RUNGS, strategy=facts)


def added(trial: int, origin: str = "tpe", **configuration: object) -> TrialAdded:
    return TrialAdded(time=0, trial=trial, configuration=dict(configuration), origin=origin)


def started(trial: int, fold: int = 0, epoch: int = 4, attempt: int = 1) -> ClimbStarted:
    return ClimbStarted(time=0, trial=trial, fold=fold, epoch=epoch, attempt=attempt)


def scored(trial: int, fold: int, epoch: int, score: float = 0.5, seconds: float = 1.0) -> EpochScored:
    return EpochScored(time=0, trial=trial, fold=fold, epoch=epoch, score=score, seconds=seconds)


def trained(trial: int, fold: int, epochs: int, score: float = 0.5) -> list[Event]:
    return [scored(trial, fold, epoch, score) for epoch in range(epochs)]


def ended(trial: int, fold: int = 0, attempt: int = 1, reason: str = "rung") -> ClimbEnded:
    return ClimbEnded.model_validate({"time": 0, "trial": trial, "fold": fold, "attempt": attempt, "reason": reason})


def reached(trial: int, folds: int, epoch: int, score: float) -> RungReached:
    return RungReached(time=0, trial=trial, folds=folds, epoch=epoch, score=score)


def failed(trial: int, failure: str = "error", fold: int | None = 0) -> TrialFailed:
    return TrialFailed(time=0, trial=trial, fold=fold, failure=failure, reason="broken")


def of(*events: Event | list[Event]) -> StudyState:
    flat = [event for part in events for event in (part if isinstance(part, list) else [part])]
    return StudyState(flat)


# Rungs.


def test_rungs_are_the_looks_inside_the_first_fold_and_the_end_of_every_fold() -> None:
    assert RUNGS.levels == ((1, 1), (1, 2), (1, 4), (2, 4), (3, 4))
    assert (RUNGS.first, RUNGS.top, RUNGS.whole) == ((1, 1), (3, 4), 12)
    assert RUNGS.inside_first_fold == ((1, 1), (1, 2))
    assert Rungs.of(2, 4, [0, 4, 5]).levels == ((1, 4), (2, 4)), "what is no place inside a fold is no look"


def test_a_rung_costs_the_folds_below_it_whole_and_its_own_epochs() -> None:
    assert [RUNGS.cost(rung) for rung in (None, *RUNGS.levels)] == [0, 1, 2, 4, 8, 12]


def test_the_rung_above_is_the_next_and_above_the_top_there_is_none() -> None:
    assert [RUNGS.above(rung) for rung in (None, *RUNGS.levels)] == [*RUNGS.levels, None]


def test_only_the_first_fold_has_rungs_inside() -> None:
    assert [epochs for epochs in range(5) if RUNGS.is_level(0, epochs)] == [0, 1, 2, 4]
    assert [epochs for epochs in range(5) if RUNGS.is_level(1, epochs)] == [0, 4]
    assert [RUNGS.next_epoch(0, epochs) for epochs in range(4)] == [1, 2, 4, 4]
    assert [RUNGS.next_epoch(1, epochs) for epochs in range(4)] == [4, 4, 4, 4]


def test_a_rung_is_reached_when_each_of_its_folds_has_its_epoch_whatever_else_is_trained() -> None:
    assert is_reached(Rung(1, 2), {0: 2})
    assert not is_reached(Rung(1, 2), {0: 1, 1: 4})
    assert not is_reached(Rung(2, 4), {0: 4, 2: 4})
    assert RUNGS.highest({0: 4, 2: 4}) == (1, 4)
    assert RUNGS.highest({0: 4, 1: 4}) == (2, 4)
    assert RUNGS.highest({}) is None


# Trials.


def test_a_climb_that_has_begun_is_counted_until_it_ends() -> None:
    study = of(launched(), added(0), added(1), started(0), started(0, fold=1), scored(0, 0, 0))
    assert (study.climbs(), [trial.number for trial in study.climbing()]) == (2, [0])
    assert study.trials[0].remaining() == 7
    assert study.trials[0].progress == {0: 1, 1: 0}
    study.apply(ended(0, 0))
    assert (study.climbs(), study.trials[0].remaining()) == (1, 4)
    assert [number for number, _ in study.trials[0].climbs] == [1]
    assert study.trials[0].interrupted, "it rests at one epoch of four"


def test_a_fold_that_rests_where_it_was_bound_is_not_interrupted() -> None:
    study = of(launched(), added(0), started(0, epoch=2), trained(0, 0, 2), ended(0))
    assert not study.trials[0].interrupted
    assert study.trials[0].lacks(0, 4)
    assert not study.trials[0].lacks(0, 2)
    assert study.trials[0].lacks(1, 1), "a fold that was not begun lacks all"


def test_a_fold_that_climbs_lacks_nothing_for_somebody_has_it() -> None:
    assert not of(launched(), added(0), started(0)).trials[0].lacks(0, 4)


def test_the_end_of_an_older_attempt_says_nothing_of_the_one_that_has_the_fold_now() -> None:
    study = of(launched(), added(0), started(0, attempt=1), started(0, attempt=2))
    study.apply(ended(0, attempt=1))
    assert study.trials[0].climbing
    study.apply(ended(0, attempt=2))
    assert not study.trials[0].climbing
    assert study.last_attempt == 2


def test_lost_tries_count_until_an_epoch_is_finished() -> None:
    study = of(launched(), added(0), started(0), ended(0, reason="lost"))
    assert study.trials[0].tries_lost == 1
    assert of(launched(), added(0), started(0), ended(0, reason="stopped")).trials[0].tries_lost == 0
    study.apply(scored(0, 0, 0))
    assert study.trials[0].tries_lost == 0


def test_a_lack_of_memory_halves_what_is_trained_at_once_from_what_the_fold_had() -> None:
    out = "out_of_memory"
    study = of(launched(), added(0), started(0, 0), started(0, 1), ended(0, 0, reason=out), ended(0, 1, reason=out))
    assert study.trials[0].micro_batches == 2, "both had one part: it is halved once"
    study.apply(started(0, 0, attempt=2))
    study.apply(ended(0, 0, attempt=2, reason=out))
    assert study.trials[0].micro_batches == 4
    assert of(launched(), added(0), started(0), ended(0, reason="lost")).trials[0].micro_batches == 1


def test_one_fold_that_fails_fails_the_trial_and_its_siblings_end_at_their_next_report() -> None:
    study = of(launched(), added(0), started(0, 0), started(0, 1), failed(0, fold=0))
    assert (study.trials[0].failure, study.trials[0].reason) == ("error", "broken")
    assert [number for number, _ in study.trials[0].climbs] == [1]
    assert not study.trials[0].interrupted, "what has failed goes on with nothing"
    assert of(launched(), added(0), started(0, 0), failed(0, fold=None)).climbs() == 0
    assert of(launched(), added(0), started(0, 0), failed(0, WITHDRAWN, fold=None)).climbs() == 1


@pytest.mark.parametrize(("in_search", "climbs", "taken_back"), [(True, 1, False), (False, 0, True)])
def test_a_trial_that_is_taken_back_is_whole_and_a_launch_does_that_once(
    in_search: bool, climbs: int, taken_back: bool
) -> None:
    lost = [started(0, 0), ended(0, 0, reason="lost"), started(0, 0, attempt=2), started(0, 1, attempt=3)]
    study = of(launched(), added(0), *lost, failed(0, "lost_process", fold=0))
    study.apply(TrialRestored(time=0, trial=0, in_search=in_search))
    trial = study.trials[0]
    assert (trial.failure, trial.reason, trial.tries_lost) == (None, None, 0)
    assert (study.climbs(), trial.taken_back) == (climbs, taken_back)


def test_a_fold_that_is_rewound_loses_what_it_trained_beyond_and_the_rungs_on_it() -> None:
    study = of(launched(), added(0), trained(0, 0, 4), trained(0, 1, 4), reached(0, 1, 2, 0.5), reached(0, 2, 4, 0.6))
    study.apply(FoldRewound(time=0, trial=0, fold=0, epochs=2))
    trial = study.trials[0]
    assert (trial.progress, trial.fold_epochs) == ({0: 2, 1: 4}, 6)
    assert trial.scores == {(1, 2): 0.5}
    assert trial.arrivals.keys() == trial.scores.keys()
    assert not trial.interrupted


def test_a_fold_that_was_predicted_again_has_the_new_score_everywhere_and_owes_no_weights() -> None:
    study = of(launched(), added(0), trained(0, 0, 4), trained(0, 1, 4))
    study.apply(Dropped(time=0, trial=0, fold=0, part="weights", bytes=5))
    assert study.trials[0].fold(0).owes_weights, "it has folds to train and will vote"
    study.apply(PredictionsReplaced(time=0, trial=0, fold=0, score=0.9))
    trial = study.trials[0]
    assert not trial.fold(0).owes_weights
    assert (trial.fold_scores(4), [epoch.score for epoch in trial.epochs]) == (
        [0.9, 0.5],
        [0.5] * 3 + [0.9] + [0.5] * 4,
    )
    assert study.bytes_dropped == 5


def test_a_whole_trial_whose_weights_were_dropped_owes_none_and_neither_does_one_whose_state_was() -> None:
    whole = of(launched(), added(0), *(trained(0, fold, 4) for fold in range(3)))
    whole.apply(Dropped(time=0, trial=0, fold=0, part="weights", bytes=5))
    assert not whole.trials[0].fold(0).owes_weights
    part = of(launched(), added(0), trained(0, 0, 2), Dropped(time=0, trial=0, fold=0, part="resume", bytes=5))
    assert not part.trials[0].fold(0).owes_weights


def test_scores_of_folds_are_told_up_to_the_first_that_is_not_finished() -> None:
    study = of(added(0), trained(0, 0, 4, 0.1), trained(0, 1, 3, 0.2), trained(0, 2, 4, 0.3))
    assert study.trials[0].fold_scores(4) == [0.1]
    assert study.trials[0].fold_scores(3) == [0.1, 0.2, 0.3]


def test_a_trial_stands_at_the_highest_rung_that_it_has_trained_and_was_scored_at() -> None:
    study = of(launched(), added(0), trained(0, 0, 4), reached(0, 1, 1, 0.5))
    assert study.trials[0].standing(RUNGS) == (1, 1), "its first fold is whole and was not scored yet"
    study.apply(reached(0, 1, 4, 0.6))
    assert study.trials[0].standing(RUNGS) == (1, 4)
    assert study.trials[0].score_at(Rung(1, 4)) == 0.6
    assert study.trials[0].score_at(Rung(2, 4)) is None


def test_the_first_arrival_at_a_rung_stays_though_its_score_is_replaced() -> None:
    study = of(launched(), added(0), trained(0, 0, 4), reached(0, 1, 4, 0.5))
    before = study.trials[0].arrivals[Rung(1, 4)]
    study.apply(reached(0, 1, 4, 0.7))
    assert study.trials[0].arrivals[Rung(1, 4)] == before
    assert study.trials[0].scores[Rung(1, 4)] == 0.7


# Studies.


def test_a_study_counts_all_its_fold_epochs_and_what_they_took() -> None:
    study = of(
        added(0), added(1), scored(0, 0, 0, seconds=1.0), scored(0, 0, 1, seconds=3.0), scored(1, 0, 0, seconds=5.0)
    )
    assert study.fold_epochs == 3
    assert study.seconds_per_fold_epoch() == 3.0
    assert [study.relative_cost(trial) for trial in study.trials.values()] == [
        pytest.approx(2 / 3),
        pytest.approx(5 / 3),
    ]
    assert of(added(0)).seconds_per_fold_epoch() is None
    assert of(added(0)).relative_cost(of(added(0)).trials[0]) == 1.0


def test_every_event_makes_what_was_decided_before_it_stale() -> None:
    study = of(launched())
    versions = [study.version]
    for event in (added(0), started(0), scored(0, 0, 0), ended(0)):
        study.apply(event)
        versions.append(study.version)
    assert versions == sorted(set(versions))


def test_a_setup_works_once_an_epoch_was_scored_under_it_and_another_setup_begins_anew() -> None:
    study = of(launched("one"), added(0))
    assert not study.setup_works
    study.apply(scored(0, 0, 0))
    assert study.setup_works
    study.apply(launched("other"))
    assert not study.setup_works
    study.apply(launched("one"))
    assert study.setup_works


def test_a_launch_begins_with_nobody_on_the_way_and_an_open_field() -> None:
    study = of(
        launched(), added(0), added(1), started(1), started(0), started(1, 1), FieldClosed(time=0, reason="enough")
    )
    assert (study.climbed_since_launch, study.closed) == ([1, 0], "enough")
    study.apply(launched())
    assert (study.climbed_since_launch, study.closed) == ([], None)


def test_what_auto_stands_for_is_the_precision_of_the_first_epoch_of_a_trial_that_leaves_it_open() -> None:
    def at(precision: str, trial: int) -> EpochScored:
        return scored(trial, 0, 0).model_copy(update={"precision": precision})

    study = of(added(0, precision="float32"), added(1, precision="auto"), added(2))
    study.apply(at("float32", 0))
    assert study.precision is None, "it was stated"
    study.apply(at("bfloat16", 1))
    study.apply(at("float16", 2))
    assert study.precision == "bfloat16"


def test_a_trial_that_somebody_asked_to_stop_is_withdrawn_and_an_unknown_one_is_no_matter() -> None:
    study = of(added(0), added(1))
    study.apply(Requested(time=0, name="a", request=StopTrial(trial=0)))
    study.apply(Requested(time=0, name="b", request=StopTrial(trial=7)))
    assert [trial.withdrawn for trial in study.trials.values()] == [True, False]
    assert set(study.requests) == {"a", "b"}


def test_an_event_of_a_trial_that_nobody_added_is_an_error_and_a_lenient_reader_leaves_it_out() -> None:
    with pytest.raises(StateError, match=r"tells of trial 3, which was never added"):
        of(launched(), scored(3, 0, 0))
    assert StudyState.lenient([launched(), scored(3, 0, 0), added(0)]).trials.keys() == {0}


def test_the_time_of_day_never_goes_back() -> None:
    study = of(launched().model_copy(update={"time": 10}), added(0).model_copy(update={"time": 4}))
    assert study.last_time == 10
    assert of(added(0).model_copy(update={"time": 0.25})).last_time == 0.25


# Rankings.


def test_only_scores_of_one_rung_compare_and_ties_go_to_the_earlier_trial() -> None:
    study = of(
        *(added(trial) for trial in range(5)),
        *(trained(trial, 0, 4) for trial in range(5)),
        *(reached(trial, 1, 1, score) for trial, score in enumerate((0.5, 0.7, 0.7, 0.9, 0.6))),
        reached(0, 1, 4, 0.55),
        failed(3),
    )
    assert [trial.number for trial in ranked_at(study.trials.values(), Rung(1, 1))] == [1, 2, 4, 0]
    best = best_trial(study, RUNGS)
    assert best is not None
    assert (best[0].number, best[1], best[2]) == (0, (1, 4), 0.55), "the highest rung comes first"
    assert [trial.number for trial in least_promising_first(study, RUNGS)] == [3, 4, 1, 2, 0]
    assert best_trial(of(added(0)), RUNGS) is None


def test_the_recipe_competes_with_nobody() -> None:
    study = of(added(0, "recipe"), added(1), added(2, "portfolio"))
    assert [trial.number for trial in competitors(study)] == [1, 2]


# Time.


def test_the_drivers_own_seconds_count_and_never_go_back() -> None:
    study = of(
        launched(), *(added(trial).model_copy(update={"elapsed": at}) for trial, at in enumerate((5.0, 9.0, 7.0)))
    )
    assert study.elapsed == 9.0
    study.apply(launched().model_copy(update={"elapsed": 9.0}))
    assert study.time.of_launch == 9.0


def test_of_a_former_record_a_gap_counts_for_no_more_than_the_longest_epoch_and_a_minute() -> None:
    def at(event: Event, time: float) -> Event:
        return event.model_copy(update={"time": time})

    study = of(at(launched(), 100.0), at(added(0), 130.0))
    assert study.elapsed == 30.0
    study.apply(at(scored(0, 0, 0, seconds=20.0), 1000.0))
    assert study.elapsed == 30.0 + 20.0 + 60.0
    study.apply(at(added(1), 990.0))
    assert study.elapsed == 110.0, "somebody has set the clock back"
    study.apply(at(launched(), 5000.0))
    assert (study.elapsed, study.time.of_launch) == (110.0, 110.0), "nothing ran between two launches"
    study.apply(at(added(2), 5003.0))
    assert study.elapsed == 113.0


def test_what_every_trial_failed_of_is_told_once_all_have() -> None:
    assert all_failed(of()) is None
    assert all_failed(of(added(0), added(1), failed(0))) is None
    assert all_failed(of(added(0), failed(0))) == "The only trial has failed, the last one (error): broken."
    assert (
        all_failed(of(added(0), added(1), failed(0), failed(1)))
        == "All 2 trials have failed, the last one (error): broken."
    )
