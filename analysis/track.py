"""Send a study to TensorBoard, MLflow or W&B: one run a trial, what was sent before left out.

    python -m analysis.track results/age --to mlflow                # where MLFLOW_TRACKING_URI says
    python -m analysis.track results/age --to tensorboard --to wandb

The same happens while a search runs: launch_search.py --log mlflow. Study, command and search agree about what was sent.
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import sys
import threading
from contextlib import closing
from pathlib import Path

from analysis.reading.opened import open_study
from analysis.tracking.complaints import complain
from analysis.tracking.feed import Feed
from analysis.tracking.sent import sending, without_credentials
from analysis.tracking.tracker import TRACKERS, check_installed
from command_line.console import say, say_error
from command_line.parser import command_parser, parsed
from command_line.plain_text import show_warnings
from studies.study import Study

_EVERY, _PATIENCE = 1.0, 30.0  # seconds between two looks at the record, and after a tool did not answer


def main() -> int:
    """Send what is new; return the exit code."""
    show_warnings()
    options = parse_options()
    try:
        study = open_study(options.study).study
        for tool in options.to:
            check_installed(tool)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    return max(_code_of(study, tool, options) for tool in dict.fromkeys(options.to))


def _code_of(study: Study, tool: str, options: argparse.Namespace) -> int:
    """Send a study to one tool, and return the exit code; a tool that fails does not keep the next from being told."""
    try:
        _follow(study, tool) if options.follow else _send(study, tool, again=options.again)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    except Exception as error:  # of the tool: a server that does not answer, a key that is not known
        say_error(ValueError(f"{tool}: {type(error).__name__}: {_first_line(error)}"))
        return 1
    return 0


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="folder of the study, such as results/age")
    sent = parser.add_argument_group("what is sent, and where to")
    sent.add_argument(
        "--to",
        action="append",
        required=True,
        metavar="TOOL",
        help=f"{', '.join(TRACKERS)}; may be given several times",
    )
    sent.add_argument("--again", action="store_true", help="send everything again, in runs that begin anew")
    parser.add_argument("--follow", action="store_true", help=argparse.SUPPRESS)  # until the launch that began it ends
    return parsed(parser)


def _send(study: Study, tool: str, *, again: bool) -> None:
    with sending(study.folder, tool), closing(TRACKERS[tool](study.folder, study.space.metric)) as tracker:
        sent = Feed(study, tool, tracker, again=again).rest()
        say(f"{tool}: {sent} fold-epochs were new; they are in {without_credentials(tracker.destination)}.")


def _follow(study: Study, tool: str) -> None:
    """Send as a search goes on, until standard input ends with the launch; a tool that fails is asked again later."""
    over = threading.Event()
    threading.Thread(target=_until_input_ends, args=[over], daemon=True).start()
    while not over.is_set():
        try:
            return _send_until(over, study, tool)
        except Exception as error:
            complain(f"{type(error).__name__}: {_first_line(error)}; it is tried again")
            over.wait(_PATIENCE)
    return _send_until(over, study, tool)


def _send_until(over: threading.Event, study: Study, tool: str) -> None:
    """Send what comes until it is over, then the rest."""
    with sending(study.folder, tool), closing(TRACKERS[tool](study.folder, study.space.metric)) as tracker:
        feed = Feed(study, tool, tracker)
        while not over.wait(_EVERY):
            feed.tell()
        feed.rest()


def _until_input_ends(over: threading.Event) -> None:
    sys.stdin.buffer.read()
    over.set()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


if __name__ == "__main__":
    sys.exit(main())
