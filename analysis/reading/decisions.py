"""What was decided in a study, in words: one line for every event that decides something."""

from analysis.reading.words import counted, ordinal, spell_differences, spell_fold_epochs
from schedulers.ladder import Ladder, competitors
from search_spaces import SearchSpace
from search_spaces.durations import spell_duration
from search_spaces.sizes import spell_size
from studies.events import (
    ClimbEnded,
    ClimbStarted,
    Dropped,
    Event,
    FieldClosed,
    Launched,
    Requested,
    Rewound,
    TrialAdded,
    TrialFailed,
)
from studies.metrics import METRICS
from studies.requests import spell_request
from studies.study_state import StudyState, TrialState


class Decisions:
    """Tells events of one study, each after the study's state has taken it in."""

    def __init__(self, space: SearchSpace, ladder: Ladder, study: StudyState) -> None:
        self._space, self._ladder, self._study = space, ladder, study
        self._metric = METRICS[space.metric]

    def told(self, event: Event) -> str | None:
        """Return what an event decided, None where it decided nothing."""
        match event:
            case Launched():
                return _launch(event)
            case FieldClosed():
                return f"No further trial begins: {event.reason}."
            case Requested():
                return f"Asked from another terminal: {spell_request(event.request)}."
            case TrialAdded():
                return f"Trial {event.trial} joins ({event.origin}): {self._knobs(event)}."
            case TrialFailed():
                return f"Trial {event.trial} is out ({event.failure}): {event.reason}."
            case Dropped():
                return f"The disk budget took {event.part} of trial {event.trial} ({spell_size(event.bytes)})."
            case Rewound():
                stands = counted(event.fold_epochs, "fold-epoch")
                return f"Trial {event.trial} stands at {stands} again: what it had beyond was set aside, or its setup mended."
            case ClimbStarted() | ClimbEnded() if event.trial in self._study.trials:
                trial = self._study.trials[event.trial]
                return self._started(trial) if isinstance(event, ClimbStarted) else self._ended(trial, event)
        return None

    def _knobs(self, event: TrialAdded) -> str:
        known = spell_differences(self._space.active(event.configuration), self._space.recipe())
        return "the known good configuration" if event.origin == "recipe" else known

    def _started(self, trial: TrialState) -> str | None:
        """Return where a trial goes on to, and by what right; None for its very first climb."""
        if not trial.epochs:
            return None
        to = f"{self._named(trial)} goes on to {spell_fold_epochs(trial.rung, self._ladder)}"
        if trial.fold_epochs not in self._ladder.rungs:
            return f"{to}, from {counted(trial.fold_epochs, 'fold-epoch')} where it was interrupted."
        if trial.origin == "recipe":
            return f"{to}: it is compared with everything, so it trains all folds."
        return f"{to}: {self._standing(trial)}."

    def _ended(self, trial: TrialState, event: ClimbEnded) -> str:
        name = self._named(trial)
        if event.reason == "lost":
            return f"{name} lost its process after {counted(trial.fold_epochs, 'fold-epoch')}; it is tried once more from there."
        if event.reason == "out_of_memory":
            return f"{name} ran out of memory; it is tried once more."
        score = trial.score_at(trial.fold_epochs)
        where = spell_fold_epochs(trial.fold_epochs, self._ladder)
        if event.reason == "stopped" or score is None:
            return f"{name} was stopped after {where}."
        if trial.fold_epochs >= self._ladder.top:
            return f"{name} has trained {where}: {self._metric.title} {self._metric.spelled(score)}."
        rests = f"{name} rests after {where} at {self._metric.spelled(score)}"
        return f"{rests}." if trial.origin == "recipe" else f"{rests}: {self._standing(trial)}."

    def _standing(self, trial: TrialState) -> str:
        """Return a trial's place among those that came to where it stands, such as 'third of 16 after 3 epochs'."""
        ranked = self._ladder.ranked(competitors(self._study), trial.fold_epochs)
        place = next((place for place, other in enumerate(ranked, 1) if other is trial), len(ranked))
        return f"{ordinal(place)} of {len(ranked)} after {spell_fold_epochs(trial.fold_epochs, self._ladder)}"

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
