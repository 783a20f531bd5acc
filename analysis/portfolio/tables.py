"""A portfolio of configurations that were all judged on the same sets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.portfolio.greedy import greedy_order, ranked
from analysis.portfolio.studies import DIGITS
from search_spaces.portfolio import Entry, Portfolio


def table_portfolio(
    configurations: Mapping[str, Mapping[str, Any]], scores: Mapping[str, Sequence[float]], **facts: Any
) -> Portfolio:
    """Return all configurations in greedy order, by their places on every set, so that sets count alike.

    `scores` are by set, in the order of the configurations; `facts` are the portfolio's others.
    """
    places = ranked(np.array(list(scores.values()), dtype=np.float64))
    named = list(configurations.items())
    entries = [
        Entry(
            origin=named[one][0], configuration=dict(named[one][1]), place=round(float(places[:, one].mean()), DIGITS)
        )
        for one in greedy_order(places)
    ]
    return Portfolio(format=1, sets=tuple(scores), configurations=tuple(entries), **facts)
