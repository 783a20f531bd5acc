"""How much of a gain was luck, in words and as a table."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import numpy as np
from rich.table import Table
from scipy.stats import t as student

from analysis.confirm.contest import RECIPE, WINNER, Contest
from analysis.confirm.training import Again
from studies.metrics import METRICS

_LEVEL = 0.9


def repeats_of(done: Sequence[Again], contest: Contest) -> dict[str, list[Again]]:
    """Return what every configuration scored, repeat by repeat."""
    return {
        name: sorted((one for one in done if one.name == name), key=lambda one: one.repeat)
        for name in contest.configurations
    }


def ahead_of(ours: Sequence[Again], theirs: Sequence[Again]) -> tuple[float, float]:
    """Return by how much one is ahead of another, and the half width of its 90 % interval, paired fold by fold.

    Folds of a repeat share most of their training images, so the variance is that of Nadeau and Bengio's corrected resampled
    t-test (Machine Learning 52, 2003).
    """
    pairs = [
        (our, their)
        for one, other in zip(ours, theirs, strict=True)
        for our, their in zip(one.fold_scores, other.fold_scores, strict=True)
    ]
    differences, folds = np.array([our - their for our, their in pairs]), len(ours[0].fold_scores)
    score = fmean(one.score - other.score for one, other in zip(ours, theirs, strict=True))
    variance = (1 / len(differences) + 1 / max(folds - 1, 1)) * differences.var(ddof=1)
    return score, float(student.ppf((1 + _LEVEL) / 2, len(differences) - 1) * variance**0.5)


def verdict(found: Mapping[str, Sequence[Again]], contest: Contest) -> Iterator[str]:
    """Yield how much the winner is ahead with other seeds and splits, and how much of what was seen was luck."""
    again, reach = ahead_of(found[WINNER], found[RECIPE])
    title, repeats = METRICS[contest.metric].title, len(found[WINNER])
    yield f"The search saw trial {contest.trial} ahead of the recipe by {contest.seen:+.3f} ({title})."
    yield f"With other seeds and splits it is ahead by {again:+.3f} ± {reach:.3f} ({repeats} repeats, 90 % interval)."
    luck = contest.seen - again
    if again - reach > 0:
        yield f"The gain is real; {max(luck, 0):.3f} of what was seen was luck."
    elif again + reach < 0:
        yield "It is behind: the gain was luck, take the recipe."
    else:
        yield f"That is inside the noise: {max(luck, 0):.3f} of what was seen was luck, and the rest may be. More --repeats tell."


def steps_table(found: Mapping[str, Sequence[Again]], contest: Contest) -> Table:
    """Return every configuration with its scores, and what its step gained over the one before."""
    metric = METRICS[contest.metric]
    table = Table(title="Trained again, from the recipe to the winner", title_justify="left")
    table.add_column("configuration")
    for column in (metric.title, "step", "90 %"):
        table.add_column(column, justify="right", no_wrap=True)
    before: Sequence[Again] | None = None
    for name, again in found.items():
        step, reach = (0.0, 0.0) if before is None else ahead_of(again, before)
        shown = metric.spelled(fmean(one.score for one in again))
        table.add_row(name, shown, *(("", "") if before is None else (f"{step:+.3f}", f"± {reach:.3f}")))
        before = again
    return table
