"""Reads one hostile file after the other, each in a fork of its own with 10 seconds and 1 GiB, and says what came of it.

    python -m tests.hostile.worker < NAMES

A line for every name: how its reader ended, as JSON.
"""

import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # its own reserves a gibibyte before it reads a row

from command_line.plain_text import harmless
from tests.hostile.case import Case
from tests.hostile.corpus import CASES

SECONDS, BYTES = 10, 2**30


def outcome(case: Case, place: Path) -> dict[str, str]:
    """Return how the reader of a case ended: `read`, `refused` with its error, or `fell` with a traceback."""
    made = case.make(place)
    try:
        limit()
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
            ended = case.read(made)
    except (ValueError, OSError) as error:  # what every command of ours prints as one line
        return {"ended": "refused", "said": harmless(f"{type(error).__name__}: {error}")}
    except BaseException:
        return {"ended": "fell", "said": traceback.format_exc()}
    if "Traceback" in printed.getvalue():
        return {"ended": "fell", "said": printed.getvalue()}
    return {"ended": "refused" if isinstance(ended, int) and ended else "read", "said": printed.getvalue()}


def limit() -> None:
    """Give this process a second less than its parent waits, and a gibibyte more than it has."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS)


def in_a_fork(case: Case) -> dict[str, str]:
    """Return the outcome of a case from a process that may die of it."""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory(prefix="hostile.") as place:
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.chdir(place)
            with open(writer, "w", encoding="utf-8") as answer:
                json.dump(outcome(case, Path(place)), answer)
            os._exit(0)
        os.close(writer)
        with open(reader, encoding="utf-8") as answer:
            said = answer.read()
        _, status = os.waitpid(child, 0)
    if not said:
        return {"ended": "fell", "said": f"the process died of signal {os.WTERMSIG(status)}"}
    return dict(json.loads(said))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(in_a_fork(CASES[line.strip()])), flush=True)
