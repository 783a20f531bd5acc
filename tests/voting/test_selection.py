"""Who votes: never worse than the best single where it was chosen, whatever the order, and copies change nothing."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.metrics import METRICS
from voting.calibration.choice import accepted_class_weights, accepted_temperature
from voting.calibration.decision import Decision
from voting.calibration.error import calibration_error
from voting.calibration.fitting import fitted_class_weights, fitted_temperature
from voting.ensemble.fit import Wanted, explained, fit
from voting.out_of_fold.cross_fitting import CrossFitting
from voting.out_of_fold.objective import JointF1, OwnMetric
from voting.out_of_fold.pool import Pool
from voting.rules.hard import hard_vote
from voting.rules.rank import rank_vote
from voting.rules.vote import Rule, Weights
from voting.selection.best import best
from voting.selection.choice import chosen, tried
from voting.selection.evolution import evolution
from voting.selection.greedy import greedy
from voting.selection.methods import methods

SELECTIONS: dict[str, Callable[[Pool], Weights]] = {
    "single": lambda pool: best(pool, 1),
    "best": lambda pool: best(pool, 3),
    "greedy": lambda pool: greedy(pool, 4),
    "evolution": lambda pool: evolution(pool, 4),
}


def pool(
    seed: int,
    candidates: int = 4,
    persons: int = 20,
    metric: str = "macro_f1",
    rule: str = "soft",
    signal: float = 1.2,
) -> Pool:
    """Return candidates that are somewhat right on three images of every person; folds share no person."""
    generator = np.random.default_rng(seed)
    targets = np.repeat(generator.integers(3, size=persons), 3)
    logits = generator.normal(size=(candidates, len(targets), 3)) + signal * np.eye(3)[targets]
    said = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    numbers = np.repeat(np.arange(persons), 3)
    objective = OwnMetric(METRICS[metric], targets)
    return Pool(said.astype(np.float32), targets, numbers, numbers % 4, objective, Rule(rule))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["macro_f1", "log_loss", "balanced_accuracy"]))
def test_greedy_selection_is_never_worse_than_the_best_single_on_the_persons_it_saw(seed: int, metric: str) -> None:
    one = pool(seed, metric=metric)
    assert one.score(greedy(one, one.size)) >= one.scores.max() - 1e-9


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_an_evolution_is_never_worse_than_the_equal_vote_it_begins_with(seed: int) -> None:
    one = pool(seed)
    assert one.score(evolution(one, 4)) >= one.score(best(one, 4)) - 1e-12


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(SELECTIONS)))
def test_weights_sum_to_one_and_none_is_negative(seed: int, name: str) -> None:
    weights = SELECTIONS[name](pool(seed))
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["single", "best", "greedy"]), st.permutations(range(4)))
def test_the_order_of_candidates_does_not_matter(seed: int, name: str, order: list[int]) -> None:
    one = pool(seed, metric="log_loss")  # of which there are no ties
    assert np.allclose(SELECTIONS[name](one)[order], SELECTIONS[name](one.only(order)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(SELECTIONS)))
def test_the_order_of_images_and_persons_does_not_matter(seed: int, name: str) -> None:
    one = pool(seed)
    rows = np.random.default_rng(seed).permutation(len(one.targets))
    assert np.allclose(SELECTIONS[name](one), SELECTIONS[name](one.take(rows)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3))
def test_a_copy_of_a_candidate_changes_nothing(seed: int, copied: int) -> None:
    one = pool(seed)
    twice = one.only([0, 1, 2, 3, copied])
    before, after = fit(one, Wanted()), fit(twice, Wanted())
    assert before.method == after.method
    assert np.allclose(before.weights, after.weights[:4])
    assert after.weights[4] == 0


def test_greedy_selection_adds_who_mends_mistakes_and_not_who_repeats_them() -> None:
    targets = np.array([0, 0, 0, 1, 1, 1])
    said = np.tile(np.float32([0.9, 0.1]), (4, 6, 1))
    said[:, 3:] = said[:, 3:, ::-1]
    for number in range(3):
        said[number, [number, number + 3]] = [[0.4, 0.6], [0.6, 0.4]]  # each is wrong, a little, on images of its own
    said[3] = [0.05, 0.95]  # always wrong or lucky
    persons = np.arange(6)
    one = Pool(said, targets, persons, persons % 2, OwnMetric(METRICS["macro_f1"], targets), Rule())
    assert np.flatnonzero(greedy(one, 4)).tolist() == [0, 1], "a third adds nothing, the fourth spoils"
    assert np.flatnonzero(greedy(one, 1)).tolist() == [0]


def test_fewer_voters_are_taken_where_more_are_ahead_by_less_than_noise() -> None:
    one = pool(3)
    found = tried(one, methods(one, 4))
    highest = max(found, key=lambda tried: tried.score)
    assert chosen(one, found, tie=100.0).voters == 1
    assert chosen(one, found, tie=0.0).score == highest.score


def test_what_votes_on_a_fold_was_fitted_without_its_persons() -> None:
    one, seen = pool(5), []

    def spy(part: Pool) -> Weights:
        seen.append(set(part.persons.tolist()))
        return best(part, 1)

    CrossFitting.of(one).votes(spy)
    folds = [set(one.persons[one.folds == fold].tolist()) for fold in range(4)]
    assert all(not fitted & own for fitted, own in zip(seen, folds, strict=True))


def test_a_rule_that_takes_no_weights_leaves_the_weighing_methods_out() -> None:
    one = pool(1, rule="soft")
    assert {method.name for method in methods(one, 4)} == {"single", "best", "uniform", "greedy", "evolution"}
    assert [method.label for method in methods(one, 4, only="best")] == ["best 2", "best 3"]
    alone = one.only([2])
    assert [method.name for method in methods(alone, 4)] == ["single"]


def test_a_hard_vote_counts_heads_and_asks_the_soft_vote_where_they_tie() -> None:
    members = [np.array([[0.4, 0.6]]), np.array([[0.4, 0.6]]), np.array([[0.95, 0.05]])]
    assert hard_vote(members).argmax() == 1, "two against one"
    assert hard_vote(members[1:]).argmax() == 0, "one against one: the surer"
    assert hard_vote(members, weights=np.array([0.1, 0.1, 0.8])).argmax() == 0


def test_a_rank_vote_does_not_listen_to_how_sure_a_member_is() -> None:
    unsure, sure = np.array([[0.3, 0.36, 0.34]]), np.array([[0.99, 0.005, 0.005]])
    votes = rank_vote([unsure, unsure, sure])
    assert votes.sum() == pytest.approx(1)
    assert votes.argmax() == 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["soft", "hard", "rank"]))
def test_a_rule_that_weighs_is_the_mean_of_what_it_makes_of_each_member(seed: int, rule: str) -> None:
    one, generator = pool(seed, rule=rule), np.random.default_rng(seed)
    weights = generator.dirichlet(np.ones(4))
    together = Rule(rule)(list(one.said), weights)
    assert np.allclose(together, one.vote(weights), atol=1e-6)


def test_a_joint_choice_is_scored_by_the_joint_classes() -> None:
    one = pool(0)
    others = np.zeros(len(one.targets), np.int64)
    joint = one.towards(JointF1(one.targets, others, 1))
    right = joint.objective.score(np.eye(3)[one.targets])
    assert right == pytest.approx(3 / 18), "of 18 classes three occur"
    assert joint.towards(JointF1(one.targets + 6, others, 1)).objective.score(np.eye(3)[one.targets]) == 0


def test_a_temperature_mends_probabilities_that_are_too_sure_and_leaves_classes_alone() -> None:
    one = pool(2, persons=100)
    sharp = Decision(0.3).probabilities(one.said[0])
    assert fitted_temperature(sharp, one.targets) > 2
    temperature, calibrated = accepted_temperature(one, sharp, sharp)
    assert calibration_error(calibrated, one.targets) < calibration_error(sharp, one.targets) / 2
    assert (Decision(temperature).decided(sharp).argmax(axis=1) == sharp.argmax(axis=1)).all()


def test_class_weights_move_a_border_and_are_left_where_they_gain_nothing() -> None:
    generator = np.random.default_rng(0)
    targets = (generator.random(400) < 0.2).astype(np.int64)
    second = np.clip(0.2 + 0.25 * targets + 0.08 * generator.normal(size=400), 0.01, 0.99)  # never above a half
    votes = np.stack([1 - second, second], axis=1)
    persons = np.arange(400)
    one = Pool(
        votes[None].astype(np.float32), targets, persons, persons % 4, OwnMetric(METRICS["macro_f1"], targets), Rule()
    )
    weights = accepted_class_weights(one, votes, votes)
    assert weights[1] > weights[0]
    assert one.objective.score(Decision(class_weights=weights).decided(votes)) > one.objective.score(votes) + 0.1
    assert fitted_class_weights(np.eye(2)[targets], one.objective) == (1.0, 1.0), "nothing to gain"
    assert accepted_class_weights(pool(4), pool(4).vote(best(pool(4), 4)), pool(4).vote(best(pool(4), 4))) == ()


def test_a_decision_at_a_temperature_decides_as_without_it() -> None:
    one = pool(6, persons=60)
    found = explained(one, Wanted()).ensemble
    plain = fit(one, Wanted())
    assert (found.decided(one).argmax(axis=1) == plain.decided(one).argmax(axis=1)).all()
