"""What is wrong with a study on disk; every message names the way out."""

import shlex
from pathlib import Path

from command_line.commands import typed


class RecordError(ValueError):
    """A record that cannot be opened or trusted."""


class RecordTakenError(RecordError):
    """Another launch writes the record that this one holds open."""


class StudyError(ValueError):
    """A study that cannot be opened or continued."""


def check_command(study: Path) -> str:
    """Return what checks a study, as it is typed."""
    return f"{typed('check')} {shlex.quote(str(study))}"
