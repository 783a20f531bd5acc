"""All commands by their name, and how each is typed: as sub-commands of `foldrace`, or as scripts and modules."""

import os
from importlib.metadata import PackageNotFoundError, version

COMMANDS = {
    "search": "launch_search",
    "export": "export_best",
    "predict": "predict",
    "page": "analysis.page",
    "show": "analysis.show",
    "compare": "analysis.compare",
    "leaderboard": "analysis.leaderboard",
    "confirm": "analysis.confirm",
    "check": "analysis.check",
    "track": "analysis.track",
    "control": "launch.control",
    "portfolio": "analysis.portfolio",
    "config": "analysis.export_config",
}
TYPED = "FOLDRACE_TYPED"  # set in the environment of a command, and of those beside it, that `foldrace` started


def typed(name: str) -> str:
    """Return how to type a command: as `foldrace NAME` where this one was typed so, else as a script or module."""
    if TYPED in os.environ:
        return f"foldrace {name}"
    module = COMMANDS[name]
    return f"python -m {module}" if "." in module else f"python {module}.py"


def foldrace_version() -> str:
    """Return the version of Foldrace that is installed, or `(not installed)` where it runs from its folder."""
    try:
        return version("foldrace")
    except PackageNotFoundError:
        return "(not installed)"
