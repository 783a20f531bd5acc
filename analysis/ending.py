"""What a search prints when it ends: leaderboard, savings, failures, where everything lies, what to run next."""

from collections import Counter

from rich.console import Console

from analysis.leaderboard import leaderboard, leaderboard_table, tie_note
from analysis.progress import spell_parameters
from analysis.rungs import advice, rung_table, rungs_shown
from schedulers.ladder import Ladder
from schedulers.study_folder import StudyFolder
from schedulers.study_state import StudyState
from search_spaces import SearchSpace
from search_spaces.sizes import spell_size


def print_ending(console: Console, folder: StudyFolder, study: StudyState, space: SearchSpace, ladder: Ladder) -> None:
    """Print what came out of a search."""
    rows = leaderboard(study, ladder, folder.path, space.metric)
    if rows:
        console.print(leaderboard_table(rows))
        best = study.trials[rows[0].trial]
        console.print(
            f"Best so far, trial {best.number}: {spell_parameters(space.active(best.configuration)) or 'the recipe'}",
            highlight=False,
        )
    if note := tie_note(rows):
        console.print(note, highlight=False, markup=False)
    if study.trials:
        console.print(rungs_shown(rung_table(study, ladder)))
    if told := advice(study, ladder):
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    for trial in study.trials.values():
        if trial.failure:
            log = folder.trials / str(trial.number) / "failure.txt"
            console.print(
                f"trial {trial.number} failed ({trial.failure}): {trial.reason}{f'; log: {log}' if log.exists() else ''}",
                style="yellow",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    console.print(savings(study, ladder), highlight=False, soft_wrap=True)
    if told := time_shares(study):
        console.print(told, highlight=False, soft_wrap=True)
    if study.bytes_dropped:
        dropped = (
            f"The disk budget took {spell_size(study.bytes_dropped)} of states and weights that are not needed to vote."
        )
        console.print(dropped, highlight=False, soft_wrap=True)
    console.print(
        f"Study: {folder.path}  (record.jsonl, trials/, TensorBoard: tensorboard --logdir {folder.trials})",
        highlight=False,
        soft_wrap=True,
    )


def savings(study: StudyState, ladder: Ladder) -> str:
    """Return what the ladder saved against training all folds of all trials."""
    whole = len(study.trials) * ladder.top
    if not whole:
        return "Nothing was trained."
    spent = study.fold_epochs
    return (
        f"The ladder spent {spent} fold-epochs; all folds of all {len(study.trials)} trials would be {whole}:"
        f" {1 - spent / whole:.0%} saved."
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


def finished_trials(study: StudyState, ladder: Ladder) -> int:
    """Return how many trials have trained all folds: those an export may choose from."""
    return sum(trial.fold_epochs >= ladder.top for trial in study.trials.values())
