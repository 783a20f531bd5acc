"""What the next trial trains: the recipe, then what users queued, then what the sampler draws; nothing twice."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from schedulers.ladder import Ladder
from schedulers.sampler import ask
from schedulers.study_state import StudyState
from search_spaces import SearchSpace

Effective: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
TRIES = 500  # questions to a sampler that repeats itself, before the space counts as exhausted


@dataclass(frozen=True)
class Proposal:
    """A whole configuration and where it comes from."""

    configuration: dict[str, Any]
    origin: str


class Proposals:
    """Proposes configurations that no trial of the study has: an equal one is answered by the record.

    Two configurations are equal if they train alike: `effective` leaves out what does nothing under the other values.
    """

    def __init__(self, space: SearchSpace, ladder: Ladder, queue: Sequence[Proposal], effective: Effective) -> None:
        self._space, self._ladder = space, ladder
        self._queue, self._effective = queue, effective
        self._tried: list[str] = []  # of the study's trials, in their order: what a trial trains never changes

    def next(self, study: StudyState) -> Proposal | None:
        """Return the next one, None if everything that is ever proposed has been tried."""
        for trial in list(study.trials.values())[len(self._tried) :]:
            self._tried.append(self._key(trial.configuration))
        tried = set(self._tried)
        return next((one for one in self._candidates(study) if self._key(one.configuration) not in tried), None)

    def _candidates(self, study: StudyState) -> Iterator[Proposal]:
        if not study.trials:
            yield Proposal(self._space.recipe(), "recipe")
        yield from self._queue
        for retry in range(TRIES if self._space.parameters else 0):
            drawn = ask(self._space, study, self._ladder, len(study.trials), retry)
            yield Proposal(drawn, self._space.search.sampler)

    def _key(self, configuration: Mapping[str, Any]) -> str:
        rounded = {name: _rounded(value) for name, value in self._effective(configuration).items()}
        return json.dumps(rounded, sort_keys=True)


def _rounded(value: Any) -> Any:
    """Return a number less the last digits, which differ by how a step was added up."""
    return float(f"{value:.10g}") if isinstance(value, float) else value
