"""Who stands where: a holdout of persons that no trial sees, and k folds that never share a person.

Splits belong to a data set and a seed, never to a task: the same persons are in the same fold for mask,
gender and age, or a joint score would leak. They do not depend on the order of a directory listing.
What strata by the number behind a label are good for: `python -m benchmarks.holdout`.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from datasets.errors import DataError
from datasets.options import SplitOptions
from datasets.table import Table

HOLDOUT = "holdout"
_OWN = 0.9  # a task is a person's own if so many persons have one label in all images; some are mislabelled


class Splits(BaseModel):
    """Person ids of the holdout and of every fold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    split: str
    stratified_by: tuple[str, ...]
    holdout: tuple[str, ...]
    folds: tuple[tuple[str, ...], ...]

    @property
    def digest(self) -> str:
        """Return a hash of who stands where."""
        parts = [",".join(group) for group in (self.holdout, *self.folds)]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]

    def place_of(self) -> dict[str, int]:
        """Return every person's fold; the holdout is -1."""
        places = dict.fromkeys(self.holdout, -1)
        return places | {person: fold for fold, persons in enumerate(self.folds) for person in persons}


def make_splits(table: Table, options: SplitOptions, folds: int) -> Splits:
    """Return the splits of a table; a user's own fold column is taken as it is."""
    if "fold" in table.frame:
        return _users_splits(table, options, folds)
    by_image = options.split == "by_image" or not table.has_persons
    unit = "id" if by_image else "person"
    strata_columns, strata = strata_of(table, unit)
    numbers = numbers_of(table, unit)
    holdout, assigned = deal(strata, folds, options.holdout, options.split_seed, numbers)
    return Splits(
        seed=options.split_seed,
        split="by_image" if by_image else "by_person",
        stratified_by=(*strata_columns, *([] if numbers is None else [number_column(table)])),
        holdout=holdout,
        folds=assigned,
    )


def strata_of(table: Table, unit: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the tasks that are a person's own, and every person's labels (the most frequent) in them together."""
    groups = table.frame.groupby(unit, sort=True)
    own = tuple(task for task in sorted(table.classes) if (groups[task].nunique() == 1).mean() >= _OWN)
    if not own:
        return own, {str(person): "" for person in groups.groups}
    labels = groups[list(own)].agg(_most_frequent)
    return own, {
        str(person): "/".join(map(str, row)) for person, row in zip(labels.index, labels.to_numpy(), strict=True)
    }


def numbers_of(table: Table, unit: str) -> dict[str, float] | None:
    """Return every person's number behind the label, such as the age in years; None if the data has none."""
    column = number_column(table)
    if column is None:
        return None
    medians = table.frame.groupby(unit, sort=True)[column].median()
    return {str(person): float(number) for person, number in medians.items()}


def number_column(table: Table) -> str | None:
    """Return the column by whose quantiles persons are dealt: that of the first task with a number."""
    return next((numbered.column for numbered in table.numbers.values()), None)


def _most_frequent(labels: "pd.Series[int]") -> int:
    return int(labels.mode().iloc[0])


def deal(
    strata: Mapping[str, str], folds: int, holdout: float, seed: int, numbers: Mapping[str, float] | None = None
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Deal persons to a holdout and to folds, stratum by stratum, as cards are dealt.

    Every fold's share of a stratum differs by one person at most, and so do the folds' sizes. The holdout gets its
    share of each stratum, the rounding carried from one stratum to the next. Where persons have `numbers`, each stratum
    is dealt quantile by quantile: else the ages of a small holdout may all lie far from the class borders, by chance.
    """
    set_aside: list[str] = []
    dealt: list[list[str]] = [[] for _ in range(folds)]
    owed, hand = 0.0, 0
    for stratum in sorted(set(strata.values())):
        members = _shuffled([person for person in strata if strata[person] == stratum], seed)
        for quantile in [members] if numbers is None else _quantiles(members, numbers, _quantile_size(folds, holdout)):
            owed += holdout * len(quantile)
            taken = min(round(owed), len(quantile))
            owed -= taken
            set_aside += quantile[:taken]
            for person in quantile[taken:]:
                dealt[hand % folds].append(person)
                hand += 1
    return tuple(sorted(set_aside)), tuple(tuple(sorted(fold)) for fold in dealt)


def _quantile_size(folds: int, holdout: float) -> int:
    """Return how many persons make a quantile: enough for one of them to be set aside, and for every fold."""
    return max(folds, round(1 / max(holdout, 1e-6)) if holdout else 0)


def _quantiles(members: Sequence[str], numbers: Mapping[str, float], size: int) -> list[list[str]]:
    """Return the members cut into groups of neighbouring numbers, each in the members' own, random order."""
    place = {person: order for order, person in enumerate(members)}
    ranked = sorted(members, key=lambda person: (numbers[person], place[person]))
    return [sorted(ranked[start : start + size], key=place.__getitem__) for start in range(0, len(ranked), size)]


def _shuffled(members: Sequence[str], seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    ordered = sorted(members)
    return [ordered[index] for index in generator.permutation(len(ordered))]


def check_classes(table: Table, splits: Splits, task: str) -> None:
    """Refuse a task of which a class has fewer persons than there are folds: a fold would never see it."""
    place = splits.place_of()
    unit = "id" if splits.split == "by_image" else "person"
    trained = table.frame[table.frame[unit].map(place) >= 0]
    persons = trained.groupby(task)[unit].nunique()
    for number, name in enumerate(table.classes_of(task)):
        count = int(persons.get(number, 0))
        if count < len(splits.folds):
            raise DataError(
                f"task {task!r}: class {name!r} has {count} {'images' if unit == 'id' else 'persons'} outside the holdout,"
                f" fewer than {len(splits.folds)} folds; collect more, lower search.folds, or set data.holdout=0"
            )


def _users_splits(table: Table, options: SplitOptions, folds: int) -> Splits:
    unit = "id" if options.split == "by_image" or not table.has_persons else "person"
    pairs = table.frame[[unit, "fold"]].drop_duplicates()
    torn = [person for person, count in Counter(pairs[unit]).items() if count > 1]
    if torn:
        raise DataError(f"fold column: person {torn[0]!r} stands in more than one fold; give every person one fold")
    names = sorted(set(pairs["fold"]) - {HOLDOUT}, key=lambda name: (len(name), name))
    if len(names) != folds:
        raise DataError(
            f"fold column: has {len(names)} folds ({', '.join(names)}) but search.folds is {folds}; set search.folds={len(names)}"
        )
    members = {name: tuple(sorted(pairs[unit][pairs["fold"] == name])) for name in (*names, HOLDOUT)}
    return Splits(
        seed=options.split_seed,
        split="by_image" if unit == "id" else "by_person",
        stratified_by=("(own fold column)",),
        holdout=members[HOLDOUT],
        folds=tuple(members[name] for name in names),
    )
