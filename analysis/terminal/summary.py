"""What a search prints when it ends: the verdict, the leaderboard, failures, and where everything lies."""

from collections import Counter
from contextlib import suppress
from functools import partial
from io import StringIO
from statistics import mean

from rich.console import Console

from analysis.leaderboard.rows import Row, chosen, is_tie, leaderboard, leaderboard_table, noise
from analysis.reading.pace import share_saved
from analysis.reading.rungs import advice, rung_table, rungs_shown
from analysis.reading.waiting import waiting_advice
from analysis.reading.words import spell_parameters, typed_path
from command_line.commands import typed
from command_line.console import say
from search_spaces import SearchSpace
from search_spaces.durations import spell_duration
from search_spaces.sizes import spell_size
from storage.atomic import write_text
from studies.state.rungs import Rungs
from studies.state.search_facts import SearchFacts
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.study_folder import StudyFolder


def print_ending(
    console: Console, folder: StudyFolder, study: StudyState, space: SearchSpace, facts: SearchFacts, *, verbose: bool
) -> None:
    """Print what came out of a search; how it was spent goes into `rungs.txt` of the study, and is shown if `verbose`."""
    here = partial(say, to=console)
    rungs = facts.rungs
    rows = leaderboard(study, rungs, space.metric)
    here(verdict(rows, rungs), style="bold")
    if winner := chosen(rows):
        configuration = space.active(study.trials[winner.trial].configuration)
        here(f"  {spell_parameters(configuration) or 'nothing was varied'}")
        console.print(leaderboard_table(rows))
    for trial in study.trials.values():
        if trial.failure:
            here(_spelled_failure(trial, folder), style="yellow")
    if line := waiting_advice(study):
        say(line, to=console)
    if line := advice(study, facts):
        here(line)
    if study.bytes_dropped:
        here(
            f"The disk budget took {spell_size(study.bytes_dropped)} of states and weights that are not needed to vote."
        )
    spending = StringIO()
    print_spending(Console(file=spending, width=100), study, facts)
    with suppress(OSError):  # a full disk has paused the search, and that is said elsewhere
        write_text(folder.rungs, spending.getvalue())
    if verbose:
        console.print(rungs_shown(rung_table(study, rungs), rungs))
        here(time_shares(study) or "")
    here(f"{len(study.trials)} trials in {spell_duration(study.elapsed)} of search. {savings(study, rungs)}")
    here(f"Study: {typed_path(folder.path)}  (rungs.txt: how it was spent; {typed('page')} {typed_path(folder.path)})")


def verdict(rows: list[Row], rungs: Rungs) -> str:
    """Return who is ahead, by how much, and whether that is a tie with the recipe."""
    if not rows:
        return "No trial has a score yet."
    if chosen(rows) is not rows[0]:
        return _kept(rows[0], next(row for row in rows if row.origin == "recipe"), rungs)
    best, others = rows[0], rows[1:]
    whole = best.rung == rungs.top
    who = "The recipe" if best.origin == "recipe" else f"Trial {best.trial} ({best.origin})"
    known = f"{best.metric.title} {best.metric.spelled(best.score)} over {_how_far(best, rungs)}"
    other = next((row for row in others if best.origin == "recipe" or row.origin == "recipe"), None)
    return f"{who} {'won' if whole else 'leads'}: {known}. {_against(best, other)}"


def _kept(best: Row, recipe: Row, rungs: Rungs) -> str:
    """Return that the recipe is chosen although a trial is ahead."""
    known = f"{recipe.metric.title} {recipe.metric.spelled(recipe.score)} over {_how_far(recipe, rungs)}"
    return (
        f"The recipe is chosen: {known}. Trial {best.trial} ({best.origin}) is {abs(best.score - recipe.score):.3f} ahead, a tie:"
        f" {_luck(best, recipe)}, and ties go to the recipe."
    )


def _how_far(row: Row, rungs: Rungs) -> str:
    if not row.folds:
        return f"{row.fold_epochs} of {rungs.epochs} epochs of one fold"
    return f"{'all' if row.folds == rungs.folds else f'{row.folds} of'} {rungs.folds} folds"


def _against(best: Row, other: Row | None) -> str:
    """Return by how much the best trial is ahead of the recipe, or the recipe of the next, in words."""
    name = "the recipe" if best.origin != "recipe" else "the next"
    if other is None:
        return f"There is no score of {name} to compare it with."
    if other.rung != best.rung or best.rung is None or len(other.fold_scores) != len(best.fold_scores):
        return f"No trial can be compared with it yet: {name} (trial {other.trial}) was not judged on the same folds."
    ahead = f"It is {best.score - other.score:.3f} ahead of {name} (trial {other.trial})"
    if best.spread is None or other.spread is None:
        return f"{ahead}; one fold alone does not tell the noise."
    return f"{ahead}, {'a tie' if is_tie(best, other) else 'no tie'}: {_luck(best, other)}."


def _luck(one: Row, other: Row) -> str:
    ahead = mean(one.fold_scores) - mean(other.fold_scores)
    return f"fold by fold {ahead:.3f}, and one time in four luck gives {noise(one, other):.3f}"


def print_spending(console: Console, study: StudyState, facts: SearchFacts) -> None:
    """Print how a search was spent, rung by rung."""
    rungs = facts.rungs
    console.print(rungs_shown(rung_table(study, rungs), rungs))
    for line in filter(None, (savings(study, rungs), time_shares(study), advice(study, facts))):
        say(line, to=console)


def _spelled_failure(trial: TrialState, folder: StudyFolder) -> str:
    log = folder.trials / str(trial.number) / "failure.txt"
    where = f"; log: {typed_path(log)}" if log.exists() else ""
    return f"trial {trial.number} failed ({trial.failure}): {trial.reason}{where}"


def savings(study: StudyState, rungs: Rungs) -> str:
    """Return what the ladder saved against training all folds of all trials."""
    share = share_saved(study, rungs)
    if share is None:
        return "Nothing was trained."
    return (
        f"The ladder spent {study.fold_epochs} fold-epochs; all folds of all {len(study.trials)} trials would be"
        f" {len(study.trials) * rungs.whole}: {share:.0%} saved."
    )


_DOING = {"train": "training", "judge": "judging", "save": "saving", "prepare": "making models"}


def time_shares(study: StudyState) -> str | None:
    """Return what the trials did with their time; None if no epoch tells."""
    spent = Counter[str]()
    for trial in study.trials.values():
        for epoch in trial.epochs:
            spent.update(epoch.phases)
    whole = sum(spent[phase] for phase in _DOING)  # a state is written beside judging
    shares = [f"{spent[phase] / whole:.1%} {doing}" for phase, doing in _DOING.items() if spent[phase]]
    return f"Trials spent their time: {', '.join(shares)}." if shares else None
