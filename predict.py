"""Vote on new images with a bundle.

    python predict.py --images DIR

Needs torch, timm and what reads images: no Ray, no Optuna, no training data.
"""

import argparse
import sys
from pathlib import Path

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
        return predict(parse_options())
    except (ValueError, OSError) as error:  # our own errors are ValueErrors that name the way out
        print(f"error: {error}", file=sys.stderr)
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
    print(f"{len(images.names)} images voted on by {manifest.name} -> {options.out}")
    if images.info is not None:
        submit(Path(options.submission), images, votes)
    print_scores(manifest, labels, votes)
    return 0


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--images", required=True, help="a folder, a CSV that lists images, or the competition's eval folder"
    )
    parser.add_argument("--bundle", help="a bundle, as a folder or an archive (default: the newest under ensembles/)")
    parser.add_argument("--out", default="votes.csv", help="CSV of votes (default: votes.csv)")
    parser.add_argument("--submission", default="submission.csv", help="where ImageID,ans goes if there is an info.csv")
    parser.add_argument("--labels", help="CSV, or labelled folder (the images' own), to score against")
    parser.add_argument("--plugin", action="append", default=[], help="a plugin that the bundle needs: code that runs")
    parser.add_argument("--skip-unreadable", action="store_true", help="leave unreadable images out and count them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
