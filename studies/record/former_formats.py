"""Lines of record formats 1 to 4 as events of today.

There a climb was of a whole trial, its folds one after the other, and counted in fold-epochs from its first fold on: `rung` 7 of
folds of 3 epochs is one epoch of the third fold. An epoch carried the score that was pooled over the folds so far beside its
fold's own. Which line is of a former format is seen by its fields.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from storage.json_text import load_json
from studies.record.events import EpochScored, Event, TrialAdded, TrialFailed, TrialRestored, parse_event


class FormerFormats:
    """Turns lines of former formats into events. It has to see all lines of a record, for some depend on those before them."""

    def __init__(self) -> None:
        self._epochs: dict[int, int] = {}  # of every fold, by trial
        self._trained: defaultdict[int, int] = defaultdict(int)  # fold-epochs, by trial
        self._climbing: dict[int, int] = {}  # the fold that a trial trains
        self._failed: set[int] = set()

    def see(self, event: Event) -> None:
        """Note what an event says about later lines."""
        match event:
            case TrialAdded():
                epochs = event.configuration.get("epochs")
                self._epochs[event.trial] = epochs if isinstance(epochs, int) else 0
            case EpochScored():
                self._trained[event.trial] += 1
            case TrialFailed():
                self._failed.add(event.trial)
            case TrialRestored():
                self._failed.discard(event.trial)

    def events(self, line: bytes) -> Iterator[Event]:
        """Yield the events of a former line.

        Raises:
            ValueError: it is none, or damaged.
        """
        stated = load_json(line)
        former = getattr(self, f"_{stated.get('event')}", None) if isinstance(stated, dict) else None
        if former is None:
            raise ValueError("no line of a former format")
        try:
            for values in list(former(stated)):
                event = parse_event.validate_python(values)
                self.see(event)
                yield event
        except (KeyError, TypeError) as error:
            raise ValueError(f"a line of a former format lacks {error}") from None

    def _climb_started(self, line: dict[str, Any]) -> Iterator[dict[str, Any]]:
        trial, rung = line["trial"], line.pop("rung")
        epochs, fold = self._place(trial, self._trained[trial])
        self._climbing[trial] = fold
        yield {**line, "fold": fold, "epoch": min(epochs, rung - fold * epochs)}

    def _epoch_scored(self, line: dict[str, Any]) -> Iterator[dict[str, Any]]:
        pooled, own = line["score"], line.pop("fold_score")
        yield {**line, "score": pooled if own is None else own}
        reached = {"event": "rung_reached", "time": line["time"], "trial": line["trial"], "score": pooled}
        yield {**reached, "folds": line["fold"] + 1, "epoch": line["epoch"] + 1}

    def _climb_ended(self, line: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {**line, "fold": self._climbing.pop(line["trial"], 0)}

    def _rewound(self, line: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the folds that stood beyond a count of fold-epochs, and the trial taken back if it had failed."""
        trial, stands = line["trial"], line["fold_epochs"]
        shared = {"time": line["time"], "trial": trial}
        while self._trained[trial] > stands:
            self._trained[trial] -= 1
            epochs, fold = self._place(trial, self._trained[trial])
            left = {"event": "fold_rewound", **shared, "fold": fold, "epochs": self._trained[trial] - fold * epochs}
            if left["epochs"] == 0 or self._trained[trial] == stands:
                yield left
        if trial in self._failed:
            yield {"event": "trial_restored", **shared}

    def _place(self, trial: int, fold_epochs: int) -> tuple[int, int]:
        """Return the epochs of a fold, and the fold that follows so many fold-epochs."""
        epochs = self._epochs.get(trial, 0)
        if epochs < 1:
            raise ValueError(f"how many epochs a fold of trial {trial} has is not known")
        return epochs, fold_epochs // epochs


def upgraded_curve(lines: list[dict[str, Any]]) -> list[EpochScored]:
    """Return the learning curve of a trial folder of the former layout."""
    return [
        EpochScored.model_validate(
            {name: value for name, value in line.items() if name != "fold_score"}
            | {"score": line["score"] if line.get("fold_score") is None else line["fold_score"]}
        )
        for line in lines
    ]
