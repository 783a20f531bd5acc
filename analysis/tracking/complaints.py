"""What the process that sends a study has to say to the search beside it: lines that are marked, among whatever tools print."""

import sys

_MARK = "foldrace complains: "


def complain(words: str) -> None:
    """Print a complaint, for the search to find."""
    print(f"{_MARK}{words}", file=sys.stderr, flush=True)


def complaints_in(said: str) -> list[str]:
    """Return the complaints among what a process has printed."""
    return [line.removeprefix(_MARK) for line in said.splitlines() if line.startswith(_MARK)]
