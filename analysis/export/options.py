"""The command line of the export."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from command_line.parser import command_parser, parsed
from voting.ensemble.fit import Wanted
from voting.rules.vote import VOTE_RULES
from voting.selection import CONSIDERED
from voting.selection.methods import METHODS


@dataclass(frozen=True)
class ExportOptions:
    """What an export was asked for."""

    results: Path
    studies: tuple[str, ...]
    out: Path
    name: str | None
    wanted: Wanted
    vote: str
    vote_options: Mapping[str, str]
    plugins: tuple[str, ...]
    refit: bool
    archive: bool


def parse_options(description: str | None) -> ExportOptions:
    """Return the command line's options."""
    parser = _parser(description)
    given = parsed(parser)
    if given.size == 1 and given.method not in ("auto", "single"):
        parser.error(f"--size 1: {given.method} needs two voters or more; say --method single, or a larger --size")
    return ExportOptions(
        results=Path(given.results),
        studies=tuple(given.study),
        out=Path(given.out),
        name=given.name,
        wanted=Wanted(None if given.method == "auto" else given.method, given.size, given.seed),
        vote=given.vote,
        vote_options=dict(given.vote_option),
        plugins=tuple(given.plugin),
        refit=given.refit,
        archive=given.archive,
    )


def _parser(description: str | None) -> argparse.ArgumentParser:
    parser = command_parser(description)
    places = parser.add_argument_group("what is exported, and where to")
    places.add_argument("--results", default="results", help="folder of all studies (default: results)")
    places.add_argument("--study", action="append", default=[], help="only this study; may be given again")
    places.add_argument("--out", default="ensembles", help="folder of all bundles (default: ensembles)")
    places.add_argument("--name", help="name of the bundle (default: its tasks)")
    places.add_argument("--archive", action="store_true", help="also write the bundle as one file, NAME.tar")
    places.add_argument(
        "--refit", action="store_true", help="train who was chosen again on all persons, holdout too: never scored"
    )
    voters = parser.add_argument_group("who votes, and how")
    methods = f"auto, or one of {', '.join(METHODS)} (default: auto, by cross-fitted scores)"
    voters.add_argument("--method", default="auto", choices=("auto", *METHODS), metavar="METHOD", help=methods)
    size = f"most voters per task (default: {CONSIDERED})"
    voters.add_argument(
        "--size", type=int, choices=range(1, CONSIDERED + 1), default=CONSIDERED, metavar="N", help=size
    )
    rules = f"how members vote: {', '.join(VOTE_RULES)}, or a plugin's (default: soft)"
    voters.add_argument("--vote", default="soft", metavar="RULE", help=rules)
    voters.add_argument(
        "--vote-option", type=key_and_value, action="append", default=[], metavar="KEY=VALUE", help="of the vote rule"
    )
    voters.add_argument("--seed", type=_seed, default=0, help="of the evolution strategy's weights (default: 0)")
    voters.add_argument("--plugin", action="append", default=[], help="a plugin, such as one with a vote rule")
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {2**32 - 1} (got {text})")
    return int(text)


def key_and_value(text: str) -> tuple[str, str]:
    """Return the two sides of 'key=value', for argparse."""
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"must look like share=0.2 (got {text})")
    return key, value
