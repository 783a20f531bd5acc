"""The promises of an export in words and as a table: what the ensemble scores on new persons, and what that is made of."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from studies.metrics import METRICS, Metric
from voting.bundle.specs import PromiseSpec
from voting.ensemble.members import Chosen
from voting.promise.estimate import Estimate, Measured
from voting.rules.joint import JOINT

_NOTED = 0.005  # a smaller share of luck is not worth a sentence


def promise_lines(promises: Mapping[str, PromiseSpec]) -> Iterator[str]:
    """Yield what every task promises, one line each."""
    for name, one in promises.items():
        title = METRICS[one.metric].title
        yield (
            f"{name}: {title} {one.score:.3f} on new persons; {one.level:.0%} interval {one.low:.3f} to {one.high:.3f}"
        )


def evidence_table(estimates: Mapping[str, Estimate], metrics: Mapping[str, Metric]) -> Table:
    """Return what the promises are made of, for the terminal."""
    table = Table(title="What the promise is made of", title_justify="left")
    table.add_column("task", no_wrap=True)
    for column in ("out of fold", "luck", "vote", "corrected", "holdout"):
        table.add_column(column, no_wrap=True, justify="right")
    for name, one in estimates.items():
        metric = metrics[name]
        table.add_row(
            "joint" if name == JOINT else name,
            _spelled(one.naive, metric),
            f"{-one.optimism:+.3f}",
            f"{one.gain.value:+.3f}",
            _spelled(one.corrected, metric),
            _spelled(one.holdout, metric) if one.holdout else "none",
        )
    return table


def curse(estimates: Mapping[str, Estimate], chosen: Sequence[Chosen]) -> Iterator[str]:
    """Yield the winner's curse in words, where there is one, and what the correction does not know."""
    luck = {name: one.optimism for name, one in estimates.items() if one.optimism >= _NOTED}
    if luck:
        spelled = ", ".join(f"{value:.3f} ({'joint' if name == JOINT else name})" for name, value in luck.items())
        yield (
            "Luck: voters are chosen on the persons who judge them, and some are ahead there by chance. The same choice made"
            f" again on persons drawn anew, judged on the others, lost {spelled}."
        )
    yield (
        "Vote: out of fold one model judges a person, the bundle asks those of all folds. That gains a little, measured on the"
        " holdout where there is one."
    )
    eliminated = sum(len(study.stored) - len(study.trials) for one in chosen for study in one.candidates.studies)
    if eliminated:
        yield (
            f"Eliminations are made again, too, but the {eliminated} trials that were"
            " eliminated here have no later predictions and cannot come back."
        )


def _spelled(measured: Measured, metric: Metric) -> str:
    return f"{metric.shown(measured.value):.3f} ± {measured.spread:.3f}"
