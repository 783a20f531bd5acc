"""The sampler: expected improvement under a Gaussian process whose mean comes from a portfolio."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from schedulers.proposal import PORTFOLIO
from schedulers.samplers.projection import ORIGIN
from schedulers.samplers.transfer.encoding import encoded, groups_of
from schedulers.samplers.transfer.gaussian_process import Evidence, GaussianProcess
from schedulers.samplers.transfer.known import Known, standardised
from schedulers.spending.expected_improvement import expected_improvement
from search_spaces import SearchSpace
from search_spaces.drawing import drawn, neighbour

Values = npt.NDArray[np.float64]
_FEWEST = 2  # trials with an outcome before there is anything to learn from
_ENOUGH = 6  # trials that can bear out a portfolio, or contradict it
_DRAWN, _NEAR, _BEST, _STEPS = 400, 20, 5, (0.2, 0.05)  # candidates: anywhere, and near each of the best, twice


class TransferSampler(BaseSampler):  # type: ignore[misc]
    """Proposes the candidate with the largest expected improvement.

    Is shown trials as `by_rank` projects them. Those that run count as if what is expected of them had come out, so that parallel
    questions get different answers. Before `n_startup_trials` beside the portfolio's have an outcome it draws by chance, unless
    the portfolio says what configurations are worth and the study bears that out. What it says counts for half after `trust`
    trials, less with every further one, and by as much as the study's own ranks bear it out.
    """

    def __init__(
        self,
        space: SearchSpace,
        known: Known,
        *,
        seed: int = 0,
        n_startup_trials: int = 8,
        trust: float = 5.0,
    ) -> None:
        if n_startup_trials < 0 or trust < 0:
            raise ValueError("n_startup_trials and trust are 0 or more")
        self._space, self._known = space, known
        self._startup, self._trust = n_startup_trials, trust
        self._generator = np.random.default_rng(seed)
        self._chosen: Mapping[str, Any] = {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Choose the whole configuration."""
        judged = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = sum(one.user_attrs.get(ORIGIN) != PORTFOLIO for one in judged)
        if len(judged) < _FEWEST or (others < self._startup and not self._believed(judged)):
            self._chosen = drawn(self._space, self._generator)
            return
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        with threadpool_limits(1):  # trials train beside
            self._chosen = self._most_promising(judged, [one.params for one in running if one.number != trial.number])

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return nothing: all parameters are chosen together before, conditional ones too."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the chosen value."""
        return self._chosen[param_name]

    def _believed(self, judged: Sequence[FrozenTrial]) -> bool:
        """Tell whether something is known of other data that this study bears out."""
        said = self._known.guesses(encoded(self._space, [one.params for one in judged]))
        return bool(self._known) and agreement(said, np.array([one.value for one in judged], dtype=np.float64)) > 0

    def _most_promising(self, judged: Sequence[FrozenTrial], running: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        observed = [one.params for one in judged]
        process = self._process(observed, np.array([one.value for one in judged], dtype=np.float64))
        if running:
            process = process.with_believed(*self._seen(running))
        best = float(process.predict(*self._seen([*observed, *running]))[0].max())
        candidates, gains = [drawn(self._space, self._generator) for _ in range(_DRAWN)], np.empty(0)
        incumbents = [observed[place] for place in np.argsort([-(one.value or 0.0) for one in judged])[:_BEST]]
        for step in _STEPS:
            candidates += [
                neighbour(self._space, one, self._generator, step) for one in incumbents for _ in range(_NEAR)
            ]
            unseen = candidates[len(gains) :]
            gains = np.append(gains, expected_improvement(*process.predict(*self._seen(unseen)), best))
            incumbents = [candidates[place] for place in np.argsort(-gains)[:_BEST]]
        return dict(incumbents[0])

    def _process(self, observed: Sequence[Mapping[str, Any]], ranks: Values) -> GaussianProcess:
        self._weight, self._level = 1.0, 0.0
        vectors, said = self._seen(observed)
        self._weight = agreement(said, ranks) * self._trust / max(self._trust + len(observed), 1e-9)
        guesses = self._weight * said
        self._level = float(guesses.mean())
        return GaussianProcess(Evidence(vectors, guesses - self._level, standardised(ranks), groups_of(self._space)))

    def _seen(self, configurations: Sequence[Mapping[str, Any]]) -> tuple[Values, Values]:
        vectors = encoded(self._space, configurations)
        return vectors, self._weight * self._known.guesses(vectors) - self._level


def agreement(said: Values, ranks: Values) -> float:
    """Return how far ranks bear out what was said, from 0 to 1: their rank correlation; 1 as long as there are too few."""
    if len(said) < _ENOUGH or np.ptp(said) == 0 or np.ptp(ranks) == 0:
        return 1.0
    return max(0.0, float(spearmanr(said, ranks)[0]))
