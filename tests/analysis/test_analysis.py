"""What is shown of a search is what the record says."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from analysis.leaderboard.rows import Row, chosen, is_tie, leaderboard
from analysis.reading.counts import count_trials
from analysis.reading.words import spell_parameters
from analysis.terminal.progress import SearchProgress, progress_shown
from analysis.terminal.summary import print_ending, savings, time_shares, verdict
from studies.errors import StudyError
from studies.identity import Identity, differences
from studies.metrics import METRICS
from studies.state.ranking import best_trial
from studies.state.rungs import Rung, Rungs
from studies.study import Study, begin_or_continue
from studies.study_folder import StudyFolder
from tests.toys.search import ToyDriver, study_of, toy_space
from voting.candidates.studies import find_studies
from voting.candidates.tasks import choose_studies

DATA = {"images": "a", "labels": "l", "root": "/", "classes": ["x"], "resize": "squeeze"}


@pytest.fixture
def driver(tmp_path: Path) -> ToyDriver:
    return ToyDriver(tmp_path / "record.jsonl", toy_space(), slots=2).start().finish()


def test_every_trial_is_counted_in_exactly_one_place_at_every_moment(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(), slots=2).start()
    while driver.tick():
        counts = count_trials(driver.run.state, driver.run.facts)
        assert sum(vars(counts).values()) == len(driver.run.state.trials)
        assert counts.climbing <= 2


def test_at_the_end_nothing_climbs_and_the_finalists_and_the_recipe_are_finished(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(race="none"), slots=2).start().finish()
    counts = count_trials(driver.run.state, driver.run.facts)
    assert counts.climbing == 0
    assert (
        counts.finished
        == sum(driver.run.facts.rungs.top in trial.scores for trial in driver.run.state.trials.values())
        >= 3
    )


def test_at_the_end_nobody_rests_who_has_no_way_to_go_on(tmp_path: Path) -> None:
    for strategy in ("fold_ladder", "survey", "full"):
        space = toy_space(scheduler=strategy, trials=16)
        ended = ToyDriver(tmp_path / strategy, space, slots=2).start().finish()
        assert count_trials(ended.run.state, ended.run.facts).resting == 0


def test_the_leader_is_the_best_of_those_that_came_furthest(driver: ToyDriver) -> None:
    best = best_trial(driver.run.state, driver.run.facts.rungs)
    assert best is not None
    trial, rung, score = best
    assert rung == driver.run.facts.rungs.top
    assert score == max(other.score_at(rung) or 0 for other in driver.run.state.trials.values())
    assert trial.score_at(rung) == score


def test_the_leaderboard_puts_more_folds_before_a_higher_score(driver: ToyDriver) -> None:
    rows = leaderboard(driver.run.state, driver.run.facts.rungs)
    assert len(rows) == 12
    keys = [(-driver.run.facts.rungs.cost(row.rung), -row.score) for row in rows]
    assert keys == sorted(keys)


def test_a_score_is_shown_with_its_spread_or_says_that_it_has_none() -> None:
    assert Row(1, "tpe", 3, 27, 27, 0.6, (0.5, 0.6, 0.7)).spelled() == "0.600 ± 0.100 (3 folds)"
    assert Row(1, "tpe", 1, 9, 9, 0.6, (0.6,)).spelled() == "0.600 (one fold: spread unknown)"
    assert "part of one fold" in Row(1, "tpe", 0, 3, 3, 0.6, ()).spelled()


def test_the_verdict_says_who_won_by_how_much_and_whether_that_is_a_tie_with_the_recipe() -> None:
    rungs, recipe = Rungs.of(4, 9, (1, 2, 3)), replace(row(0, 0.69), origin="recipe")
    assert verdict([row(3, 0.699), row(2, 0.695), recipe], rungs) == (
        "The recipe is chosen: macro F1 0.690 over all 4 folds. Trial 3 (tpe) is 0.009 ahead, a tie: fold by fold 0.009,"
        " and one time in four luck gives 0.009, and ties go to the recipe."
    )
    assert "0.200 ahead of the recipe (trial 0), no tie" in verdict([row(3, 0.89), recipe], rungs)
    assert verdict([recipe, row(3, 0.6)], rungs).startswith(
        "The recipe won: macro F1 0.690 over all 4 folds. It is 0.090"
    )
    early = verdict([row(3, 0.7, 2), replace(recipe, rung=Rung(1, 9), folds=1)], rungs)
    assert early.startswith(
        "Trial 3 (tpe) leads: macro F1 0.700 over 2 of 4 folds. No trial can be compared with it yet"
    )
    assert "There is no score of the recipe to compare it with" in verdict([row(3, 0.7)], rungs), "it has failed"
    first = Row(1, "tpe", 0, 2, 0, 0.9, ())
    assert "over 2 of 9 epochs of one fold" in verdict([first, replace(first, trial=0, origin="recipe")], rungs)
    assert verdict([], rungs) == "No trial has a score yet."


def test_a_loss_is_shown_by_its_own_value_and_less_of_it_wins() -> None:
    loss, rungs = METRICS["log_loss"], Rungs.of(4, 9, (1, 2, 3))
    better, recipe = (replace(row(trial, -value), metric=loss) for trial, value in ((1, 0.30), (0, 0.35)))
    assert verdict([better, replace(recipe, origin="recipe")], rungs).startswith(
        "Trial 1 (tpe) won: log loss 0.300 over all 4 folds. It is 0.050 ahead of the recipe"
    )


def row(trial: int, score: float, folds: int = 4, fold_epochs: int | None = None) -> Row:
    uneven = trial / 100  # trials differ in which folds suit them
    scores = (score - 0.1 + uneven, score - uneven, score + 0.1, score)[:folds]
    return Row(trial, "tpe", folds, fold_epochs or 9 * folds, Rung(folds, 9) if folds else None, score, scores)


def test_trials_that_stand_on_different_folds_are_not_called_a_tie() -> None:
    assert not is_tie(row(0, 0.70), row(1, 0.71, folds=2))
    assert is_tie(row(1, 0.703), row(0, 0.70))
    assert not is_tie(row(1, 0.72), row(0, 0.70))


def test_ahead_by_the_pooled_score_but_behind_or_equal_fold_by_fold_is_a_tie() -> None:
    recipe = replace(row(0, 0.69), origin="recipe")
    behind = replace(row(0, 0.66), trial=3, score=0.70)  # behind on every fold, by more than noise
    equal = replace(recipe, trial=4, origin="tpe", score=0.70)
    assert chosen([behind, recipe]) is recipe
    assert chosen([equal, recipe]) is recipe


def test_what_is_chosen_is_the_best_but_never_by_chance_alone() -> None:
    recipe = replace(row(0, 0.69), origin="recipe")
    assert chosen([row(3, 0.699), recipe]) is recipe
    assert chosen([better := row(3, 0.75), recipe]) is better
    assert chosen([deeper := row(3, 0.70), replace(recipe, rung=Rung(1, 9), folds=1, fold_scores=(0.69,))]) is deeper
    assert chosen([]) is None


def test_a_trial_on_its_way_to_the_next_rung_is_compared_at_the_last_one_it_reached() -> None:
    study, rungs = study_of({1: [0.5] * 20, 2: [0.6] * 18}), Rungs.of(5, 9, (1, 2, 3))
    first, second = leaderboard(study, rungs)
    assert (first.trial, first.rung, second.rung) == (2, (2, 9), (2, 9)), "two epochs more are no better score"


def test_savings_are_told_against_all_folds_of_all_trials(driver: ToyDriver) -> None:
    spent = driver.run.state.fold_epochs
    assert savings(driver.run.state, driver.run.facts.rungs) == (
        f"The ladder spent {spent} fold-epochs; all folds of all 12 trials would be 324: {1 - spent / 324:.0%} saved."
    )


def test_the_time_of_trials_is_told_by_what_they_did(driver: ToyDriver) -> None:
    assert time_shares(driver.run.state) is None  # a record of an earlier version
    first, second = driver.run.state.trials[0].epochs[:2]
    first.phases.update(train=8.0, judge=1.0, prepare=0.5)
    second.phases.update(save=0.5)
    told = time_shares(driver.run.state)
    assert told == "Trials spent their time: 80.0% training, 10.0% judging, 5.0% saving, 5.0% making models."


def test_a_pipe_gets_plain_lines_and_a_terminal_a_table(driver: ToyDriver) -> None:
    for terminal in (False, True):
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=150)
        with progress_shown(console, {"toy": driver.run}):
            pass
        assert "12/12: 0 climbing" in out.getvalue()
        assert ("learning_rate" in out.getvalue()) == terminal, "the whole configuration is no line's business"
        assert ("\x1b[" in out.getvalue()) == terminal


def test_the_ending_names_the_best_the_failures_and_the_folder(driver: ToyDriver, tmp_path: Path) -> None:
    driver.run.state.trials[5].failure, driver.run.state.trials[5].reason = "not_finite", "the loss is nan"
    out = io.StringIO()
    ended = (StudyFolder(tmp_path), driver.run.state, toy_space(), driver.run.facts)
    print_ending(Console(file=out, width=150), *ended, verbose=False)
    first = out.getvalue().splitlines()[0]
    assert " won: macro F1 " in first
    assert "agrees with next" not in out.getvalue()
    assert "agrees with next" in (tmp_path / "rungs.txt").read_text()
    for words in (
        "Leaderboard",
        "learning_rate",
        "trial 5 failed (not_finite): the loss is nan",
        "saved",
        "python -m analysis.page",
    ):
        assert words in out.getvalue()
    told = io.StringIO()
    print_ending(Console(file=told, width=150), *ended, verbose=True)
    assert told.getvalue().count("agrees with next") == 1


def test_a_plain_line_says_what_changed_since_the_last_one(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "r.jsonl", toy_space()).start()
    progress = SearchProgress(Console(file=io.StringIO()), driver.run)
    driver.tick()
    assert "best 0.550 trial 0 (recipe, 1 epoch of one fold)" in progress.line()
    driver.run.state.trials[0].scores[Rung(1, 1)] = 0.6
    line = progress.line()
    assert "best 0.600 trial 0" in line
    assert "trials" not in line
    assert progress.line().endswith(": nothing new") or "time left" in progress.line()


def test_parameters_are_spelled_short() -> None:
    assert (
        spell_parameters({"learning_rate": 0.00123456, "optimizer": "sgd"}) == "learning_rate 0.001235, optimizer sgd"
    )


def test_differences_are_told_by_dotted_key() -> None:
    assert list(differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4})) == [
        ("a.b", 1, 3),
        ("a.c", 2, "(absent)"),
        ("d", "(absent)", 4),
    ]


def test_a_study_is_itself_under_another_budget_and_another_under_other_images(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "toy")
    folder.lock().release()
    data, splits = {"images": "a", "labels": "l", "cache": "/here"}, {"digest": "s"}
    begin_or_continue(folder, Identity(toy_space(), data, splits), {"samples.csv": "id\n"})
    assert folder.exists()
    assert Study.existing(folder).space == toy_space()
    Study.existing(folder).refuse_another(
        Identity(toy_space(trials=99, sampler="tpe", finalists=5), {**data, "cache": "/there"}, splits)
    )
    for identity in (
        Identity(toy_space(folds=4), data, splits),
        Identity(toy_space(), {**data, "images": "b"}, splits),
        Identity(toy_space(), {**data, "labels": "m"}, splits),
    ):
        with pytest.raises(StudyError, match="holds another study"):
            Study.existing(folder).refuse_another(identity)


def test_a_study_of_another_version_is_refused_by_its_format(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "toy")
    folder.path.mkdir()
    identity = Identity(toy_space(), {"images": "a", "labels": "l"}, {"digest": "s"})
    begin_or_continue(folder, identity, {})
    folder.begun.write_text('{"format": 99, "fold_order": "sequential", "plugins": {}}')
    with pytest.raises(
        StudyError, match=r"study\.json: is of format 99, this version of Foldrace reads formats 2 to 3; take"
    ):
        Study.existing(folder).refuse_another(identity)
    folder.begun.unlink()
    with pytest.raises(
        StudyError, match=r"was begun by an earlier version of Foldrace .*begin anew under another name"
    ):
        Study.existing(folder)


@pytest.mark.parametrize("name", ["data.json", "splits.json", "space.yaml", "study.json"])
@pytest.mark.parametrize("content", ["{", "[1]", None])
def test_a_damaged_file_of_a_study_is_named_with_the_way_out(tmp_path: Path, name: str, content: str | None) -> None:
    folder = StudyFolder(tmp_path / "toy")
    folder.path.mkdir()
    data, splits = {"images": "a", "labels": "b", "classes": ["x"]}, {"digest": "c"}
    identity = Identity(toy_space(), data, splits)
    begin_or_continue(folder, identity, {})
    (folder.path / name).unlink() if content is None else (folder.path / name).write_text(content)
    if (name, content) == ("space.yaml", None):
        assert not folder.exists(), "space.yaml comes last: without it there is no study"
        return
    if (name, content) == ("study.json", None):
        return  # of an earlier version: see above
    with pytest.raises(StudyError, match=rf"{name}: .*restore it, or (take another|begin anew)"):
        Study.existing(folder).refuse_another(identity)


def test_a_results_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where a folder should be")
    with pytest.raises(StudyError, match=r"cannot be written .*; choose another folder with --results"):
        StudyFolder(tmp_path / "results/toy").lock()


def test_an_empty_results_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"holds no study; run launch_search\.py first"):
        find_studies(tmp_path)


def test_an_unfinished_study_says_how_far_it_is(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "toy")
    folder.lock().release()
    begin_or_continue(folder, Identity(toy_space(), DATA, {"digest": "s"}), {})
    driver = ToyDriver(folder.record, toy_space()).start()
    for _ in range(3):
        driver.tick()
    driver.record.close()
    with pytest.raises(
        StudyError, match=r"no fold is finished yet; 1 trials are begun, the furthest fold stands at 3 of 9 epochs"
    ):
        choose_studies([folder])
