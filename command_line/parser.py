"""The parser that all commands share: help as it was written, and shell completion by argcomplete.

Once for a shell: activate-global-python-argcomplete --user; then python launch_search.py --sp<TAB>
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from command_line.commands import TYPED

ASKED = "_ARGCOMPLETE"  # set by the shell when it asks what may be typed next


def command_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help begins with a command's docstring: what it does, and examples."""
    formatter = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(prog=_typed(), description=description, formatter_class=formatter)


def _typed() -> str:
    """Return how the command that runs is typed, less its options."""
    if TYPED in os.environ and sys.argv[0].startswith("foldrace "):
        return sys.argv[0]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python {Path(sys.argv[0]).name}" if spec is None else f"python -m {spec.name.removesuffix('.__main__')}"


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Return what was typed, or answer the shell that asks how it may go on, and end."""
    if ASKED in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    return parser.parse_args()


def completed_by(action: argparse.Action, names: Callable[[], list[str]]) -> None:
    """Have an option's values completed by names, beside files."""

    def complete(prefix: str, **context: object) -> list[str]:
        from argcomplete.completers import FilesCompleter

        return [*(name for name in names() if name.startswith(prefix)), *FilesCompleter()(prefix)]

    action.completer = complete  # type: ignore[attr-defined]


def folders_of(place: Path) -> list[str]:
    """Return the names of the folders in a place."""
    return sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
