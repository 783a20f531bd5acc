"""Search hyperparameters of image classifiers, package the winners as one voting ensemble, and vote with it.

    foldrace search --space age.yaml
    foldrace export
    foldrace predict --images DIR

`foldrace COMMAND --help` says what a command does. Each is also a script or a module: `foldrace search` is
`python launch_search.py`, `foldrace page` is `python -m analysis.page`.
"""
# PYTHON_ARGCOMPLETE_OK

import os
import runpy
import sys
from difflib import get_close_matches

from command_line.commands import COMMANDS, TYPED, foldrace_version


def main() -> int:
    """Run the command that was named, and return its exit code."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print(f"{__doc__}\ncommands: {', '.join(COMMANDS)}")
        return 0
    if name == "--version":
        print(f"foldrace {foldrace_version()}")
        return 0
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(COMMANDS)}"
        print(f"error: foldrace has no command {name}; {hint}", file=sys.stderr)
        return 2
    os.environ[TYPED] = "1"
    sys.argv = [f"foldrace {name}", *sys.argv[2:]]
    runpy.run_module(COMMANDS[name], run_name="__main__", alter_sys=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
