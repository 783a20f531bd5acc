"""Text that commands no terminal: names and paths of others are printed as what they are."""

import logging
import re
from typing import TextIO

LONGEST = 20_000  # characters of a line: a path of megabytes helps nobody
_CONTROL = re.compile(  # all but tabs and line ends; marks that turn the direction of text or end a line, too
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    """Return a text whose control characters, such as the escapes of a name, are spelled; a very long one keeps its ends."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_line(text: str, to: TextIO | None = None) -> None:
    """Print a line, on standard output unless `to` is another file."""
    print(harmless(text), file=to)


class PlainFormatter(logging.Formatter):
    """Formats a warning as its message alone, less what would command the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return harmless(super().format(record))


def show_warnings() -> None:
    """Have warnings printed on standard error as plain lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
