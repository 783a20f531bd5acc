"""Lines on the terminal, as they are: no markup, no highlighting, no wrapping."""

from rich.console import Console

console = Console()


def say(*lines: str, style: str | None = None, to: Console = console) -> None:
    """Print lines as they are."""
    for line in lines:
        to.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def say_error(error: Exception) -> None:
    """Print what a user can mend; our own errors are ValueErrors that name file, key and way out."""
    message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
    say(f"error: {message}", style="red")
