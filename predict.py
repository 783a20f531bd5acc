"""Vote on new images with a bundle.

    python predict.py --images DIR
    python predict.py --images DIR --bundle ensembles/age.tar --labels DIR/labels.csv

Needs torch, timm and what reads images: no Ray, no Optuna, no training data.
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import sys
from pathlib import Path

from voting.predicting.options import parse_options

if __name__ == "__main__":
    parse_options(__doc__)  # completion, help and typing mistakes are answered before imports that take seconds

from command_line.plain_text import print_line
from voting.bundle.archive import unpacked
from voting.bundle.manifest import newest_bundle, open_bundle
from voting.bundle.named_plugins import load_named_plugins
from voting.predicting.inputs import find_images, read_labels
from voting.predicting.runtime import load_task, readable, vote
from voting.predicting.scores import print_scores
from voting.predicting.votes_file import check_submission, submit, write_votes


def main() -> int:
    """Run the command and return its exit code."""
    try:
        return predict(parse_options(__doc__))
    except (ValueError, OSError) as error:  # our own errors are ValueErrors that name the way out
        print_line(f"error: {error}", sys.stderr)
        return 2


def predict(options: argparse.Namespace) -> int:
    """Find the bundle and vote with it."""
    place = Path(options.bundle) if options.bundle else newest_bundle(Path("ensembles"))
    with unpacked(place) as bundle:
        return predict_with(bundle, options)


def predict_with(bundle: Path, options: argparse.Namespace) -> int:
    """Vote with an open bundle, write and score."""
    manifest = open_bundle(bundle)
    load_named_plugins(bundle, manifest, options.plugin)
    images = readable(find_images(Path(options.images)), skip=options.skip_unreadable)
    check_submission(images, manifest)
    labels = read_labels(Path(options.labels), images, manifest.tasks) if options.labels else {}
    voted = {task.task: vote(load_task(task, bundle), images.paths, task) for task in manifest.tasks}
    write_votes(Path(options.out), images, manifest.tasks, voted)
    votes = {task: one.decided for task, one in voted.items()}
    print_line(f"{len(images.names)} images voted on by {manifest.name} -> {options.out}")
    if images.info is not None:
        submit(Path(options.submission), images, votes)
    print_scores(manifest, labels, votes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
