"""The classes of failure, and what is done about each.

| class | what happened | policy |
|---|---|---|
| `not_finite` | a loss or a prediction is no number | the trial fails; a sampler that learns avoids its like |
| `out_of_memory` | memory did not suffice | again from the last epoch with each batch in twice as many parts, as below; then so |
| `lost_process` | the process died, or a device error made it useless: it ends | tried once more elsewhere, then as above |
| `bad_image` | the decoded images are damaged or gone | the trial fails |
| `error` | an error in code, such as an unknown option of an optimizer | the trial fails |
| `disk_full` | no room for the next file | no failure: the search waits for room, the trial rests at its last epoch |
| `outage` | the operating system does not take what is written | the same |
| `superseded` | a newer attempt has taken the trial over | no failure |
| `withdrawn` | somebody asked to stop the trial (`launch.control`) | it is out; samplers do not hold that against its like |

A trial that ran out of memory trains each batch in two parts from then on, then in four, on all its folds and whenever it is
trained again: the configuration stays what it is, but batch norm sees fewer images. Where two images do not fit, it fails.

A process in which two climbs fail alike ends, too. Where three trials one after the other lose their processes and no epoch is
scored in between, it is the machine: the search stops, and the next launch takes them back (see `studies.state.mishaps`).

As long as no trial has scored an epoch under a launch's environment, constants and data, its first three trials failing
alike (but for `not_finite`) stop the study: it is the setup (see `next_work.failed_setup`). The next
launch takes them back, once.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from studies.state.trial_state import FoldState, TrialState

Retried: TypeAlias = Literal["lost", "out_of_memory"]
RETRIES = 1  # without a finished epoch in between
SMALLEST = 2  # images of a part of a batch
_RETRIED: dict[str, Retried] = {"lost_process": "lost"}


@dataclass(frozen=True)
class Failure:
    """Why a climb did not get to its rung."""

    kind: str
    reason: str

    @property
    def pauses(self) -> bool:
        """Tell whether the whole search has to wait for a human."""
        return self.kind in ("disk_full", "outage")

    def tried_again(self, trial: TrialState, fold: FoldState) -> Retried | None:
        """Return how the climb's end is recorded if its fold gets another try, None if the trial has failed."""
        if self.kind == "out_of_memory":
            batch = int(trial.configuration.get("batch_size", SMALLEST))
            return "out_of_memory" if batch >= 2 * fold.micro_batches * SMALLEST else None
        return _RETRIED.get(self.kind) if fold.tries_lost < RETRIES else None


LOST = Failure(
    "lost_process",
    "its process died twice in the same fold-epoch (out of memory?); last words: logs/worker-*.err of Ray's session",
)
