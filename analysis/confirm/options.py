"""The command line of the confirmation."""

import argparse

from command_line.parser import command_parser, parsed


def parse_options(description: str | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = command_parser(description)
    parser.add_argument("study", help="folder of a study, such as results/age")
    code = parser.add_argument_group("code of the study that may run")
    code.add_argument("--plugin", action="append", default=[], help="a plugin that the study needs, by its source")
    trained = parser.add_argument_group("what is trained again")
    trained.add_argument("--path", action="store_true", help="train every step between recipe and winner, too")
    trained.add_argument("--repeats", type=_count, default=2, metavar="N", help="other seeds and splits (default: 2)")
    workers = "trainings at a time (default: one a core; one with a GPU)"
    parser.add_argument_group("hardware").add_argument("--workers", type=_count, metavar="N", help=workers)
    return parsed(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on (got {text})")
    return int(text)
