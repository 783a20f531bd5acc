"""What the next trial trains: the recipe, then what users queued, then what the sampler draws; nothing twice."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from schedulers.proposal import ENQUEUED, Proposal
from schedulers.samplers.ask import Asker
from schedulers.samplers.failed_neighbours import likely_to_fail
from schedulers.samplers.registry import SAMPLERS
from search_spaces import Choice, Range
from studies.state.study_state import StudyState

Effective: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
TRIES = 500  # questions to a sampler that repeats itself, before the space counts as exhausted
CAUTIOUS = 12  # questions in which what is likely to fail is passed over: it may be that all of the space is
ROUNDING = 0.01  # of a range: a configuration this near to one that has failed would fail, too


class Proposals:
    """Proposes configurations that no trial of the study has: an equal one is answered by the record.

    Two configurations are equal if they train alike: `effective` leaves out what does nothing under the other values.
    """

    def __init__(self, asker: Asker, queue: Sequence[Proposal], effective: Effective) -> None:
        self._space, self._asker = asker.space, asker
        self._queue, self._effective = queue, effective
        self._seen, self._tried = 0, set[str]()  # the study's trials so far: what a trial trains never changes

    def next(self, study: StudyState) -> Proposal | None:
        """Return the next one, None if everything that is ever proposed has been tried."""
        for trial in list(study.trials.values())[self._seen :]:
            self._tried.add(self._key(trial.configuration))
        self._seen = len(study.trials)
        untried = (one for one in self._candidates(study) if self._key(one.configuration) not in self._tried)
        proposal = next(untried, None)
        return proposal and replace(proposal, expected=self._asker.known.place(proposal.configuration))

    def enqueue(self, configurations: Iterable[Mapping[str, Any]]) -> None:
        """Put configurations of the user's behind those that wait."""
        self._queue = [*self._queue, *(Proposal(dict(one), ENQUEUED) for one in configurations)]

    def untried(self, study: StudyState) -> int:
        """Return how many configurations of the user's own no trial has."""
        tried = {self._key(trial.configuration) for trial in study.trials.values()}
        return len({self._key(one.configuration) for one in self._queue if one.origin == ENQUEUED} - tried)

    def asked_for(self, study: StudyState) -> bool:
        """Tell whether a configuration of the user's own list has not been tried: it is, whatever it may gain."""
        return self.untried(study) > 0

    def _candidates(self, study: StudyState) -> Iterator[Proposal]:
        if not study.trials:
            yield Proposal(self._space.recipe(), "recipe")
        yield from self._queue  # also what is like a failed one: whoever queued it may know better
        failed = [one.configuration for one in study.trials.values() if one.failure is not None and not one.withdrawn]
        learns = SAMPLERS[self._space.search.sampler].learns
        for retry in range(TRIES if self._space.parameters else 0):
            drawn = self._asker.propose(study, len(study.trials), retry)
            if any(self._near(drawn.configuration, other) for other in failed):
                continue
            cautious = learns and retry < CAUTIOUS
            if not cautious or not likely_to_fail(self._space, drawn.configuration, study.trials.values()):
                yield drawn

    def _key(self, configuration: Mapping[str, Any]) -> str:
        rounded = {name: _rounded(value) for name, value in self._effective(configuration).items()}
        return json.dumps(rounded, sort_keys=True)

    def _near(self, configuration: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Tell whether two configurations are the same to within rounding."""
        ours, theirs = self._effective(configuration), self._effective(other)
        drawn_from = self._space.drawn_from(configuration)
        return ours.keys() == theirs.keys() and all(
            _alike(drawn_from.get(name), ours[name], theirs[name]) for name in ours
        )


def _alike(active: Range | Choice | None, ours: Any, theirs: Any) -> bool:
    if not isinstance(active, Range) or active.integer:
        return bool(ours == theirs)
    return abs(active.position(ours) - active.position(theirs)) < ROUNDING


def _rounded(value: Any) -> Any:
    """Return a number less the last digits, which differ by how a step was added up."""
    return float(f"{value:.10g}") if isinstance(value, float) else value
