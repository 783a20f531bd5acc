"""What a study says about its configurations: which are worth trying elsewhere, best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.reading.opened import open_study
from search_spaces import SearchSpace
from search_spaces.portfolio import Entry, Nets, Portfolio, backbones
from studies.errors import StudyError
from studies.state.ranking import least_promising_first
from studies.state.trial_state import TrialState
from studies.study_folder import StudyFolder

DIGITS = 4  # of a place


@dataclass(frozen=True)
class Judged:
    """A study's trials that have a score, the least promising first."""

    name: str
    space: SearchSpace
    trials: tuple[TrialState, ...]
    classes: tuple[str, ...] = ()

    @property
    def places(self) -> list[float]:
        """Return the place of every trial from 0 to 1."""
        return [round(place / max(1, len(self.trials) - 1), DIGITS) for place in range(len(self.trials))]

    def entries(self, knobs: Sequence[str]) -> list[Entry]:
        """Return the trials' configurations by knobs that did something, fixed ones too."""
        return [
            Entry(origin=f"{self.name} trial {one.number}", configuration=self._values(one, knobs), place=place)
            for one, place in zip(self.trials, self.places, strict=True)
        ]

    def _values(self, trial: TrialState, knobs: Sequence[str]) -> dict[str, Any]:
        whole = self.space.complete(trial.configuration)
        active = (whole.keys() - self.space.parameters.keys()) | self.space.active(whole).keys()
        return {name: whole[name] for name in knobs if name in active}


def read_judged(folder: StudyFolder) -> Judged:
    """Return a study's trials in the order of their promise.

    Raises:
        StudyError: there is no study, or no trial has a score yet.
    """
    study = open_study(folder.path)
    promising = least_promising_first(study.state, study.rungs)
    trials = tuple(trial for trial in promising if trial.epochs and trial.failure is None)
    if not trials:
        raise StudyError(f"{folder.path}: no trial of it has a score yet; let it run first")
    return Judged(folder.name, study.space, trials, tuple(study.study.classes))


def best_of(study: Judged, first: int) -> Portfolio:
    """Return the configurations of one study, best first."""
    return portfolio([study], study.entries(list(study.space.parameters))[::-1], first)


def portfolio(studies: Sequence[Judged], ordered: Sequence[Entry], first: int) -> Portfolio:
    """Return ordered configurations as a portfolio."""
    return Portfolio(
        format=1,
        metric=", ".join(dict.fromkeys(study.space.metric for study in studies)),
        sets=tuple(study.name for study in studies),
        nets=_nets([study.space for study in studies]),
        first=min(first, len(ordered)),
        configurations=tuple(ordered),
    )


def _nets(spaces: Sequence[SearchSpace]) -> Nets:
    recipes = [space.recipe() for space in spaces]
    return Nets(
        backbones=tuple(dict.fromkeys(name for space in spaces for name in backbones(space))),
        image_sizes=tuple(sorted({int(recipe["image_size"]) for recipe in recipes})),
        epochs=tuple(sorted({int(recipe["epochs"]) for recipe in recipes})),
    )
