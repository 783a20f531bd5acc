"""Lines on the terminal, as they are: no markup, no highlighting, no wrapping."""

import os
import re

from rich.console import Console

LONGEST = 20_000  # characters of a line: a path of megabytes helps nobody
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and line ends


class LastingConsole(Console):
    """A console that goes quiet when whoever reads it has gone: `| head`, or a `tee` that Ctrl-C ended, too."""

    def on_broken_pipe(self) -> None:
        """Print nowhere from now on; rich itself would end the process."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


console = LastingConsole()


def say(*lines: str, style: str | None = None, to: Console = console) -> None:
    """Print lines as they are, less what would command the terminal."""
    for line in lines:
        to.print(harmless(line), style=style, highlight=False, markup=False, soft_wrap=True)


def harmless(text: str) -> str:
    """Return a text whose control characters, such as the escapes of a name, are spelled; a very long one keeps its ends."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def say_error(error: Exception) -> None:
    """Print what a user can mend; our own errors are ValueErrors that name file, key and way out."""
    message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
    say(f"error: {message}", style="red")
