"""How long a search takes however many slots there are: a finalist has a first fold before it, and the finals after it."""

from schedulers.spending.makespan import makespan
from schedulers.strategy import Strategy
from studies.state.ranking import competitors
from studies.state.study_state import StudyState


def critical_path(study: StudyState, strategy: Strategy, open_work: float, slots: int) -> float:
    """Return the fold-epochs of one slot until the end of finals that have not begun; 0 without any.

    `open_work` is what the search has before it, finals included, in fold-epochs.
    """
    trials = competitors(study)
    in_first_fold = [trial for trial in trials if trial.climbing and trial.epochs_of(0) < strategy.epochs]
    if not strategy.has_finals or (trials and not in_first_fold):
        return 0.0
    least = min((trial.epochs_of(0) for trial in in_first_fold), default=0)
    before = max((open_work - sum(_folds_of_finals(strategy))) / slots, float(strategy.epochs - least))
    return before + _length_of_finals(strategy, slots)


def _length_of_finals(strategy: Strategy, slots: int) -> float:
    """Return how long finals take.

    With more slots than finalists free ones train folds as guesses: half way between everybody leaving early and nobody leaving.
    """
    shortest = makespan(_folds_of_finals(strategy), slots)
    longest = makespan(_folds_of_finals(strategy, all_stay=slots > strategy.finalists), slots)
    return (shortest + longest) / 2


def _folds_of_finals(strategy: Strategy, *, all_stay: bool = False) -> list[float]:
    """Return the length of every fold that finals train: all of the leader's, and those that the others need to be out."""
    needed = strategy.folds_expected(leads=True) + (strategy.finalists - 1) * strategy.folds_expected(leads=all_stay)
    return [float(strategy.epochs)] * max(0, needed - strategy.finalists)
