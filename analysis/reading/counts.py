"""Where the trials of a study stand, in numbers: for the live table and the end of a search."""

from dataclasses import dataclass

from schedulers.ladder import Ladder, competitors, ranked_at
from studies.study_state import StudyState, TrialState


@dataclass(frozen=True)
class Counts:
    """How many trials are where; the five numbers add up to all trials."""

    climbing: int
    resting: int  # stands at a rung and may still go on
    out: int  # compared, and not among those that go on
    finished: int
    failed: int


def count_trials(study: StudyState, ladder: Ladder) -> Counts:
    """Count the trials by where they stand now."""
    counts = dict.fromkeys(("climbing", "resting", "out", "finished", "failed"), 0)
    for place in places(study, ladder).values():
        counts[place] += 1
    return Counts(**counts)


def places(study: StudyState, ladder: Ladder) -> dict[int, str]:
    """Return for every trial which of the five numbers it belongs to."""
    still_in = {trial.number for trial in ladder.finals(study)}
    for rung in ladder.rungs[:-1] if not ladder.finals(study) else ladder.epoch_rungs:
        ranked = ranked_at(competitors(study), rung)
        places = ranked[: ladder.places(rung, len(ranked))]
        still_in |= {trial.number for trial in places if trial.fold_epochs == rung}
    return {
        trial.number: _place(trial, ladder, trial.number in still_in or trial.origin == "recipe")
        for trial in study.trials.values()
    }


def _place(trial: TrialState, ladder: Ladder, still_in: bool) -> str:
    if trial.failure is not None:
        return "failed"
    if trial.climbing:
        return "climbing"
    if trial.fold_epochs >= ladder.top:
        return "finished"
    return "resting" if still_in or trial.interrupted else "out"
