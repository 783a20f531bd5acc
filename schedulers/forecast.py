"""What a search will cost before it has begun: the ladder climbed with made-up scores."""

import numpy as np

from schedulers.events import ClimbEnded, ClimbStarted, EpochScored, TrialAdded
from schedulers.ladder import Ladder
from schedulers.next_work import Budget, Climb, NewTrial, next_work
from schedulers.study_state import StudyState


def expected_fold_epochs(ladder: Ladder, budget: Budget) -> int:
    """Return the fold-epochs that a budget's trials take, whatever the scores; a time budget is left out."""
    study, generator = StudyState(), np.random.default_rng(0)
    unlimited = Budget(budget.trials)
    while True:
        work = next_work(study, ladder, unlimited, 1, 0.0)
        if isinstance(work, NewTrial):
            number = len(study.trials)
            origin = "recipe" if number == 0 else "forecast"
            study.apply(TrialAdded(time=0, trial=number, configuration={}, origin=origin))
            work = Climb(number, ladder.rungs[0])
        if not isinstance(work, Climb):
            return study.fold_epochs
        _climb(study, work, ladder, float(generator.random()))


def _climb(study: StudyState, climb: Climb, ladder: Ladder, score: float) -> None:
    study.apply(ClimbStarted(time=0, trial=climb.trial, rung=climb.rung, attempt=1))
    for done in range(study.trials[climb.trial].fold_epochs, climb.rung):
        fold, epoch = divmod(done, ladder.epochs)
        study.apply(EpochScored(time=0, trial=climb.trial, fold=fold, epoch=epoch, score=score, seconds=0))
    study.apply(ClimbEnded(time=0, trial=climb.trial, attempt=1, reason="rung"))
