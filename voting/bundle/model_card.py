"""The model card of a bundle: what it was trained on, what it promises, who votes, and where to be careful.

After Mitchell et al., "Model Cards for Model Reporting", FAccT 2019. It is a file of the bundle like any other, README.md.
"""

from collections.abc import Iterator, Sequence
from shlex import quote

import numpy as np

from studies.metrics import METRICS, confusion_matrix
from voting.bundle.specs import BundleManifest, PromiseSpec, TaskSpec
from voting.ensemble.members import Chosen
from voting.promise.limits import promise_limits

CARD = "README.md"
_CARE = (
    "What it says about a person is a guess from looks, not a fact about that person. Predicted age and gender must not decide"
    " about anybody: access, prices, work, policing. Gender means the labels of the data, which leave people out. Errors are"
    " not spread evenly: look at the confusion matrices, and measure on people like yours before you rely on it."
)
_PERSONAL = ("age", "gender")


def model_card(manifest: BundleManifest, chosen: Sequence[Chosen]) -> str:
    """Return the card of a bundle as Markdown."""
    parts = [
        f"# {manifest.name}",
        f"A voting ensemble for {', '.join(task.task for task in manifest.tasks)}, exported {manifest.created} by Foldrace.",
        f"    python predict.py --bundle {quote(manifest.name)} --images DIR",
        "## What it promises",
        *_promises(manifest, chosen),
        "## Data",
        *(_data(one) for one in chosen),
        "## Who votes",
        *(_voters(task) for task in manifest.tasks),
        "## Confusion matrices",
        _judged_by(manifest),
        *(_confusion(one) for one in chosen),
        "## Limits",
        *_limits(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _judged_by(manifest: BundleManifest) -> str:
    said = "Out of fold, by the whole vote; rows are true classes, columns what was voted."
    return f"{said} They are of models that leave a fold out, not of those packed here." if manifest.refit else said


def _promises(manifest: BundleManifest, chosen: Sequence[Chosen]) -> Iterator[str]:
    if manifest.refit:
        yield "Nothing: its models were trained on everybody, holdout too, so nobody is left to score them by."
        return
    rows = [(task.task, task.promise) for task in manifest.tasks]
    rows += [("joint classes", manifest.joint.promise)] if manifest.joint else []
    lines = ["| task | metric | on new persons | interval |", "|---|---|---|---|"]
    yield "\n".join([*lines, *(_promise_row(name, one) for name, one in rows if one is not None)])
    yield "New persons are such as those of the data: other cameras, places or ages were not seen, and are not promised."
    yield from promise_limits(chosen)


def _promise_row(name: str, one: PromiseSpec) -> str:
    title = METRICS[one.metric].title
    return f"| {name} | {title} | {one.score:.3f} | {one.low:.3f} to {one.high:.3f} ({one.level:.0%}) |"


def _data(one: Chosen) -> str:
    samples, holdout = one.candidates.samples, one.candidates.holdout
    folds = samples["fold"].nunique()
    counts = np.bincount(samples["target"], minlength=len(one.candidates.classes))
    classes = ", ".join(f"{name} {count}" for name, count in zip(one.candidates.classes, counts, strict=True))
    return (
        f"- {one.task}: {len(samples)} images of {samples['person'].nunique()} persons in {folds} folds that share none"
        f" ({classes}); {len(holdout)} images of {holdout['person'].nunique()} persons set aside."
    )


def _voters(task: TaskSpec) -> str:
    rows = [
        f"| {member.study} trial {member.trial} | {member.config.backbone} | {member.config.image_size} | {weight:.2f} |"
        f" {member.out_of_fold_score:.3f} | {len(member.weights)} |"
        for member, weight in zip(task.members, task.member_weights, strict=True)
    ]
    decided = f"; temperature {task.temperature:.2f}" if task.temperature != 1 else ""
    if task.class_weights:
        named = zip(task.classes, task.class_weights, strict=True)
        decided += "; classes weighed " + ", ".join(f"{name} {weight:.2f}" for name, weight in named)
    head = ["| member | backbone | pixels | weight | out of fold | models |", "|---|---|---|---|---|---|"]
    return "\n".join([f"{task.task}, {task.vote} vote{decided}:", "", *head, *rows])


def _confusion(one: Chosen) -> str:
    counts = confusion_matrix(one.candidates.trials[0].predictions.targets, one.decided())
    classes = one.candidates.classes
    lines = [f"| {one.task} | {' | '.join(classes)} |", "|---" * (len(classes) + 1) + "|"]
    return "\n".join(
        [*lines, *(f"| {name} | {' | '.join(map(str, row))} |" for name, row in zip(classes, counts, strict=True))]
    )


def _limits(manifest: BundleManifest) -> Iterator[str]:
    yield "It always answers with one of its classes, also for pictures of something else."
    if any(task.task in _PERSONAL for task in manifest.tasks):
        yield _CARE
