"""What an export promises: less than it saw, the same for the same seed, and never certain."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from studies.metrics import METRICS
from tests.voting.test_selection import pool
from voting.calibration.decision import Decision
from voting.candidates.tasks import TaskCandidates
from voting.ensemble.fit import Wanted
from voting.ensemble.members import Chosen
from voting.ensemble.tasks import Tasks
from voting.out_of_fold.eliminations import Rung, rows_of_draws, rows_of_persons, still_candidates
from voting.out_of_fold.objective import OwnMetric
from voting.out_of_fold.paired import standard_error
from voting.out_of_fold.pool import equal_weights
from voting.promise.bootstrap import Resampled, resampled
from voting.promise.estimate import Measured, Seen, estimated, interval
from voting.promise.export import promise
from voting.promise.gain import expected_gain, expected_gains
from voting.promise.holdout import Held, held_out
from voting.promise.limits import promise_limits
from voting.rules.joint import JOINT, JOINT_TASKS
from voting.rules.vote import Rule

WANTED = Wanted()


def test_what_was_chosen_among_many_equals_is_promised_less_than_it_scored() -> None:
    tasks, wanted = Tasks({"age": pool(0, candidates=12, persons=40, signal=0.5)}, 40), Wanted("single")
    packed = {"age": tasks.explain(wanted)["age"].ensemble}
    seen = resampled(tasks, packed, wanted, resamples=30)["age"]
    assert seen.optimism > 0.01
    assert seen.spread > 0.01


def test_a_single_candidate_has_no_luck_in_being_chosen() -> None:
    tasks = Tasks({"age": pool(0, candidates=1, persons=40)}, 40)
    packed = {"age": tasks.explain(WANTED)["age"].ensemble}
    assert resampled(tasks, packed, WANTED, resamples=10)["age"].optimism == pytest.approx(0, abs=1e-9)


def test_the_same_seed_gives_the_same_resamples() -> None:
    tasks = Tasks({"age": pool(1, persons=20)}, 20)
    packed = {"age": tasks.explain(WANTED)["age"].ensemble}
    one, other = (resampled(tasks, packed, WANTED, seed=3, resamples=5)["age"] for _ in range(2))
    assert np.array_equal(one.drawn, other.drawn)
    assert np.array_equal(one.ahead, other.ahead)


GAIN = Measured(0.01, 0.015)


def seen(score: float = 0.7, spread: float = 0.03, ahead: float = 0.0) -> Seen:
    return Seen(score, 100, Resampled(np.array([0.7 - spread, 0.7 + spread]), np.full(2, ahead)), GAIN)


def test_a_promise_is_what_was_seen_less_luck_plus_what_all_folds_models_gain() -> None:
    one = estimated(seen(ahead=0.02), None)
    assert one.combined.value == pytest.approx(0.7 - 0.632 * 0.02 + GAIN.value)
    low, high = one.interval
    assert low < one.combined.value < high


def test_a_holdout_is_weighed_by_how_many_persons_it_has() -> None:
    held = Held(Measured(0.9, 0.01), 25, None)  # lucky, and seemingly sure
    one = estimated(seen(), held)
    assert one.holdout is not None
    assert one.holdout.spread == pytest.approx(0.06), "twice that of four times the persons"
    assert 0.7 < one.combined.value < 0.76
    assert one.combined.spread < one.corrected.spread


def test_all_right_is_no_certainty() -> None:
    certain = Seen(1.0, 48, Resampled(np.ones(3), np.zeros(3)), GAIN)
    one = estimated(certain, Held(Measured(1.0, 0.0), 10, None))
    spec = promise(one, METRICS["macro_f1"])
    assert spec.low < 0.99
    assert spec.high == 1.0
    assert spec.level == 0.9


def test_a_metric_that_is_minimised_is_promised_in_its_own_value() -> None:
    spec = promise(estimated(seen(-0.5), None), METRICS["log_loss"])
    assert spec.low < spec.score < spec.high
    assert spec.score == pytest.approx(0.5 - GAIN.value)


def test_the_interval_of_a_figure_has_its_level() -> None:
    low, high = interval(Measured(0.0, 1.0))
    assert (low, high) == (pytest.approx(-1.645, abs=1e-3), pytest.approx(1.645, abs=1e-3))


def test_what_voting_gains_is_measured_on_the_holdout_against_the_models_of_one_fold() -> None:
    targets, persons = np.array([0, 1, 0, 1]), np.array(list("aabb"))
    right, wrong = np.eye(2, dtype=np.float32)[targets], np.eye(2, dtype=np.float32)[1 - targets]
    held = held_out(METRICS["accuracy"], targets, persons, right, [right, wrong])
    assert held.gain is not None
    assert held.gain.value == 0.5
    assert held.persons == 2
    assert held_out(METRICS["accuracy"], targets, persons, right, [right]).gain is None


def test_persons_drawn_twice_have_their_rows_twice() -> None:
    assert sorted(rows_of_persons(np.array([2, 0, 2, 1]), np.array([2, 2, 1])).tolist()) == [0, 0, 2, 2, 3]
    assert rows_of_persons(np.array([0, 1]), np.array([5])).tolist() == []


def test_who_would_have_been_eliminated_leaves_the_choice_and_the_last_one_stays() -> None:
    targets, persons = np.array([0, 1, 0, 1]), np.arange(4)
    right, wrong = np.eye(2, dtype=np.float32)[targets], np.eye(2, dtype=np.float32)[1 - targets]
    half = np.concatenate([right[:2], wrong[2:]])  # right on the first two persons
    said, numbers = np.stack([right, wrong, half]), np.array([0, -1, 1])
    rung = Rung(said, numbers, 1, targets, persons, METRICS["accuracy"])
    assert still_candidates([rung], np.array([2, 3, 3, 2]), 2).tolist() == [0]
    assert still_candidates([rung], np.array([0, 1]), 2).tolist() == [0], "ties go to the earlier"
    lost = Rung(said[[1, 0]], np.array([0, -1]), 1, targets, persons, METRICS["accuracy"])
    assert still_candidates([lost], np.arange(4), 1).tolist() == [0], "nobody else is left"
    assert still_candidates([rung], np.array([9]), 2).tolist() == [0, 1], "nobody drawn was judged there"


def test_models_of_all_folds_are_expected_to_gain_where_finalists_gain_together_and_less_where_many_vote() -> None:
    noisy, sure = pool(0, candidates=4, persons=60, signal=0.5), pool(0, candidates=4, persons=60, signal=8.0)
    alone, together = (equal_weights(4, voters) for voters in ([0], [0, 1, 2, 3]))
    assert expected_gain(noisy, alone).value > expected_gain(noisy, together).value > 0.01
    assert expected_gain(noisy, alone).value > 3 * expected_gain(sure, alone).value
    assert expected_gain(noisy.only([0]), alone[:1]).spread == 0.03, "a single finalist says nothing"


def joint_tasks(candidates: int = 4, metric: str = "macro_f1") -> Tasks:
    """Three tasks of the same images; gender has two classes."""
    three = {task: pool(seed, candidates, 60, metric) for seed, task in enumerate(JOINT_TASKS)}
    two = replace(three["gender"], said=three["gender"].said[:, :, :2], targets=three["gender"].targets.clip(max=1))
    three["gender"] = replace(two, objective=OwnMetric(METRICS[metric], two.targets))
    return Tasks(three, 60, joint=True)


def test_the_gain_of_joint_classes_is_what_all_tasks_contribute() -> None:
    tasks = joint_tasks()
    packed = {task: one.ensemble for task, one in tasks.explain(WANTED).items()}
    gains = expected_gains(tasks, packed)
    parts = [expected_gain(pool, packed[task].weights).value for task, pool in tasks.objectives(tasks.pools).items()]
    assert gains[JOINT].value == pytest.approx(sum(parts))
    assert gains[JOINT].spread < sum(gain.spread for gain in gains.values())


def test_a_copy_of_a_finalist_changes_no_gain() -> None:
    one = pool(0, candidates=3, persons=40)
    copied = replace(one, said=one.said[[0, 1, 2, 2, 0]])
    assert expected_gain(copied, equal_weights(5, [0])) == expected_gain(one, equal_weights(3, [0]))
    assert expected_gain(one.only([0, 0]), equal_weights(2, [0])).spread == 0.03, "one and its copy say nothing"


def test_where_probabilities_are_judged_a_joint_choice_of_one_has_no_luck_either() -> None:
    joint = joint_tasks(candidates=1, metric="log_loss")
    packed = {task: one.ensemble for task, one in joint.explain(WANTED).items()}
    assert all(one.decision.class_weights == () for one in packed.values())
    for task in JOINT_TASKS:
        assert abs(resampled(joint, packed, WANTED, resamples=10)[task].optimism) < 0.02


def test_one_who_is_drawn_twice_counts_as_two() -> None:
    one = pool(0, candidates=2, persons=30)
    everyone, generator = np.arange(30), np.random.default_rng(0)

    def noise(drawn: np.ndarray) -> float:  # type: ignore[type-arg]
        rows, draws = rows_of_draws(one.persons, drawn)
        taken = one.take(rows).of_persons(draws)
        return standard_error(taken.said[0], taken.said[1], taken.targets, taken.persons, of_classes=True)

    again = np.mean([noise(generator.integers(30, size=30)) for _ in range(50)])
    assert again == pytest.approx(noise(everyone), rel=0.1)


def test_a_holdout_says_twice_less_where_its_score_and_its_gain_are_of_the_same_luck() -> None:
    def spread(correlation: float) -> float:
        held = Held(Measured(0.72, 0.04), 50, Measured(0.05, 0.03), correlation)
        return estimated(seen(), held).combined.spread

    assert spread(0.9) != pytest.approx(spread(0.0), rel=0.01)
    independent = estimated(seen(), Held(Measured(0.72, 0.04), 50, None))
    first, second = estimated(seen(), None).corrected, independent.holdout
    assert second is not None
    expected = (first.value / first.spread**2 + second.value / second.spread**2) / (
        first.spread**-2 + second.spread**-2
    )
    assert independent.combined.value == pytest.approx(expected), "independent figures are weighed by their variances"


def test_a_promise_says_why_it_cannot_say_more() -> None:
    samples = pd.DataFrame({"person": ["a", "a", "b", "c"], "target": [0, 0, 0, 1]})

    def said(trials: int, metric: str = "macro_f1", holdout: int = 3) -> str:
        candidates = replace(
            _NO_CANDIDATES,
            trials=(None,) * trials,
            metric=METRICS[metric],
            holdout=pd.DataFrame(index=range(holdout)),
            samples=samples,
        )
        return "\n".join(promise_limits([Chosen(candidates, (), (), Rule(), Decision(), None)]))  # type: ignore[arg-type]

    assert "age: class old has one person" in said(2)
    assert "age: class none has no person" in said(2)
    assert "a single trial is compared" in said(1)
    assert "a single trial" not in said(2)
    assert "there is no holdout" in said(2, holdout=0)
    assert "not for log loss" in said(2, "log_loss")


_NO_CANDIDATES = TaskCandidates(
    "age", ("young", "old", "none"), None, "", METRICS["macro_f1"], (), None, pd.DataFrame(), pd.DataFrame()
)


def test_the_more_luck_is_taken_off_the_less_sure_is_what_is_left() -> None:
    assert estimated(seen(ahead=0.1), None).combined.spread > estimated(seen(), None).combined.spread


def test_a_promise_is_drawn_from_the_first_seed_two_hundred_times() -> None:
    tasks = Tasks({"age": pool(1, persons=20)}, 20)
    packed = {"age": tasks.explain(WANTED)["age"].ensemble}
    assert len(resampled(tasks, packed, WANTED)["age"].drawn) == 200
    assert np.array_equal(
        resampled(tasks, packed, WANTED, resamples=3)["age"].drawn,
        resampled(tasks, packed, WANTED, seed=0, resamples=3)["age"].drawn,
    )
