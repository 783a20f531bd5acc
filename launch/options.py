"""The options of `launch_search.py`, and which of them are short for a setting of the space."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from analysis.page.serving.sockets import PORT, port_number
from analysis.tracking.tracker import TRACKERS
from command_line.commands import TYPED, typed
from command_line.parser import command_parser, completed_by, folders_of, parsed
from launch.signals import PATIENCE
from search_spaces.durations import parse_duration
from search_spaces.reading import SHIPPED
from storage.outage import PATIENCE as OUTAGE

AUTO = "auto"  # instead of a number of trials or cores: measured at launch
_SETTINGS = ("trials", "time_budget", "fold_epochs", "target_score", "worth", "disk_budget", "seed")


def parse_options(description: str | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = command_parser(description)
    _add_searched(parser)
    _add_tried(parser)
    _add_budgets(parser)
    _add_hardware(parser)
    _add_surroundings(parser)
    _add_watching(parser)
    return parsed(parser)


def overrides(options: argparse.Namespace) -> list[str]:
    """Return --set and the options that are short for one, the options last."""
    short = [(name, getattr(options, name)) for name in _SETTINGS]
    return [*options.set, *(f"search.{name}={value}" for name, value in short if value is not None)]


def same_command(*changed: str) -> str:
    """Return the command that was typed, to be typed again, with a changed option and its value in the place of the former."""
    words = list(sys.argv)
    for option in changed[:1]:
        while option in words:
            del words[words.index(option) : words.index(option) + 2]
        words = [word for word in words if not word.startswith(f"{option}=")]
    spelled = " ".join(shlex.quote(word) for word in [*words[1:], *changed])
    return f"{typed('search') if TYPED in os.environ else f'python {shlex.quote(words[0])}'} {spelled}".rstrip()


def _add_searched(parser: argparse.ArgumentParser) -> None:
    searched = parser.add_argument_group("what is searched, and where to")
    space = searched.add_argument(
        "--space",
        action="append",
        required=True,
        help="a file, or the name of one in search_spaces/; given several times, their studies share the hardware",
    )
    completed_by(space, lambda: sorted(path.name for path in SHIPPED.glob("*.yaml")))
    study = searched.add_argument(
        "--study",
        action="append",
        default=[],
        metavar="NAME",
        help="of the study (default: the space's); SPACE:NAME of several",
    )
    completed_by(study, lambda: folders_of(Path("results")))
    searched.add_argument("--data", metavar="PLACE", help="sample_faces, a CSV, a competition folder or class folders")
    searched.add_argument("--skip-unreadable", action="store_true", help="leave unreadable images out and count them")
    searched.add_argument("--results", default="results", help="folder of all studies (default: results)")
    searched.add_argument("--profile", help="one of the space's profiles (default: by the hardware)")
    searched.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override, such as constants.epochs=4; SPACE:KEY=VALUE for one of several",
    )


def _add_tried(parser: argparse.ArgumentParser) -> None:
    tried = parser.add_argument_group("what is tried first")
    other = tried.add_argument(
        "--warm-start", metavar="STUDY", help="begin with the best configurations of another study"
    )
    completed_by(other, lambda: folders_of(Path("results")))
    tried.add_argument("--enqueue", metavar="FILE", help="begin with the configurations of a YAML list")
    tried.add_argument("--seed", help="of the sampler")


def _add_budgets(parser: argparse.ArgumentParser) -> None:
    budgets = parser.add_argument_group(
        "budgets", "over all launches together; whichever is spent first ends the search"
    )
    budgets.add_argument("--trials", help="configurations to try; a larger number extends a study")
    budgets.add_argument("--time-budget", metavar="TIME", help="search time, such as 10m or 8h")
    budgets.add_argument("--fold-epochs", metavar="N", help="epochs of one fold, of all trials together")
    budgets.add_argument(
        "--target-score", metavar="SCORE", help="of the metric: end once a trial reaches it over all folds"
    )
    budgets.add_argument(
        "--worth", metavar="RATE", help="begin no trial that is expected to gain less, such as 0.002/h of the device"
    )
    budgets.add_argument(
        "--disk-budget",
        metavar="SIZE",
        help="of the study's folder, such as 20GB; states and weights of the least promising go",
    )


def _add_hardware(parser: argparse.ArgumentParser) -> None:
    hardware = parser.add_argument_group("hardware")
    hardware.add_argument(
        "--cpus-per-trial",
        type=_number_or_auto,
        metavar="N",
        help="default: 1 on CPUs, an even share beside a GPU; auto measures at launch what trains fastest",
    )
    hardware.add_argument(
        "--trials-per-gpu",
        type=_number_or_auto,
        default=1,
        metavar="N",
        help="trials that share a GPU (default: 1); auto measures at launch how many fit and train fastest",
    )
    hardware.add_argument(
        "--compile",
        nargs="?",
        const="kernels",
        choices=("kernels", "graphs"),
        help="torch.compile the models, with graphs as CUDA graphs too; pays in long studies on a GPU, rarely on a CPU",
    )
    hardware.add_argument(
        "--cudnn-benchmark",
        action="store_true",
        help="let cuDNN try which of its algorithms is fastest; scores then differ in their last digits",
    )


def _add_surroundings(parser: argparse.ArgumentParser) -> None:
    around = parser.add_argument_group("job system, storage and cluster")
    around.add_argument(
        "--patience",
        type=_duration,
        default=PATIENCE,
        metavar="TIME",
        help=f"how long running epochs may go on after SIGTERM, such as 110s (default: {PATIENCE:.0f}s)",
    )
    around.add_argument(
        "--storage-patience",
        type=_duration,
        default=OUTAGE,
        metavar="TIME",
        help=f"how long an outage of the results' storage is waited for (default: {OUTAGE:.0f}s)",
    )
    around.add_argument(
        "--address", help="join a running Ray cluster, such as auto; data, results and cache must be shared"
    )
    around.add_argument(
        "--insecure", action="store_true", help="use Ray without a token: whoever reaches it runs code as you"
    )


def _add_watching(parser: argparse.ArgumentParser) -> None:
    watching = parser.add_argument_group("watching")
    watching.add_argument("--dry-run", action="store_true", help="print what would be done and start nothing")
    watching.add_argument(
        "--page-port",
        type=port_number,
        default=PORT,
        metavar="N",
        help=f"of the study's page, or the next one that is free (default: {PORT})",
    )
    watching.add_argument("--no-page", action="store_true", help="serve no page")
    watching.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="TOOL",
        help=f"send every trial to {', '.join(TRACKERS)} as it goes on; may be given several times",
    )
    watching.add_argument(
        "--json", action="store_true", help="print every event as a line of JSON, and all else on standard error"
    )
    watching.add_argument(
        "--verbose", action="store_true", help="show at the end how the search was spent, rung by rung"
    )


def _duration(text: str) -> float:
    """Return the seconds of a duration, for argparse."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error} (got {text})") from None


def _number_or_auto(text: str) -> int | str:
    """Return a whole number above zero, or auto, for argparse."""
    if text == AUTO:
        return text
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, or auto (got {text})")
    return value
