"""Package the best finished trials as one voting ensemble.

    python export_best.py

Takes every study under results/, chooses voters on out-of-fold predictions, writes a bundle under
ensembles/, loads it again in a fresh process, checks that it votes as its trials did, and scores the
holdout once, for the report.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console

from analysis.comparison import JOINT, VOTERS, Outcome, as_numbers, compare, comparison_table, shared_rows
from storage.atomic import put_folder
from studies.environment import environment
from studies.metrics import METRICS, Metric, Probabilities
from studies.voters import EXPORT_SIZE
from voting.bundle import BundleManifest, MemberSpec, TaskSpec, open_bundle, seal
from voting.candidates import TaskCandidates, choose_studies, task_candidates
from voting.errors import BundleError
from voting.finished_trials import FinishedTrial, find_studies
from voting.packing import in_place_spec, pack_member
from voting.rules import JOINT_TASKS, joint_class, joint_votes, soft_vote
from voting.selection import best_members
from voting.verification import Plan, Reference, TaskPlan

ROOT = Path(__file__).resolve().parent
console = Console()
Votes = Mapping[str, Probabilities]


@dataclass(frozen=True)
class Chosen:
    """A task's candidates and those of them that vote, best first."""

    candidates: TaskCandidates
    members: tuple[FinishedTrial, ...]


def main() -> int:
    """Run the command and return its exit code."""
    arguments = parse_arguments()
    try:
        return export(arguments)
    except (ValueError, OSError) as error:  # our own errors are ValueErrors that name the way out
        console.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


def export(arguments: argparse.Namespace) -> int:
    """Choose, pack, verify, score and put the bundle in place."""
    studies, notes = choose_studies(find_studies(Path(arguments.results), arguments.study))
    for note in notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    if arguments.name and (arguments.name != Path(arguments.name).name or arguments.name.startswith(".")):
        raise BundleError(f"--name {arguments.name}: must be a plain folder name; --out says where bundles lie")
    chosen = [choose(candidates, arguments.size) for candidates in task_candidates(studies)]
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    name = free_name(out, arguments.name or "-".join(one.candidates.task for one in chosen))
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=out) as temporary:
        bundle = Path(temporary) / name
        manifest = pack(bundle, name, chosen, studies[0].splits_digest)
        holdout_votes = verify(bundle, chosen, Path(temporary))
        scores = {"out_of_fold": out_of_fold_outcome(chosen), "holdout": holdout_outcome(chosen, holdout_votes)}
        compared = {place: compare(outcome, metrics_of(chosen)) for place, outcome in scores.items()}
        seal(
            bundle, manifest.model_copy(update={"scores": {place: as_numbers(one) for place, one in compared.items()}})
        )
        open_bundle(bundle)
        put_folder(bundle, out / name)
    describe(chosen)
    console.print(comparison_table(compared["out_of_fold"], compared["holdout"]))
    console.print(
        f"Bundle: {out / name}\nNext: python predict.py --bundle {out / name} --images DIR",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def choose(candidates: TaskCandidates, size: int) -> Chosen:
    """Return the trials of a task that vote, at most `size`."""
    predictions = [trial.predictions.probabilities for trial in candidates.trials]
    best = best_members(candidates.trials[0].predictions.targets, predictions, size, candidates.metric)
    return Chosen(candidates, tuple(candidates.trials[position] for position in best))


def free_name(out: Path, wanted: str) -> str:
    """Return the name for a bundle, numbered if it is taken: an export never replaces another."""
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, 10_000))
    return next(name for name in names if not (out / name).exists())


def pack(bundle: Path, name: str, chosen: Sequence[Chosen], splits_digest: str) -> BundleManifest:
    """Write weights and manifest of a bundle in the making."""
    tasks = [
        TaskSpec(
            task=one.candidates.task,
            classes=one.candidates.classes,
            metric=one.candidates.metric.name,
            members=pack_members(bundle, one),
        )
        for one in chosen
    ]
    provenance = {
        "splits": splits_digest,
        "data": chosen[0].candidates.root,
        "environment": environment(),
        "configurations": {
            f"{trial.study.name}/{trial.number}": trial.manifest.configuration
            for one in chosen
            for trial in one.members
        },
    }
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return seal(bundle, BundleManifest(name=name, created=created, tasks=tuple(tasks), provenance=provenance, files={}))


def pack_members(bundle: Path, one: Chosen) -> tuple[MemberSpec, ...]:
    """Copy the weights of a task's members into the bundle."""
    task = one.candidates.task
    return tuple(pack_member(bundle, task, trial.study, trial.manifest, facts_of(trial)) for trial in one.members)


def facts_of(trial: FinishedTrial) -> dict[str, object]:
    """Return what a member's spec says beside its manifest."""
    value = trial.metric.shown(trial.score)
    return {"origin": trial.origin, "out_of_fold_score": value, "resize": trial.resize}


def verify(bundle: Path, chosen: Sequence[Chosen], temporary: Path) -> Votes:
    """Load the bundle in a fresh process, check its votes, and return its votes on the holdout.

    Raises:
        BundleError: it does not vote as its trials did.
    """
    plan, out = temporary / "plan.json", temporary / "holdout.npz"
    checks = Plan(tasks={one.candidates.task: plan_of(one) for one in chosen})
    plan.write_text(checks.model_dump_json(), encoding="utf-8")
    with console.status("Loading the bundle in a fresh process and comparing its votes"):
        command = [sys.executable, "-m", "voting.verification", *(str(path.absolute()) for path in (bundle, plan, out))]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        complaint = done.stderr.strip().splitlines()[-1:] or ["its check died"]
        raise BundleError(f"the bundle was not exported: {complaint[0]}")
    difference = json.loads(done.stdout.splitlines()[-1])["largest_difference"]
    console.print(
        f"Verified in a fresh process: all members vote as recorded (largest difference {difference:.1e}).",
        highlight=False,
    )
    with np.load(out, allow_pickle=False) as arrays:
        return dict(arrays.items())


def plan_of(one: Chosen) -> TaskPlan:
    """Return what the verifying process needs to know of a task."""
    return TaskPlan(
        root=Path(one.candidates.root),
        studies=tuple(trial.study for trial in one.members),
        holdout=tuple(one.candidates.holdout["id"]),
        reference=one.candidates.recipe and reference_of(one.candidates.recipe),
    )


def reference_of(recipe: FinishedTrial) -> Reference:
    """Return where the default recipe's weights lie: it is compared with, whether it votes or not."""
    return Reference(study=recipe.study, spec=in_place_spec(recipe.study, recipe.manifest, facts_of(recipe)))


def out_of_fold_outcome(chosen: Sequence[Chosen]) -> Outcome:
    """Return what every voter said out of fold."""
    rows = shared_rows([one.candidates.trials[0].predictions.ids for one in chosen])
    votes: dict[str, dict[str, Probabilities]] = {voter: {} for voter in VOTERS}
    targets = {}
    for one, kept in zip(chosen, rows, strict=True):
        task, members = one.candidates.task, [trial.predictions.probabilities for trial in one.members]
        said = {VOTERS[0]: members[0], VOTERS[1]: soft_vote(members).astype(np.float32)}
        if one.candidates.recipe:
            said[VOTERS[2]] = one.candidates.recipe.predictions.probabilities
        for voter, probabilities in said.items():
            votes[voter][task] = probabilities[kept]
        targets[task] = one.candidates.trials[0].predictions.targets[kept]
    return with_joint(Outcome(chosen[0].candidates.samples["person"].to_numpy(str)[rows[0]], targets, votes))


def holdout_outcome(chosen: Sequence[Chosen], said: Votes) -> Outcome:
    """Return what every voter said about the holdout."""
    rows = shared_rows([one.candidates.holdout["id"].to_numpy(str) for one in chosen])
    votes: dict[str, dict[str, Probabilities]] = {voter: {} for voter in VOTERS}
    targets = {}
    for one, kept in zip(chosen, rows, strict=True):
        task = one.candidates.task
        for voter, key in zip(VOTERS, (f"{task}/member/0", f"{task}/vote", f"{task}/reference"), strict=True):
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
    return {**{one.candidates.task: one.candidates.metric for one in chosen}, JOINT: METRICS["macro_f1"]}


def describe(chosen: Sequence[Chosen]) -> None:
    """Print who votes."""
    for one in chosen:
        members = ", ".join(
            f"{trial.study.name} trial {trial.number} ({trial.metric.spelled(trial.score)})" for trial in one.members
        )
        console.print(
            f"{one.candidates.task}: soft vote of {members}, {one.members[0].manifest.folds} folds each",
            highlight=False,
            soft_wrap=True,
        )


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="folder of all studies (default: results)")
    parser.add_argument("--study", action="append", default=[], help="only this study; may be given again")
    parser.add_argument("--out", default="ensembles", help="folder of all bundles (default: ensembles)")
    parser.add_argument("--name", help="name of the bundle (default: its tasks)")
    parser.add_argument(
        "--size",
        type=int,
        choices=range(1, 51),
        default=EXPORT_SIZE,
        metavar="N",
        help=f"most voters per task (default: {EXPORT_SIZE})",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
