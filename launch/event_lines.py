"""`--json`: every event of the record as a line on standard output, where nothing else is printed then."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue

from schedulers.study_run import StudyRun
from studies.record.events import Event
from studies.study_folder import StudyFolder

logger = logging.getLogger(__name__)
_one_line = threading.Lock()  # of several studies' at a time
_PATIENCE = 10.0  # seconds that a reader has for the last lines


@contextmanager
def event_lines(folder: StudyFolder, run: StudyRun, *, named: bool = False) -> Iterator[Callable[[Event], None]]:
    """Yield what prints an event as one JSON object; a reader that stands still or goes away does not hold the search up.

    `named`: with the name of its study, where several are searched.
    """
    study = {"study": folder.name} if named else {}
    lines: SimpleQueue[bytes | None] = SimpleQueue()
    writer = threading.Thread(target=_write, args=[lines, sys.stdout.fileno()], daemon=True)
    writer.start()
    try:
        yield lambda event: lines.put(_line(event, study))
    finally:
        lines.put(None)
        writer.join(_PATIENCE)
        if writer.is_alive():
            logger.warning(
                "--json: whoever reads standard output stands still; the last events are in %s", folder.record
            )


def _line(event: Event, study: Mapping[str, str]) -> bytes:
    whole = event.model_dump_json()
    return (f"{json.dumps(study)[:-1]}, {whole[1:]}" if study else whole).encode() + b"\n"


def _write(lines: "SimpleQueue[bytes | None]", output: int) -> None:
    """Write lines past Python's buffer, whose lock would keep the process from ending."""
    while (line := lines.get()) is not None:
        try:
            with _one_line:
                while line:
                    line = line[os.write(output, line) :]
        except OSError as error:  # whoever read has gone, or the disk of a file is full
            if not isinstance(error, BrokenPipeError):
                logger.warning("--json: %s; the events stand in the record alone", error.strerror)
            os.dup2(os.open(os.devnull, os.O_WRONLY), output)  # what comes is dropped, and the last flush does not fail
