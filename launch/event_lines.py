"""`--json`: every event of the record as a line on standard output, where nothing else is printed then."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schedulers.study_run import StudyRun
from studies.events import Event
from studies.study_folder import StudyFolder


@contextmanager
def event_lines(folder: StudyFolder, run: StudyRun) -> Iterator[Callable[[Event], None]]:
    """Yield what prints an event as one JSON object; a reader that goes away does not end the search."""
    yield _print


def _print(event: Event) -> None:
    try:
        print(event.model_dump_json(), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor does the last flush fail
        raise
