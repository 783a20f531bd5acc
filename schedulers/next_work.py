"""What to run next: one pure function of the record, the ladder and the budget."""

from dataclasses import dataclass
from typing import TypeAlias

from schedulers.ladder import Ladder, competitors, finalists, quota, ranked_at
from schedulers.study_state import StudyState, TrialState

LOST_RETRIES = 1  # a climb whose process is lost twice without finishing an epoch fails its trial
RESERVE = 1.15  # fold-epochs vary in length; without a margin the last finalist misses its last fold
SEARCH_SHARE = 0.5  # of a time budget that is too short for its finalists still goes to searching
SAME_FAILURES = 3  # this many first trials failing alike stop the study: it is the setup, not the configuration


@dataclass(frozen=True)
class Climb:
    """Take `trial` to `rung`, counted in fold-epochs."""

    trial: int
    rung: int


@dataclass(frozen=True)
class NewTrial:
    """Ask the sampler for a configuration; the first trial is the recipe."""


@dataclass(frozen=True)
class Wait:
    """Nothing to start until a climb that is in flight ends."""


@dataclass(frozen=True)
class Finished:
    """The study is done under this budget."""

    reason: str


Work: TypeAlias = Climb | NewTrial | Wait | Finished


@dataclass(frozen=True)
class Budget:
    """What a study may cost; `seconds` counts search time over all launches."""

    trials: int
    seconds: float | None = None


def next_work(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> Work:
    """Return what a free slot does next.

    Order: what stands between two rungs (a crash, a stop, another grace period); the recipe; the
    finals once the time or the trials run out; a promotion, highest rung first; a new trial; a finalist that may start early.
    """
    if reason := _stop_reason(study, budget, now):
        return _when_idle(study, reason)
    resting = [trial for trial in study.trials.values() if not trial.climbing and trial.failure is None]
    for trial in resting:
        between = trial.fold_epochs < ladder.top and trial.fold_epochs not in ladder.rungs
        if between or trial.interrupted:
            return Climb(trial.number, ladder.next_rung(trial.fold_epochs))
    all_are_finalists = ladder.finalists >= budget.trials
    for trial in resting:
        if (trial.origin == "recipe" or all_are_finalists) and trial.fold_epochs < ladder.top:
            return Climb(trial.number, ladder.next_rung(trial.fold_epochs))
    closing = _finals_are_due(study, ladder, budget, slots, now)
    all_begun = len(study.trials) >= budget.trials
    if not closing:
        if promoted := _promotion(study, ladder, closed=all_begun):
            return promoted
        if not all_begun:
            return NewTrial()
    return _final_climb(study, ladder, settled=closing) or _when_idle(
        study, "every trial has gone as far as it has earned"
    )


def _stop_reason(study: StudyState, budget: Budget, now: float) -> str | None:
    if budget.seconds is not None and study.seconds_spent(now) >= budget.seconds:
        return "the time budget is spent"
    first = list(study.trials.values())[study.trials_at_launch :][:SAME_FAILURES]
    failures = {(trial.failure, trial.reason) for trial in first}
    if len(first) == SAME_FAILURES and first[0].failure and len(failures) == 1:
        return f"the first {SAME_FAILURES} trials failed alike ({first[0].failure}): {first[0].reason}"
    return None


def _when_idle(study: StudyState, reason: str) -> Wait | Finished:
    return Wait() if study.climbing() else Finished(reason)


def _promotion(study: StudyState, ladder: Ladder, *, closed: bool) -> Climb | None:
    """Return the promotion that is due at the highest epoch rung, if any."""
    for rung in reversed(ladder.epoch_rungs()):
        settled = closed and not _on_the_way(study, ladder, rung)
        for trial in _promotable(study, ladder, rung, closed=settled):
            if not trial.climbing:
                return Climb(trial.number, ladder.next_rung(rung))
    return None


def _promotable(study: StudyState, ladder: Ladder, rung: int, *, closed: bool) -> list[TrialState]:
    """Return the trials that stand at `rung` although they have earned the next one."""
    ranked = ranked_at(competitors(study), rung)
    return [trial for trial in ranked[: quota(ladder, len(ranked), closed=closed)] if trial.fold_epochs == rung]


def _on_the_way(study: StudyState, ladder: Ladder, rung: int) -> bool:
    """Tell whether a trial may still arrive at `rung`: climbing to it, or about to be promoted from below."""
    if any(trial.climbing and trial.fold_epochs < rung for trial in competitors(study)):
        return True
    below = [lower for lower in ladder.epoch_rungs() if lower < rung]
    return any(_promotable(study, ladder, lower, closed=True) for lower in below)


def _final_climb(study: StudyState, ladder: Ladder, *, settled: bool) -> Climb | None:
    """Return the next climb of a finalist; before the field is settled, only the leader may start early."""
    in_first_fold = any(trial.climbing and trial.fold_epochs < ladder.epochs for trial in competitors(study))
    for place, trial in enumerate(finalists(study, ladder)):
        early = not settled and in_first_fold
        if early and (place > 0 or trial.fold_epochs < ladder.epochs):
            return None
        if not trial.climbing and trial.fold_epochs < ladder.top:
            return Climb(trial.number, ladder.next_rung(trial.fold_epochs))
    return None


def _finals_are_due(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> bool:
    """Tell whether the time left is only just enough to finish the recipe and the finalists."""
    seconds, spent = study.seconds_per_fold_epoch(), study.seconds_spent(now)
    if budget.seconds is None or seconds is None or spent < SEARCH_SHARE * budget.seconds:
        return False
    if ladder.finalists >= budget.trials:
        return False
    unfinished = [*finalists(study, ladder), *(trial for trial in study.trials.values() if trial.origin == "recipe")]
    left = [ladder.top - trial.fold_epochs for trial in unfinished]
    makespan = max([*left, sum(left) / slots]) * seconds
    return spent + RESERVE * makespan >= budget.seconds


def ended_by_loss(trial: TrialState) -> bool:
    """Tell whether a trial has lost its process too often in a row to be tried again."""
    return trial.lost_in_a_row > LOST_RETRIES
