"""A search that chooses among the recorded configurations of a set, as a launch would begin and go on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.knowledge.recorded_set import RECIPE, RecordedSet
from benchmarks.knowledge.shipped import described
from schedulers.proposal import PORTFOLIO, Proposal
from schedulers.samplers.ask import Asker
from schedulers.samplers.transfer.encoding import encoded
from search_spaces import SearchSpace, load_space
from search_spaces.portfolio import Portfolio, lies_in
from studies.metrics import METRICS
from studies.state.study_state import StudyState, TrialState
from trainables.config import train_config


def shipped_space(sampler: str, seed: int) -> SearchSpace:
    """Return the space that the random configurations were drawn from, with the recipe of the recorded sets."""
    settings = {"search.sampler": sampler, "search.seed": seed, "constants.epochs": 6, "constants.batch_size": 16}
    return load_space(
        "mask", knobs=train_config(), metrics=METRICS, overrides=[f"{name}={value}" for name, value in settings.items()]
    )


class RowJudge:
    """Proposes recorded configurations and judges them by their rows.

    First the recipe, unless it is left out, and `order`, then the nearest to what the space's sampler draws that has not been
    tried; only configurations in `pool` are drawn. The sampler is asked at once, without what a launch puts before it (a start
    at random, places beside trials that fail).
    """

    def __init__(
        self,
        recorded: RecordedSet,
        asker: Asker,
        order: Sequence[int],
        pool: npt.NDArray[np.int64],
        *,
        recipe: bool = True,
    ) -> None:
        self._begins = recipe
        self._table, self._asker, self._order = recorded.table, asker, list(order)
        every = described(recorded.configurations)
        self._whole = [asker.space.complete(_drawn(asker.space, every[name])) for name in recorded.configurations]
        self._recipe = recorded.configurations.index(RECIPE)
        self._pool = pool.tolist()
        self._vectors = encoded(asker.space, [self._whole[place] for place in self._pool])

    def propose(self, number: int, study: StudyState) -> Proposal:
        """Return a configuration that no trial of the study has."""
        tried = {int(trial.configuration["row"]) for trial in study.trials.values()}
        if number == 0 and self._begins:
            return self._of(self._recipe, "recipe")
        waiting = [place for place in self._order if place not in tried]
        if waiting:
            return self._of(waiting[0], PORTFOLIO)
        drawn = encoded(self._asker.space, [self._asker.propose(study, number).configuration])
        away = ((self._vectors - drawn) ** 2).sum(axis=1)
        nearest = next(self._pool[near] for near in np.argsort(away) if self._pool[near] not in tried)
        return self._of(nearest, self._asker.space.search.sampler)

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        """Return the recorded score."""
        return float(self._table.scores[trial.configuration["row"], fold, epoch])

    def seconds(self, trial: TrialState) -> float:
        """Return the recorded time of a fold-epoch."""
        return float(self._table.seconds[trial.configuration["row"]])

    def _of(self, place: int, origin: str) -> Proposal:
        whole = {**self._whole[place], "row": place}
        return Proposal(whole, origin, self._asker.known.place(self._whole[place]))


def _drawn(space: SearchSpace, configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configuration.items() if name in space.parameters}


def drawable(recorded: RecordedSet, space: SearchSpace, portfolio: Portfolio) -> npt.NDArray[np.int64]:
    """Return the places of the configurations that could have been drawn from the space."""
    inside = {entry.origin for entry in portfolio.configurations if lies_in(space, entry)}
    return np.array([place for place, name in enumerate(recorded.configurations) if name in inside])
