"""Which configurations of several studies are worth trying elsewhere: by place where they were tried, else by those like them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor

from analysis.portfolio.greedy import Scores, greedy_order
from analysis.portfolio.studies import DIGITS, Judged, portfolio
from search_spaces.portfolio import Entry, Portfolio

_TREES = 200
_WIDE = 30  # a number whose largest value is so many times its smallest is compared by its magnitude


def portfolio_across(studies: Sequence[Judged], first: int) -> Portfolio:
    """Return the configurations of studies in greedy order, each with its mean place."""
    knobs = list(dict.fromkeys(name for study in studies for name in study.space.parameters))
    entries = [entry for study in studies for entry in study.entries(knobs)]
    scores = _scores(studies, entries)
    means = [round(float(mean), DIGITS) for mean in scores.mean(axis=0).clip(0, 1)]
    judged = [entry.model_copy(update={"place": mean}) for entry, mean in zip(entries, means, strict=True)]
    return portfolio(studies, [judged[place] for place in greedy_order(scores)], first)


def _scores(studies: Sequence[Judged], entries: Sequence[Entry]) -> Scores:
    """Return studies x configurations: places where they were measured, elsewhere what a forest says from a study's own."""
    features, begin, rows = _features(entries), 0, []
    for study in studies:
        own = slice(begin, begin + len(study.trials))
        forest = ExtraTreesRegressor(_TREES, random_state=0).fit(features[own], study.places)
        row = np.asarray(forest.predict(features), float)
        row[own] = study.places
        rows.append(row)
        begin = own.stop
    return np.array(rows)


def _features(entries: Sequence[Entry]) -> npt.NDArray[np.float64]:
    """Return configurations as numbers: magnitudes of what varies widely, one column a choice, zero for what does nothing."""
    frame = pd.DataFrame([entry.configuration for entry in entries])
    for name, column in frame.select_dtypes("number").items():
        if column.min() > 0 and column.max() > _WIDE * column.min():
            frame[name] = np.log10(column.astype(float))
    return pd.get_dummies(frame).fillna(0).to_numpy(dtype=float)
