"""What a promise cannot say of a task, and why: lines for the terminal and the model card."""

from collections.abc import Iterator, Sequence

from voting.ensemble.members import Chosen

_FEW = 5  # persons of a class; fewer and its score is theirs


def promise_limits(chosen: Sequence[Chosen]) -> Iterator[str]:
    """Yield why promises are less sure than they could be, a line a reason; none where nothing is lacking."""
    for one in chosen:
        yield from _few_folds(one)
        yield from _few_persons(one)
        yield from _gain(one)
        if not len(one.candidates.holdout):
            yield (
                f"{one.task}: there is no holdout, so the promise is of those alone who were searched and chosen on;"
                " data.holdout sets persons aside in a new study."
            )


def _few_folds(one: Chosen) -> Iterator[str]:
    folds, of = len(one.candidates.folds), one.members[0].stored.folds if one.members else 0
    if not 0 < folds < of:
        return
    persons = f"{one.candidates.samples['person'].nunique()} persons"
    if folds == 1:
        yield (
            f"{one.task}: only 1 of {of} folds is compared, so nothing is fitted (no weights, thresholds or temperature), and the"
            f" promise is that of its {persons}: wide, and chosen by the same persons."
        )
    else:
        yield (
            f"{one.task}: compared on {folds} of {of} folds, so the promise is that of their {persons}; going on with the search"
            " trains the others."
        )


def _few_persons(one: Chosen) -> Iterator[str]:
    counts = one.candidates.samples.groupby("target")["person"].nunique()
    for number, name in enumerate(one.candidates.classes):
        if (persons := int(counts.get(number, 0))) < _FEW:
            spelled = "no person" if not persons else "one person" if persons == 1 else f"{persons} persons"
            yield f"{one.task}: class {name} has {spelled}, so its part of the score and the interval mean little."


def _gain(one: Chosen) -> Iterator[str]:
    if len(one.candidates.trials) < 2:
        yield (
            f"{one.task}: a single trial is compared, so what voting with the models of all folds gains is a guess"
            " (0.03 ± 0.03); search.finalists=2 or more tells."
        )
    if one.candidates.metric.name != "macro_f1":
        yield (
            f"{one.task}: what voting with the models of all folds gains was measured for macro F1, not for"
            f" {one.candidates.metric.title}; the holdout says it, where there is one."
        )
