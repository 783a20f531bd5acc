"""Text that commands no terminal: names and paths of others are printed as what they are."""

import re
from typing import TextIO

LONGEST = 20_000  # characters of a line: a path of megabytes helps nobody
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and line ends


def harmless(text: str) -> str:
    """Return a text whose control characters, such as the escapes of a name, are spelled; a very long one keeps its ends."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def print_line(text: str, to: TextIO | None = None) -> None:
    """Print a line, on standard output unless `to` is another file."""
    print(harmless(text), file=to)
