"""The methods that a choice is made among, by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from voting.out_of_fold.pool import Pool
from voting.rules.vote import Weights
from voting.selection.best import best
from voting.selection.evolution import evolution
from voting.selection.greedy import greedy

METHODS = ("single", "best", "uniform", "greedy", "evolution")
_LARGEST = 5  # of the best that vote alike, beside all of them
_WORTH_EVOLVING = 3  # candidates: of two, greedy selection finds every share that matters


@dataclass(frozen=True)
class Method:
    """One way from a pool to weights; `label` tells those of a name apart."""

    name: str
    label: str
    fit: Callable[[Pool], Weights]


def methods(pool: Pool, size: int, seed: int = 0, only: str | None = None) -> list[Method]:
    """Return the methods that are open to a pool, at most `size` voters each; of one name if `only` says so.

    A rule that takes no weights leaves greedy selection and the evolution strategy out.

    Raises:
        ValueError: the rule cannot vote by the method asked for.
    """
    found = [one for one in _open_to(pool, min(size, pool.size), seed) if only in (None, one.name)]
    if not found:
        if only in ("greedy", "evolution") and not pool.rule.weighs:
            raise ValueError(
                f"--method {only}: weighs its voters, and the rule {pool.rule.name!r} takes no weights; choose best or uniform"
            )
        return [Method("single", "single", partial(best, size=1))]  # nobody to choose among
    return found


def _open_to(pool: Pool, size: int, seed: int) -> Iterator[Method]:
    yield Method("single", "single", partial(best, size=1))
    for voters in range(2, min(size - 1, _LARGEST) + 1):
        yield Method("best", f"best {voters}", partial(best, size=voters))
    if size > 1:
        yield Method("uniform", f"uniform, {size}", partial(best, size=size))
        if pool.rule.weighs:
            yield Method("greedy", "greedy", partial(greedy, size=size))
        if pool.rule.weighs and size >= _WORTH_EVOLVING:
            yield Method("evolution", "evolution", partial(evolution, size=size, seed=seed))
