"""Check a bundle in a fresh process: does it vote as its trials did? And let it vote on the holdout.

    python -m voting.bundle.verification BUNDLE PLAN OUT

PLAN is a JSON file, a `Plan`. OUT receives the holdout votes as npz: TASK/member/N, TASK/vote, TASK/fold/N (the models of one
fold), and TASK/best and TASK/recipe to compare with. A member whose fold model does not give the recorded out-of-fold
probabilities ends the process with an error.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from plugins.loading import load_plugin
from plugins.sources import plugin_at
from studies.trials.predictions import FoldPredictions, read_predictions
from trainables.training.classifier import Judged
from trainables.training.heads.task import Task
from trainables.training.heads.tuning import probabilities_under, tunes_thresholds
from voting.bundle.manifest import open_bundle
from voting.bundle.specs import BundleError, MemberSpec, TaskSpec
from voting.predicting.runtime import Member, decoded_chunks, folds_judge, load_member, load_task, mean_of, side_by_side

TOLERANCE = 1e-4  # of a probability: trials are judged in float32 and bundles vote in it, on whatever device
HoldoutVotes = dict[str, npt.NDArray[np.float32]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(_Part):
    """A trial to compare with whether it votes or not; its weights stay in its study."""

    study: Path
    spec: MemberSpec


class TaskPlan(_Part):
    """What to check a task's members against."""

    root: Path  # of the images
    studies: tuple[Path, ...]  # of the members, in their order
    holdout: tuple[str, ...]  # ids, below the root
    compared: dict[str, Reference] = {}  # by what they are called: the recipe, the best single trial


class Plan(_Part):
    """What to check a bundle against."""

    tasks: dict[str, TaskPlan]
    plugins: tuple[Path, ...] = ()  # sources that members and rules need


def main(bundle: Path, plan_file: Path, out: Path) -> int:
    """Verify a bundle, write the holdout votes and return the exit code."""
    plan = Plan.model_validate_json(plan_file.read_bytes())
    votes, differences = HoldoutVotes(), [0.0]
    try:
        for source in plan.plugins:
            load_plugin(plugin_at(source))
        for task in open_bundle(bundle).tasks:
            checks, members = plan.tasks[task.task], load_task(task, bundle)
            for member, study in zip(members, checks.studies, strict=True):
                differences.append(check_member(member, study, checks.root))
            votes |= holdout_votes(task, members, checks)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    np.savez(out, **votes)  # type: ignore[arg-type]
    print(json.dumps({"largest_difference": max(differences)}))
    return 0


def check_member(member: Member, study: Path, root: Path) -> float:
    """Return the largest difference between a member's votes now and its recorded out-of-fold probabilities.

    Raises:
        BundleError: it is above the tolerance.
    """
    folds = member.spec.fold_numbers
    recorded = [read_predictions(study, member.spec.trial, fold) for fold in folds]
    places = range(len(folds))
    differences = side_by_side(lambda place: _difference(member, place, recorded[place], root), places)
    for fold, difference in zip(folds, differences, strict=True):
        if not difference <= TOLERANCE:  # also one that is no number
            raise BundleError(
                f"{member.spec.study} trial {member.spec.trial} fold {fold + 1}: the bundle gives other probabilities than the"
                f" trial recorded (by {difference:.2g}, allowed {TOLERANCE:g}); were the images changed since the search?"
            )
    return max(differences)


def _difference(member: Member, place: int, recorded: FoldPredictions, root: Path) -> float:
    """Return the largest difference of the fold at a place; not a number if any vote is none."""
    differences, done = [0.0], 0
    for images in decoded_chunks([root / str(name) for name in recorded.ids], member.form):
        part = slice(done, done + len(images))
        differences.append(_difference_of(member, member.judge_fold(place, images), recorded, part))
        done += len(images)
    return float(np.max(differences))


def _difference_of(member: Member, judged: Judged, recorded: FoldPredictions, part: slice) -> float:
    """Return the largest difference of probabilities, and of numbers where there are some.

    Where thresholds were tuned, the recorded probabilities are those of other thresholds, cross-fitted: what counts is what the
    recorded numbers say under the thresholds that vote.
    """
    expected, differences = recorded.probabilities[part], [0.0]
    number = member.classifiers[0].head.task.number
    if number is not None and judged.numbers is not None and recorded.numbers is not None:
        differences.append(np.abs(number.scaled(judged.numbers) - number.scaled(recorded.numbers[part])).max())
        if tunes_thresholds(member.spec.config):
            borders = member.spec.borders or number.borders
            expected = probabilities_under(member.spec.config, number, recorded.numbers[part], borders)
    return float(np.max([*differences, np.abs(judged.probabilities - expected).max()]))


def holdout_votes(task: TaskSpec, members: list[Member], checks: TaskPlan) -> HoldoutVotes:
    """Return what members, all together, the models of one fold, and those to compare with vote on the holdout."""
    if not checks.holdout:
        return {}
    compared = {name: _compared(one, members, task) for name, one in checks.compared.items()}
    others = {name: member for name, member in compared.items() if member is not None}
    everyone = [*members, *(other for other in others.values() if other not in members)]
    by_fold = folds_judge(everyone, [checks.root / name for name in checks.holdout])
    single = [mean_of(folds).probabilities for folds in by_fold]
    votes = {f"{task.task}/member/{number}": one for number, one in enumerate(single[: len(members)])}
    votes[f"{task.task}/vote"] = _decided(task, single[: len(members)])
    own = [
        dict(zip(one.spec.fold_numbers, of_fold, strict=True)) for one, of_fold in zip(members, by_fold, strict=False)
    ]
    for fold in sorted(set.intersection(*(set(one) for one in own))):
        votes[f"{task.task}/fold/{fold}"] = _decided(task, [one[fold].probabilities for one in own])
    return votes | {f"{task.task}/{name}": single[everyone.index(other)] for name, other in others.items()}


def _decided(task: TaskSpec, said: Sequence[npt.NDArray[np.floating]]) -> npt.NDArray[np.float32]:
    """Return what a task's members vote, as it is decided."""
    return task.decision.decided(task.rule(said, task.member_weights)).astype(np.float32)


def _compared(other: Reference, members: list[Member], task: TaskSpec) -> Member | None:
    """Return a trial to compare with, loaded unless it votes anyway; None if a running search has dropped its weights."""
    spec = other.spec
    same = [one for one in members if (one.spec.study, one.spec.trial) == (spec.study, spec.trial)]
    if same:
        return same[0]
    if not all((other.study / name).is_file() for name in spec.weights):
        return None
    return load_member(spec, Task(len(task.classes), task.number), other.study)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
