"""Lines on the terminal, as they are: no markup, no highlighting, no wrapping."""

import os
from typing import Any

from rich.console import Console
from rich.text import Text

from command_line.plain_text import harmless


class LastingConsole(Console):
    """A console that goes quiet when whoever reads it has gone: `| head`, or a `tee` that Ctrl-C ended, too."""

    def render_str(self, text: str, **style: Any) -> Text:
        """Return a text for a table's cell, less what would command the terminal."""
        return super().render_str(harmless(text), **style)

    def on_broken_pipe(self) -> None:
        """Print nowhere from now on; rich itself would end the process."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


console = LastingConsole()


def say(*lines: str, style: str | None = None, to: Console = console) -> None:
    """Print lines as they are, less what would command the terminal."""
    for line in lines:
        to.print(harmless(line), style=style, highlight=False, markup=False, soft_wrap=True)


def say_error(error: Exception) -> None:
    """Print what a user can mend; our own errors are ValueErrors that name file, key and way out."""
    message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
    say(f"error: {message}", style="red")
