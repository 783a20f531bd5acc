"""How fast a search goes, and when it ends, in words."""

from analysis.reading.waiting import spell_load
from search_spaces.durations import spell_duration
from studies.state.rungs import Rungs
from studies.state.study_state import StudyState

_RECENT = 300.0  # seconds over which fold-epochs are counted
_SURE = 0.05  # share of the time left within which forecasts count as one


def throughput(state: StudyState, elapsed: float) -> str:
    """Return the images per second of all trials that train, the fold-epochs a minute lately, and what there is to their load."""
    last = [trial.epochs[-1].images_per_second or 0.0 for trial in state.climbing() if trial.epochs]
    epochs = [epoch.elapsed or 0.0 for trial in state.trials.values() for epoch in trial.epochs[-50:]]
    seconds = min(_RECENT, max(1.0, elapsed - state.time.of_launch))
    recent = sum(elapsed - seconds < at <= elapsed for at in epochs)
    return f"{sum(last):.0f} images/s, {60 * recent / seconds:.1f} fold-epochs a minute{spell_load(state)}"


def spell_left(left: float | None, least: float = 0.0, most: float = 0.0) -> str:
    """Return a forecast, and between what this study's forecasts have wandered where that is more than a little."""
    if left is None:
        return "not known yet"
    about = f"about {spell_duration(left)}"
    if most - least < max(10.0, _SURE * left):
        return about
    return f"{about}, between {spell_duration(least)} and {spell_duration(most)}"


def share_saved(state: StudyState, rungs: Rungs) -> float | None:
    """Return what the ladder saved against training all folds of all trials, as a share; None before the first trial."""
    whole = len(state.trials) * rungs.whole
    return 1 - state.fold_epochs / whole if whole else None
