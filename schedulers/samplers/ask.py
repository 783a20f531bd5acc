"""Asking Optuna for a configuration: a fresh projection and a fresh sampler for every question, seeded by its number."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from schedulers.proposal import Proposal
from schedulers.samplers.dimensions import draw_active, draw_all
from schedulers.samplers.projection import in_memory_study
from schedulers.samplers.registry import SAMPLERS, make_sampler, sampler_in_charge
from schedulers.samplers.sequence import nth_of_sequence
from schedulers.samplers.transfer.known import Known
from schedulers.strategy import Strategy
from search_spaces import SearchSpace
from search_spaces.portfolio import Portfolio
from studies.state.study_state import StudyState


@dataclass(frozen=True)
class Asker:
    """Asks a space's sampler; `portfolio` is what it may know of other data."""

    space: SearchSpace
    strategy: Strategy
    portfolio: Portfolio | None = None

    @cached_property
    def known(self) -> Known:
        """Return what the portfolio says of this space's configurations."""
        return Known(self.space, self.portfolio)

    def propose(self, study: StudyState, number: int, retry: int = 0) -> Proposal:
        """Return a proposal for trial `number`, given all that the study knows.

        `retry` asks the same question once more, for an answer that was tried before. A sampler that insists on it is no
        longer asked after its `tries` but its fallback, in the end chance; the origin says who answered.
        """
        name = sampler_in_charge(self.space.search.sampler, retry)
        derived = int(np.random.SeedSequence([self.space.search.seed, number, retry]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name == "qmc":
                sequence = make_sampler(self.space, self.space.search.seed, (), name, self.known)
                return Proposal(nth_of_sequence(self.space, sequence, number + retry), name)
            trials = SAMPLERS[name].projection(self.space, study, self.strategy)
            sampler = make_sampler(self.space, derived, trials, name, self.known)
            draw = draw_active if SAMPLERS[name].sees_conditions else draw_all
            return Proposal(draw(self.space, in_memory_study(trials, sampler).ask()), name)


def ask(space: SearchSpace, study: StudyState, strategy: Strategy, number: int) -> dict[str, Any]:
    """Return the whole configuration that the space's sampler draws for trial `number`, with nothing known of other data."""
    return Asker(space, strategy).propose(study, number).configuration
