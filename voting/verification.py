"""Check a bundle in a fresh process: does it vote as its trials did? And let it vote on the holdout.

    python -m voting.verification BUNDLE PLAN OUT

PLAN is a JSON file: per task the image root, the study folders, the reference trial and the holdout's
ids. OUT receives the holdout votes as npz: TASK/member/N, TASK/vote, TASK/reference. A member whose fold
model does not give the recorded out-of-fold probabilities ends the process with an error.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.predictions import FoldPredictions, read_predictions
from voting.bundle import MemberSpec, TaskSpec, open_bundle
from voting.errors import BundleError
from voting.rules import soft_vote
from voting.runtime import Member, load_member, load_task, read_images

TOLERANCE = 1e-4  # of a probability, in float32 on the same device
_MIXED_TOLERANCE = 2e-2  # judged in bfloat16 or float16, voted in float32


def main(bundle: Path, plan_file: Path, out: Path) -> int:
    """Verify a bundle, write the holdout votes and return the exit code."""
    plan = json.loads(plan_file.read_text(encoding="utf-8"))
    votes: dict[str, npt.NDArray[np.float32]] = {}
    worst = 0.0
    try:
        for task in open_bundle(bundle).tasks:
            members = load_task(task, bundle)
            checks = plan["tasks"][task.task]
            worst = max(
                worst,
                *(
                    check_member(member, Path(study), Path(checks["root"]))
                    for member, study in zip(members, checks["studies"], strict=True)
                ),
            )
            votes |= holdout_votes(task, members, checks)
    except (BundleError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    np.savez(out, **votes)  # type: ignore[arg-type]
    print(json.dumps({"largest_difference": worst}))
    return 0


def check_member(member: Member, study: Path, root: Path) -> float:
    """Return the largest difference between a member's votes now and its recorded out-of-fold probabilities.

    Raises:
        BundleError: it is above the tolerance.
    """
    worst = 0.0
    for fold in range(len(member.models)):
        recorded = read_predictions(study, member.spec.trial, fold)
        difference = _difference(member, fold, recorded, root)
        allowed = tolerance(member)
        if not difference <= allowed:
            raise BundleError(
                f"{member.spec.study} trial {member.spec.trial} fold {fold + 1}: the bundle gives other probabilities than the"
                f" trial recorded (by {difference:.2g}, allowed {allowed:g}); were the images changed since the search?"
            )
        worst = max(worst, difference)
    return worst


def tolerance(member: Member) -> float:
    """Return the difference allowed; `auto` is float32 on a CPU and a half precision on a GPU."""
    precise = member.spec.precision == "float32" or (member.spec.precision == "auto" and member.device.type == "cpu")
    return TOLERANCE if precise else _MIXED_TOLERANCE


def _difference(member: Member, fold: int, recorded: FoldPredictions, root: Path) -> float:
    images = read_images([root / str(name) for name in recorded.ids], member.spec.image_size)
    return float(np.abs(member.fold_vote(fold, images) - recorded.probabilities).max())


def holdout_votes(task: TaskSpec, members: list[Member], checks: dict[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    """Return the votes of each member, of all together and of the reference on the holdout."""
    if not checks["holdout"]:
        return {}
    paths = [Path(checks["root"]) / name for name in checks["holdout"]]
    single = [member.fold_votes(read_images(paths, member.spec.image_size)).mean(axis=0) for member in members]
    votes = {f"{task.task}/member/{number}": one for number, one in enumerate(single)}
    votes[f"{task.task}/vote"] = soft_vote(single).astype(np.float32)
    if checks["reference"]:
        spec = MemberSpec(**checks["reference"]["spec"])
        same = next(
            (
                one
                for one, member in zip(single, members, strict=True)
                if member.spec.digest == spec.digest and member.spec.trial == spec.trial
            ),
            None,
        )
        if same is None:
            reference = load_member(spec, len(task.classes), Path(checks["reference"]["study"]))
            same = reference.fold_votes(read_images(paths, spec.image_size)).mean(axis=0)
        votes[f"{task.task}/reference"] = same
    return votes


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
