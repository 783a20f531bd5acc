"""Make a portfolio from finished studies: what was best in them comes first in a study that names it.

python -m analysis.portfolio results/age results/gender --out mine.yaml
python launch_search.py --space mask.yaml --set search.portfolio=mine.yaml
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from analysis.portfolio.across import portfolio_across
from analysis.portfolio.studies import Judged, read_judged
from command_line.commands import typed
from command_line.console import say, say_error
from command_line.parser import command_parser, parsed
from storage.atomic import write_text
from studies.study_folder import StudyError, StudyFolder


def main() -> int:
    """Write the file and say what is in it; return the exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("studies", type=Path, nargs="+", help="folders of studies")
    written = parser.add_argument_group("what is written")
    written.add_argument("--out", type=Path, required=True, help="where to write it")
    written.add_argument(
        "--first",
        type=_count,
        default=12,
        metavar="N",
        help="how many are tried before the sampler is asked (default: 12)",
    )
    arguments = parsed(parser)
    try:
        portfolio = portfolio_across(_judged(arguments.studies), arguments.first)
        write_text(arguments.out, portfolio.spelled())
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    count = len(portfolio.configurations)
    say(
        f"{count} configurations of {', '.join(portfolio.sets)}, {portfolio.first} to be tried first -> {arguments.out}"
    )
    say(f"Next: {typed('search')} --space SPACE --set {quote(f'search.portfolio={arguments.out}')}")
    return 0


def _judged(paths: Sequence[Path]) -> list[Judged]:
    """Return the studies that have scores; the others are left out by name.

    Raises:
        StudyError: none has.
    """
    found, reasons = list[Judged](), list[str]()
    for path in paths:
        try:
            found.append(read_judged(StudyFolder(path)))
        except ValueError as error:
            reasons.append(str(error))
    if not found:
        raise StudyError("\n".join(reasons))
    for reason in reasons:
        say(f"Left out: {reason}")
    return found


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a number of configurations, such as 12 (got {text!r})")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
