"""What every voter said about the same images: the best single trial, the ensemble and the default recipe."""

from collections.abc import Sequence

from analysis.export.comparison import VOTERS, Outcome, shared_rows
from studies.metrics import METRICS, Metric, Probabilities
from voting.bundle.fresh_process import HoldoutVotes
from voting.ensemble.members import Chosen
from voting.rules.joint import JOINT, JOINT_TASKS, joint_class, joint_votes


def out_of_fold_outcome(chosen: Sequence[Chosen]) -> Outcome:
    """Return what every voter said out of fold."""
    rows = shared_rows([one.candidates.trials[0].predictions.ids for one in chosen])
    votes: dict[str, dict[str, Probabilities]] = {voter: {} for voter in VOTERS}
    targets = {}
    for one, kept in zip(chosen, rows, strict=True):
        task = one.task
        said = {VOTERS[0]: one.best.predictions.probabilities, VOTERS[1]: one.decided()}
        if one.candidates.recipe:
            said[VOTERS[2]] = one.candidates.recipe.predictions.probabilities
        for voter, probabilities in said.items():
            votes[voter][task] = probabilities[kept]
        if len(kept):  # tasks that are compared on other folds may share none
            targets[task] = one.candidates.trials[0].predictions.targets[kept]
    return with_joint(Outcome(chosen[0].candidates.samples["person"].to_numpy(str)[rows[0]], targets, votes))


def holdout_outcome(chosen: Sequence[Chosen], said: HoldoutVotes) -> Outcome:
    """Return what every voter said about the holdout."""
    rows = shared_rows([one.candidates.holdout["id"].to_numpy(str) for one in chosen])
    votes: dict[str, dict[str, Probabilities]] = {voter: {} for voter in VOTERS}
    targets = {}
    for one, kept in zip(chosen, rows, strict=True):
        task = one.task
        for voter, key in zip(VOTERS, (f"{task}/best", f"{task}/vote", f"{task}/recipe"), strict=True):
            if key in said:
                votes[voter][task] = said[key][kept]
        if len(kept):
            targets[task] = one.candidates.holdout["target"].to_numpy()[kept]
    return with_joint(Outcome(chosen[0].candidates.holdout["person"].to_numpy(str)[rows[0]], targets, votes))


def with_joint(outcome: Outcome) -> Outcome:
    """Return the outcome with the 18 classes composed, if mask, gender and age are all there."""
    if not all(task in outcome.targets for task in JOINT_TASKS):
        return outcome
    votes = {
        voter: {**tasks, JOINT: joint_votes(tasks)} if all(task in tasks for task in JOINT_TASKS) else tasks
        for voter, tasks in outcome.votes.items()
    }
    return Outcome(outcome.persons, {**outcome.targets, JOINT: joint_class(outcome.targets)}, votes)


def metrics_of(chosen: Sequence[Chosen]) -> dict[str, Metric]:
    """Return by what every task is judged; the joint classes come last, by macro F1."""
    return {**{one.task: one.candidates.metric for one in chosen}, JOINT: METRICS["macro_f1"]}
