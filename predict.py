"""Vote on new images with a bundle.

    python predict.py --images DIR

Needs torch, timm and what reads images: no Ray, no Optuna, no training data.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studies.metrics import METRICS, Targets, confusion_matrix
from voting.bundle import BundleManifest, TaskSpec, open_bundle
from voting.errors import BundleError
from voting.inputs import Images, find_images, read_labels, write_submission
from voting.rules import JOINT_TASKS, Votes, joint_class, joint_votes
from voting.runtime import load_task, unreadable_images, vote


def main() -> int:
    """Run the command and return its exit code."""
    arguments = parse_arguments()
    try:
        return predict(arguments)
    except (ValueError, OSError) as error:  # our own errors are ValueErrors that name the way out
        print(f"error: {error}", file=sys.stderr)
        return 2


def predict(arguments: argparse.Namespace) -> int:
    """Load the bundle, vote, write and score."""
    bundle = Path(arguments.bundle) if arguments.bundle else newest_bundle(Path("ensembles"))
    manifest = open_bundle(bundle)
    images = readable(find_images(Path(arguments.images)), skip=arguments.skip_unreadable)
    check_submission(images, manifest)
    labels = read_labels(Path(arguments.labels), images, manifest.tasks) if arguments.labels else {}
    votes = {task.task: vote(load_task(task, bundle), images.paths, task.vote) for task in manifest.tasks}
    write_votes(Path(arguments.out), images, manifest.tasks, votes)
    print(f"{len(images.names)} images voted on by {bundle} -> {arguments.out}")
    if images.info is not None:
        submit(Path(arguments.submission), images, votes)
    print_scores(manifest, labels, votes)
    return 0


def newest_bundle(ensembles: Path) -> Path:
    """Return the bundle that was exported last."""
    found = sorted(ensembles.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BundleError(f"{ensembles}: holds no bundle; run export_best.py first, or name one with --bundle")
    return found[-1].parent


def readable(images: Images, *, skip: bool) -> Images:
    """Return the images that can be decoded; all that can't are named at once."""
    bad = unreadable_images(images.paths)
    if not bad:
        return images
    if not skip:
        listed = "\n  ".join(reason for _, reason in bad)
        raise BundleError(
            f"{len(bad)} images cannot be read:\n  {listed}\nMend them, or leave them out with --skip-unreadable."
        )
    print(f"{len(bad)} unreadable images left out")
    gone = {path for path, _ in bad}
    kept = [(name, path) for name, path in zip(images.names, images.paths, strict=True) if path not in gone]
    if not kept:
        raise BundleError("no image is left to vote on")
    return Images(tuple(name for name, _ in kept), tuple(path for _, path in kept), images.info)


def write_votes(out: Path, images: Images, tasks: Sequence[TaskSpec], votes: Mapping[str, Votes]) -> None:
    """Write one row per image: for every task the class and the probability of each class."""
    header = ["image"]
    for task in tasks:
        header += [task.task, *(f"{task.task}_{name}" for name in task.classes)]
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row, name in enumerate(images.names):
            cells = [name]
            for task in tasks:
                probabilities = votes[task.task][row]
                cells += [task.classes[int(probabilities.argmax())], *(f"{value:.6f}" for value in probabilities)]
            writer.writerow(cells)


def check_submission(images: Images, manifest: BundleManifest) -> None:
    """Refuse the competition's list, before any vote, with a bundle that cannot fill it in."""
    missing = [task for task in JOINT_TASKS if task not in {spec.task for spec in manifest.tasks}]
    if images.info is not None and missing:
        told = f"{images.info}: a submission needs a bundle that votes on {', '.join(JOINT_TASKS)}"
        raise BundleError(f"{told}; {missing[0]} is missing (without info.csv, --images takes any folder)")


def submit(out: Path, images: Images, votes: Mapping[str, Votes]) -> None:
    """Write the competition's submission."""
    write_submission(images, joint_votes(votes).argmax(axis=1), out)
    print(f"submission -> {out}")


def print_scores(manifest: BundleManifest, labels: Mapping[str, Targets], votes: Mapping[str, Votes]) -> None:
    """Print metric, accuracy and the confusion matrix of every labelled task, and of all 18 classes."""
    for task in manifest.tasks:
        if task.task in labels:
            named = dict.fromkeys([task.metric, "macro_f1", "accuracy"])
            print_score(task.task, labels[task.task], votes[task.task], task.classes, named)
    if all(task in labels for task in JOINT_TASKS):
        names = [str(number) for number in range(18)]
        print_score("mask x gender x age", joint_class(labels), joint_votes(votes), names, ["macro_f1", "accuracy"])


def print_score(
    title: str, targets: Targets, votes: npt.NDArray[np.floating], classes: Sequence[str], metrics: Iterable[str]
) -> None:
    """Print one task's scores; rows of the confusion matrix are true classes."""
    probabilities = votes.astype(np.float32)
    judged = [METRICS[name] for name in metrics]
    scores = ", ".join(f"{metric.title} {metric.measure(targets, probabilities):.4f}" for metric in judged)
    print(f"\n{title}: {scores} on {len(targets)} labelled images")
    width = max(6, *(len(name) for name in classes)) + 1
    print(f"{'true / voted':>{width + 6}}" + "".join(f"{name:>{width}}" for name in classes))
    for name, row in zip(classes, confusion_matrix(targets, probabilities), strict=True):
        print(f"{name:>{width + 6}}" + "".join(f"{count:>{width}}" for count in row))


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--images", required=True, help="a folder, a CSV that lists images, or the competition's eval folder"
    )
    parser.add_argument("--bundle", help="folder of a bundle (default: the newest under ensembles/)")
    parser.add_argument("--out", default="votes.csv", help="CSV of votes (default: votes.csv)")
    parser.add_argument("--submission", default="submission.csv", help="where ImageID,ans goes if there is an info.csv")
    parser.add_argument("--labels", help="CSV, or labelled folder (the images' own), to score against")
    parser.add_argument("--skip-unreadable", action="store_true", help="leave unreadable images out and count them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
