"""Everything an export works out about its ensembles: scores of every voter, and the promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.export.comparison import Scored, as_numbers, compare
from analysis.export.outcomes import holdout_outcome, metrics_of, out_of_fold_outcome
from studies.metrics import Metric
from voting.bundle.fresh_process import HoldoutVotes
from voting.bundle.specs import BundleManifest, JointSpec, PromiseSpec
from voting.ensemble.fit import Wanted
from voting.ensemble.members import Chosen
from voting.ensemble.tasks import Tasks
from voting.promise.estimate import Estimate
from voting.promise.export import estimates, promise
from voting.rules.joint import JOINT

Compared = Mapping[str, Mapping[str, Scored]]  # by task, then voter


@dataclass(frozen=True)
class ExportScores:
    """What is known about the ensembles of a bundle."""

    out_of_fold: Compared
    holdout: Compared
    estimates: Mapping[str, Estimate]  # by task, and for the joint classes
    metrics: Mapping[str, Metric]

    @property
    def promises(self) -> dict[str, PromiseSpec]:
        """Return what is promised for every task, and for the joint classes."""
        return {name: promise(one, self.metrics[name]) for name, one in self.estimates.items()}

    def written_into(self, manifest: BundleManifest) -> BundleManifest:
        """Return a bundle's manifest with scores and promises."""
        promises = self.promises
        tasks = tuple(task.model_copy(update={"promise": promises.get(task.task)}) for task in manifest.tasks)
        joint = JointSpec(promise=promises[JOINT]) if JOINT in promises else None
        scores = {"out_of_fold": as_numbers(self.out_of_fold), "holdout": as_numbers(self.holdout)}
        return manifest.model_copy(update={"tasks": tasks, "joint": joint, "scores": scores})


def scored(tasks: Tasks, chosen: Sequence[Chosen], wanted: Wanted, votes: HoldoutVotes) -> ExportScores:
    """Score every voter out of fold and on the holdout, and work out what the ensembles promise."""
    metrics = metrics_of(chosen)
    return ExportScores(
        compare(out_of_fold_outcome(chosen), metrics),
        compare(holdout_outcome(chosen, votes), metrics),
        estimates(tasks, chosen, wanted, votes),
        metrics,
    )
