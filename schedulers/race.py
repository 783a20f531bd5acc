"""The race of the finalists over the folds: when one that cannot win any more may leave before its last fold.

All rules compare a challenger with the leader on the same folds, since folds differ more than good
configurations do. They follow racing: Maron and Moore, "Hoeffding Races", NIPS 1993; Birattari et al., "A
Racing Algorithm for Configuring Metaheuristics", GECCO 2002 (F-Race, whose test is paired by instance).

- `mean`: the challenger's mean is below the leader's. Cheapest, and wrong most often: with two folds the better
  of two equals leaves every second time.
- `forgiving`, the default: the challenger's mean is below the leader's worst fold. Needs no level and no normality; it leaves
  only where the gap is larger than what a fold can do.
- `paired_t`: a one-sided paired t-test at the level of `LEVEL`, and at least three folds, for with two the test has a single
  degree of freedom. Normality is not given for F1 differences: the level is nominal.

Error is a race whose best finalist, by its score over all folds, left. In 400 races of three finalists on each of three
recorded tables (`python -m benchmarks.race --tables benchmarks/tables/*.jsonl --orders 400`): `mean` 0.2 to 1.5 % for 34 to
40 % of the folds saved, `forgiving` 0.0 to 0.2 % for 30 to 40 %, `paired_t` none for 16 to 27 %.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev
from typing import Literal, TypeAlias

from scipy.special import stdtr

RaceRule: TypeAlias = Literal["none", "mean", "forgiving", "paired_t"]
LEVEL = 0.1  # generous: a finalist that leaves wrongly costs score, one that stays wrongly only fold-epochs
FOLDS_NEEDED: dict[RaceRule, float] = {"none": float("inf"), "mean": 2, "forgiving": 2, "paired_t": 3}


def leaves_race(rule: RaceRule, challenger: Sequence[float], leader: Sequence[float]) -> bool:
    """Tell whether a challenger leaves, from the scores of both on the same folds."""
    if len(challenger) < FOLDS_NEEDED[rule]:
        return False
    if rule == "mean":
        return mean(challenger) < mean(leader)
    if rule == "forgiving":
        return mean(challenger) < min(leader)
    return _significantly_worse([ours - theirs for ours, theirs in zip(challenger, leader, strict=True)])


def _significantly_worse(gaps: Sequence[float]) -> bool:
    if mean(gaps) >= 0:
        return False
    spread = stdev(gaps)
    if spread == 0:
        return True
    return float(stdtr(len(gaps) - 1, mean(gaps) * sqrt(len(gaps)) / spread)) < LEVEL
