"""The numbers of the comparison that an export prints, computed by hand: no voter and no row stands in another's place."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis.export.comparison import ahead_table, compare, comparison_table
from analysis.export.outcomes import holdout_outcome, metrics_of, out_of_fold_outcome
from studies.metrics import METRICS
from studies.trials.manifest import TrialManifest
from studies.trials.predictions import FoldPredictions
from studies.trials.stored_trial import StoredTrial
from voting.candidates.tasks import TaskCandidates
from voting.candidates.trials import Candidate
from voting.ensemble.members import Chosen

ACCURACY = METRICS["accuracy"]


def votes_of(second_class: Sequence[float]) -> np.ndarray:
    """Return probabilities of two classes, given those of the second."""
    second = np.array(second_class, np.float32)
    return np.stack([1 - second, second], axis=1)


def trial(ids: str, targets: Sequence[int], second_class: Sequence[float], number: int = 0) -> Candidate:
    predictions = FoldPredictions(
        ids=np.array(list(ids)), targets=np.array(targets), probabilities=votes_of(second_class)
    )
    stored = StoredTrial(TrialManifest(trial=number, configuration={}, digest="x", folds=2, epochs=1), {})
    return Candidate(Path("study"), number, "gp", stored, predictions, ACCURACY, "squeeze")


def chosen(task: str, members: Sequence[Candidate], recipe: Candidate, holdout: str = "xyz") -> Chosen:
    ids = members[0].predictions.ids
    samples = pd.DataFrame({"id": ids, "person": [f"p{name}" for name in ids]})
    aside = pd.DataFrame({"id": list(holdout), "person": list(holdout), "target": [0, 1, 1][: len(holdout)]})
    candidates = TaskCandidates(task, ("no", "yes"), None, "root", ACCURACY, tuple(members), recipe, samples, aside)
    return Chosen(candidates, tuple(members))


def age() -> Chosen:
    """Both members are wrong once, together never; the recipe always."""
    targets = [0, 1, 0, 1]
    one, other = trial("abcd", targets, [0.1, 0.9, 0.1, 0.4]), trial("abcd", targets, [0.1, 0.4, 0.1, 0.9], 1)
    return chosen("age", [one, other], trial("abcd", targets, [0.9, 0.1, 0.9, 0.1], 2))


def values(compared: dict[str, dict[str, object]], task: str) -> dict[str, float]:
    return {voter: round(scored.value, 4) for voter, scored in compared[task].items()}  # type: ignore[attr-defined]


def test_every_voter_has_its_own_score_out_of_fold() -> None:
    compared = compare(out_of_fold_outcome([age()]), metrics_of([age()]))
    assert values(compared, "age") == {"best single trial": 0.75, "ensemble": 1.0, "default recipe": 0.0}


def test_tasks_are_compared_on_the_images_that_they_share_each_by_its_own_rows() -> None:
    other = trial("bcde", [0, 0, 1, 1], [0.1, 0.1, 0.9, 0.1])  # wrong on e alone, which age does not have
    both = [age(), chosen("hat", [other], trial("bcde", [0, 0, 1, 1], [0.9, 0.1, 0.9, 0.9]))]
    outcome = out_of_fold_outcome(both)
    assert outcome.persons.tolist() == ["pb", "pc", "pd"]
    compared = compare(outcome, metrics_of(both))
    assert values(compared, "age") == {"best single trial": 0.6667, "ensemble": 1.0, "default recipe": 0.0}
    assert values(compared, "hat") == {"best single trial": 1.0, "ensemble": 1.0, "default recipe": 0.6667}


def test_every_voter_has_its_own_score_on_the_holdout() -> None:
    said = {
        "age/best": votes_of([0.9, 0.9, 0.9]),  # right on y and z
        "age/member/1": votes_of([0.9, 0.1, 0.1]),  # never
        "age/vote": votes_of([0.1, 0.9, 0.9]),  # always
        "age/recipe": votes_of([0.9, 0.9, 0.1]),  # right on y
    }
    compared = compare(holdout_outcome([age()], said), metrics_of([age()]))
    assert values(compared, "age") == {"best single trial": 0.6667, "ensemble": 1.0, "default recipe": 0.3333}


def test_the_joint_classes_are_composed_image_by_image() -> None:
    def task(name: str, targets: Sequence[int], second_class: Sequence[float], classes: int) -> Chosen:
        one = trial("abcd", targets, second_class)
        wide = np.concatenate([one.predictions.probabilities, np.zeros((4, classes - 2), np.float32)], axis=1)
        wider = Candidate(**{**vars(one), "predictions": one.predictions.model_copy(update={"probabilities": wide})})
        return chosen(name, [wider], wider)

    three = [
        task("age", [0, 1, 0, 1], [0.1, 0.9, 0.1, 0.1], 3),  # wrong on d
        task("gender", [0, 0, 1, 1], [0.1, 0.9, 0.9, 0.9], 2),  # wrong on b
        task("mask", [1, 0, 0, 1], [0.9, 0.1, 0.1, 0.9], 3),  # never
    ]
    outcome = out_of_fold_outcome(three)
    assert outcome.targets["mask x gender x age"].tolist() == [6, 1, 3, 10]
    compared = compare(outcome, metrics_of(three))
    assert compared["mask x gender x age"]["ensemble"].accuracy == 0.5, "right on a and c"


def test_the_table_shows_them_whole_in_a_narrow_terminal() -> None:
    compared = compare(out_of_fold_outcome([age()]), metrics_of([age()]))
    out = StringIO()
    Console(file=out, width=80).print(comparison_table(compared, {}))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.getvalue().splitlines() if "│" in line]
    assert [row[:2] for row in rows] == [
        ["age, accuracy", "best single trial"],
        ["age, accuracy", "ensemble"],
        ["age, accuracy", "default recipe"],
    ]
    assert [row[2][:5] for row in rows] == ["0.750", "1.000", "0.000"]
    assert {row[3] for row in rows} == {"no holdout"}


@pytest.mark.parametrize("swapped", [("best single trial", "ensemble"), ("ensemble", "default recipe")])
def test_swapped_voters_would_be_seen(swapped: tuple[str, str]) -> None:
    compared = values(compare(out_of_fold_outcome([age()]), metrics_of([age()])), "age")
    assert compared[swapped[0]] != compared[swapped[1]]


def test_how_far_one_is_ahead_of_the_recipe_is_asked_of_the_same_persons() -> None:
    compared = compare(out_of_fold_outcome([age()]), metrics_of([age()]))["age"]
    assert compared["ensemble"].ahead == (1.0, 1.0, 1.0), "always right, the recipe never"
    single = compared["best single trial"].ahead
    assert single is not None
    assert single[0] == 0.75
    assert 0 <= single[1] < 0.75 < single[2] <= 1
    assert compared["default recipe"].ahead is None
    out = StringIO()
    Console(file=out, width=80).print(ahead_table({"age": compared}, {}))
    assert "+1.000 (+1.000, +1.000)" in out.getvalue()
