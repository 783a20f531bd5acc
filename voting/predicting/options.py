"""The options of `predict.py`."""

import argparse

from command_line.parser import command_parser, parsed


def parse_options(description: str | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = command_parser(description)
    votes = parser.add_argument_group("what votes, on what")
    written = parser.add_argument_group("what is written and scored")
    votes.add_argument(
        "--images", required=True, help="a folder, a CSV that lists images, or the competition's eval folder"
    )
    votes.add_argument("--bundle", help="a bundle, as a folder or an archive (default: the newest under ensembles/)")
    written.add_argument("--out", default="votes.csv", help="CSV of votes (default: votes.csv)")
    written.add_argument(
        "--submission", default="submission.csv", help="where ImageID,ans goes if there is an info.csv"
    )
    written.add_argument("--labels", help="CSV, or labelled folder (the images' own), to score against")
    votes.add_argument("--plugin", action="append", default=[], help="a plugin that the bundle needs: code that runs")
    votes.add_argument("--skip-unreadable", action="store_true", help="leave unreadable images out and count them")
    return parsed(parser)
