"""Have a bundle checked by a process that knows nothing but its files (see `voting.bundle.verification`)."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from studies.metrics import Probabilities
from voting.bundle.needed_plugins import needed_plugins, plugins_to_compare_with
from voting.bundle.packing import in_place_spec
from voting.bundle.specs import BundleError
from voting.bundle.verification import Plan, Reference, TaskPlan
from voting.ensemble.members import Chosen

ROOT = Path(__file__).resolve().parents[2]
HoldoutVotes: TypeAlias = Mapping[
    str, Probabilities
]  # by TASK/member/N, TASK/vote, TASK/fold/N, TASK/best and TASK/recipe


def verify(bundle: Path, chosen: Sequence[Chosen], temporary: Path) -> tuple[HoldoutVotes, float]:
    """Load the bundle in a fresh process and return its votes on the holdout, and the largest difference found.

    Raises:
        BundleError: it does not vote as its trials did.
    """
    plan, out = temporary / "plan.json", temporary / "holdout.npz"
    packed = {plugin.name: bundle.absolute() / "plugins" / plugin.path.name for plugin in needed_plugins(chosen)}
    sources = tuple({**{plugin.name: plugin.path for plugin in plugins_to_compare_with(chosen)}, **packed}.values())
    checks = Plan(tasks={one.task: plan_of(one) for one in chosen}, plugins=sources)
    plan.write_text(checks.model_dump_json(), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "voting.bundle.verification",
        *(str(path.absolute()) for path in (bundle, plan, out)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        complaint = done.stderr.strip().splitlines()[-1:] or ["its check died"]
        raise BundleError(f"the bundle was not exported: {complaint[0]}")
    with np.load(out, allow_pickle=False) as arrays:
        return dict(arrays.items()), float(json.loads(done.stdout.splitlines()[-1])["largest_difference"])


def plan_of(one: Chosen) -> TaskPlan:
    """Return what the verifying process needs to know of a task; recipe and best trial are compared with, voting or not."""
    compared = {"best": one.best} | ({} if one.candidates.recipe is None else {"recipe": one.candidates.recipe})
    return TaskPlan(
        root=Path(one.candidates.root),
        studies=tuple(trial.study for trial in one.members),
        holdout=tuple(one.candidates.holdout["id"]),
        compared={name: Reference(study=trial.study, spec=in_place_spec(trial)) for name, trial in compared.items()},
    )
