"""What a vote leaves behind: a CSV of votes, and the competition's submission."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from command_line.plain_text import print_line
from voting.bundle.specs import BundleError, BundleManifest, TaskSpec
from voting.predicting.inputs import Images, write_submission
from voting.rules.joint import JOINT_TASKS, joint_votes
from voting.rules.vote import Vote, Votes


def write_votes(out: Path, images: Images, tasks: Sequence[TaskSpec], votes: Mapping[str, Vote]) -> None:
    """Write one row per image: for every task the class, the probability of each class, and the number if one is predicted."""
    header = ["image"]
    for task in tasks:
        header += [task.task, *(f"{task.task}_{name}" for name in task.classes)]
        header += [] if votes[task.task].numbers is None else [f"{task.task}_number"]
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:  # names as the disk has them
        writer = csv.writer(file)
        writer.writerow(header)
        for row, name in enumerate(images.names):
            cells = [name]
            for task in tasks:
                vote = votes[task.task]
                probabilities = vote.probabilities[row]
                cells += [task.classes[int(vote.decided[row].argmax())], *(f"{value:.6f}" for value in probabilities)]
                cells += [] if vote.numbers is None else [f"{vote.numbers[row]:.3f}"]
            writer.writerow(cells)


def check_submission(images: Images, manifest: BundleManifest) -> None:
    """Refuse the competition's list, before any vote, with a bundle that cannot fill it in."""
    missing = [task for task in JOINT_TASKS if task not in {spec.task for spec in manifest.tasks}]
    if images.info is not None and missing:
        needed = f"{images.info}: a submission needs a bundle that votes on {', '.join(JOINT_TASKS)}"
        raise BundleError(f"{needed}; {missing[0]} is missing (without info.csv, --images takes any folder)")


def submit(out: Path, images: Images, votes: Mapping[str, Votes]) -> None:
    """Write the competition's submission."""
    write_submission(images, joint_votes(votes).argmax(axis=1), out)
    print_line(f"submission -> {out}")
