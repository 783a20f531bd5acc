"""Where one trial of a study stands."""

from dataclasses import dataclass, field
from typing import Any

from studies.record.events import WITHDRAWN, ClimbEnded, ClimbStarted, EpochScored, TrialFailed
from studies.state.rungs import Rung, Rungs


@dataclass(eq=False)
class FoldState:
    """One fold of a trial: its epochs, and its climb if there is one."""

    epochs: list[EpochScored] = field(default_factory=list)
    bound_for: int = 0  # epochs that its last climb was to reach
    attempt: int = 0
    climbing: bool = False
    micro_batches: int = 1  # parts in which its last climb trained each batch
    tries_lost: int = 0  # climbs that ended in a failure to be tried again, since the last finished epoch
    owes_weights: bool = False  # dropped while the trial had folds to train: trained again before it can vote

    @property
    def interrupted(self) -> bool:
        """Tell whether it rests on the way to where its last climb was bound, left there by a stop or a crash."""
        return not self.climbing and len(self.epochs) < self.bound_for


@dataclass(eq=False)  # two trials are the same only if they are one
class TrialState:
    """One trial as the record tells it."""

    number: int
    configuration: dict[str, Any]
    origin: str
    expected: float | None = None  # its place by what was seen on other data
    epochs: list[EpochScored] = field(default_factory=list)  # of all folds, as they came
    folds: dict[int, FoldState] = field(default_factory=dict)  # those that were begun
    scores: dict[Rung, float] = field(default_factory=dict)  # pooled, at every rung that it reached
    arrivals: dict[Rung, int] = field(default_factory=dict)  # the state's version when it came to a rung
    failure: str | None = None
    reason: str | None = None
    taken_back: bool = False  # its failure was forgiven once: not a second time
    micro_batches: int = 1  # parts in which each of its batches is trained from now on
    withdrawn: bool = False  # somebody asked to stop it, which is no fault of its configuration

    @property
    def fold_epochs(self) -> int:
        """Return the fold-epochs that it has trained: what it cost."""
        return len(self.epochs)

    @property
    def progress(self) -> dict[int, int]:
        """Return the epochs of every fold that was begun."""
        return {fold: len(state.epochs) for fold, state in self.folds.items()}

    @property
    def climbing(self) -> bool:
        """Tell whether any of its folds is being trained."""
        return any(fold.climbing for fold in self.folds.values())

    @property
    def climbs(self) -> list[tuple[int, FoldState]]:
        """Return the folds that are being trained, by number."""
        return [(number, fold) for number, fold in self.folds.items() if fold.climbing]

    @property
    def interrupted(self) -> bool:
        """Tell whether any of its folds rests on the way to where it was bound."""
        return self.failure is None and any(fold.interrupted for fold in self.folds.values())

    @property
    def tries_lost(self) -> int:
        """Return how often a climb was lost since its fold's last epoch, of the fold where that is most."""
        return max((fold.tries_lost for fold in self.folds.values()), default=0)

    def fold(self, number: int) -> FoldState:
        """Return a fold, begun now if it was not."""
        return self.folds.setdefault(number, FoldState())

    def epochs_of(self, fold: int) -> int:
        """Return how many epochs of a fold are trained."""
        state = self.folds.get(fold)
        return 0 if state is None else len(state.epochs)

    def lacks(self, fold: int, epochs: int) -> bool:
        """Tell whether a fold has fewer epochs, and is not being trained."""
        state = self.folds.get(fold)
        return state is None or (not state.climbing and len(state.epochs) < epochs)

    def has_trained(self, rung: Rung) -> bool:
        """Tell whether each of a rung's folds has its epoch, whatever else is trained."""
        return all(self.epochs_of(fold) >= rung.epoch for fold in range(rung.folds))

    def score_at(self, rung: Rung) -> float | None:
        """Return the pooled score at a rung, None before it got there."""
        return self.scores.get(rung)

    def standing(self, rungs: Rungs) -> Rung | None:
        """Return the highest rung that it has reached and was scored at, None before the first."""
        return next((rung for rung in reversed(rungs.levels) if rung in self.scores and self.has_trained(rung)), None)

    def remaining(self) -> int:
        """Return the fold-epochs that its running climbs have before them."""
        return sum(fold.bound_for - len(fold.epochs) for fold in self.folds.values() if fold.climbing)

    def fold_scores(self, epochs: int) -> list[float]:
        """Return the own scores of the first folds that have all their epochs, up to the first that has not."""
        scores = list[float]()
        while len((fold := self.folds.get(len(scores), FoldState())).epochs) >= epochs:
            scores.append(fold.epochs[epochs - 1].score)
        return scores

    def start(self, climb: ClimbStarted) -> None:
        """Take in that a fold is being trained."""
        fold = self.fold(climb.fold)
        fold.climbing, fold.bound_for, fold.attempt = True, climb.epoch, climb.attempt
        fold.micro_batches = self.micro_batches

    def end(self, climb: ClimbEnded) -> None:
        """Take in that a climb of a fold is over; where memory did not suffice, batches have twice the parts that it had."""
        fold = self.fold(climb.fold)
        if climb.attempt < fold.attempt:  # another has the fold by now
            return
        fold.climbing = False
        fold.tries_lost += climb.reason == "lost"
        if climb.reason == "out_of_memory":  # a fold beside it that had as few parts runs out of memory, too
            self.micro_batches = max(self.micro_batches, 2 * fold.micro_batches)

    def fail(self, event: TrialFailed) -> None:
        """Take in that it is out; folds beside the one that failed end at their next report, all if somebody stopped it."""
        self.failure, self.reason = event.failure, event.reason
        for number, fold in self.folds.items():
            fold.climbing &= event.failure == WITHDRAWN or event.fold not in (None, number)

    def restore(self, *, in_search: bool) -> None:
        """Take in that its failure is forgiven; a launch does that once, and no climb of its folds goes on then."""
        self.failure, self.reason = None, None
        self.taken_back |= not in_search
        for fold in self.folds.values():
            fold.climbing &= in_search
            fold.tries_lost = 0

    def rewind(self, fold: int, epochs: int) -> None:
        """Forget what a fold trained beyond some epochs, and the rungs that stood on it."""
        self.epochs = [epoch for epoch in self.epochs if epoch.fold != fold or epoch.epoch < epochs]
        self.folds[fold] = FoldState(self.fold(fold).epochs[:epochs], epochs, self.fold(fold).attempt)
        self.scores = {rung: score for rung, score in self.scores.items() if self.has_trained(rung)}
        self.arrivals = {rung: version for rung, version in self.arrivals.items() if rung in self.scores}

    def replace_score(self, fold: int, score: float) -> None:
        """Take in that a finished fold was trained and predicted again: its weights are there."""
        state = self.fold(fold)
        state.epochs[-1] = state.epochs[-1].model_copy(update={"score": score})
        state.owes_weights = False
        place = max(place for place, epoch in enumerate(self.epochs) if epoch.fold == fold)
        self.epochs[place] = state.epochs[-1]
