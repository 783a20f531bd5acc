"""What was decided in a study, in words: one line for every event that decides something."""

from analysis.reading.words import counted, ordinal, spell_differences, spell_rung
from search_spaces import SearchSpace
from search_spaces.durations import spell_duration
from search_spaces.sizes import spell_size
from studies.metrics import Metric
from studies.record.events import (
    ClimbEnded,
    ClimbStarted,
    Dropped,
    Event,
    FieldClosed,
    FoldRewound,
    Launched,
    PredictionsReplaced,
    Requested,
    RungReached,
    SearchEnded,
    TrialAdded,
    TrialFailed,
    TrialRestored,
)
from studies.record.requests import spell_request
from studies.state.ranking import competitors, ranked_at
from studies.state.rungs import Rung, Rungs
from studies.state.shown_metric import shown_metric
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


class Decisions:
    """Tells events of one study, each after the study's state has taken it in."""

    def __init__(self, space: SearchSpace, rungs: Rungs, study: StudyState) -> None:
        self._space, self._rungs, self._study = space, rungs, study

    @property
    def _metric(self) -> Metric:
        return shown_metric(self._space.metric, self._study)

    def told(self, event: Event) -> str | None:
        """Return what an event decided, None where it decided nothing."""
        match event:
            case Launched():
                return _launch(event)
            case SearchEnded():
                return f"The search is over ({event.outcome}): {event.reason}."
            case FieldClosed():
                return f"No further trial begins: {event.reason}."
            case Requested():
                return f"Asked from another terminal: {spell_request(event.request)}."
            case TrialAdded():
                return f"Trial {event.trial} joins ({event.origin}): {self._knobs(event)}."
        trial = self._study.trials.get(getattr(event, "trial", -1))
        return None if trial is None else self._told_of(trial, event)

    def _told_of(self, trial: TrialState, event: Event) -> str | None:
        name = self._named(trial)
        match event:
            case TrialFailed():
                return f"{name} is out ({event.failure}): {event.reason}."
            case TrialRestored():
                return f"{name} is taken back: its setup may be mended by now."
            case FoldRewound():
                stands = counted(event.epochs, "epoch")
                return f"{name}, fold {event.fold + 1} stands at {stands} again: the rest was set aside."
            case PredictionsReplaced():
                return f"{name}, fold {event.fold + 1} was trained again: {self._metric.spelled(event.score)}."
            case Dropped():
                fold = "" if event.fold is None else f" fold {event.fold + 1}"
                return f"The disk budget took {event.part} of trial {event.trial}{fold} ({spell_size(event.bytes)})."
            case ClimbStarted():
                return self._started(trial, event)
            case RungReached():
                return self._reached(trial, Rung(event.folds, event.epoch), event.score)
            case ClimbEnded():
                return self._ended(trial, event)
        return None

    def _knobs(self, event: TrialAdded) -> str:
        known = spell_differences(self._space.active(event.configuration), self._space.recipe())
        return "the known good configuration" if event.origin == "recipe" else known

    def _started(self, trial: TrialState, event: ClimbStarted) -> str | None:
        """Return where a trial goes on to, and by what right; None for its very first climb."""
        if not trial.epochs:
            return None
        done = trial.epochs_of(event.fold)
        to = f"{self._named(trial)} goes on with fold {event.fold + 1}, to {counted(event.epoch, 'epoch')}"
        standing = trial.standing(self._rungs)
        if standing is None or (done and self._rungs.cost(standing) != trial.fold_epochs):
            return f"{to}, from {counted(done, 'epoch')} where it was interrupted."
        if trial.origin == "recipe":
            return f"{to}: it is compared with everything, so it trains all folds."
        return f"{to}: {self._place_at(trial, standing)}."

    def _reached(self, trial: TrialState, rung: Rung, score: float) -> str:
        where = spell_rung(rung, self._rungs)
        if rung == self._rungs.top:
            return f"{self._named(trial)} has trained {where}: {self._metric.title} {self._metric.spelled(score)}."
        reached = f"{self._named(trial)} has {self._metric.spelled(score)} after {where}"
        return f"{reached}." if trial.origin == "recipe" else f"{reached}: {self._place_at(trial, rung)}."

    def _ended(self, trial: TrialState, event: ClimbEnded) -> str | None:
        name, done = self._named(trial), counted(trial.epochs_of(event.fold), "epoch")
        match event.reason:
            case "lost":
                return (
                    f"{name} lost its process after {done} of fold {event.fold + 1}; it is tried once more from there."
                )
            case "out_of_memory":
                return f"{name} ran out of memory; its batches are trained in {trial.micro_batches} parts from now on."
            case "stopped":
                return f"{name} was stopped after {done} of fold {event.fold + 1}."
        return None

    def _place_at(self, trial: TrialState, rung: Rung) -> str:
        """Return a trial's place among those that came to a rung, such as 'third of 16 after 3 epochs'."""
        ranked = ranked_at(competitors(self._study), rung)
        place = next((place for place, other in enumerate(ranked, 1) if other is trial), len(ranked))
        return f"{ordinal(place)} of {len(ranked)} after {spell_rung(rung, self._rungs)}"

    def _named(self, trial: TrialState) -> str:
        return f"Trial {trial.number}{' (the recipe)' if trial.origin == 'recipe' else ''}"


def _launch(event: Launched) -> str:
    budgets = {name: event.settings.get(name) for name in ("trials", "time_budget", "fold_epochs")}
    limits = {
        "trials": lambda value: counted(value, "trial"),
        "time_budget": lambda value: f"{spell_duration(value)} of search",
        "fold_epochs": lambda value: counted(value, "fold-epoch"),
    }
    named = ", ".join(limits[name](value) for name, value in budgets.items() if value is not None)
    return f"A launch begins{f', for {named} in all' if named else ''}."
