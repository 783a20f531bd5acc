"""The study's page beside its search."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote

from analysis.page.serving.sockets import listening_socket, port_of
from analysis.reading.words import typed_path
from command_line.commands import typed
from launch.beside.process import BackgroundProcess
from launch.resolve import Say
from studies.study_folder import StudyFolder

_PATIENCE = 5.0  # seconds that the page has to end


@contextmanager
def page_beside(folders: Sequence[StudyFolder], port: int | None, say: Say) -> Iterator[None]:
    """Serve the page of studies as long as the block runs, on `port` or the next free one; None: no page."""
    page = None if port is None else _page(folders, port, say)
    try:
        yield
    finally:
        if page is not None:
            page.end(_PATIENCE)


def _page(folders: Sequence[StudyFolder], port: int, say: Say) -> BackgroundProcess | None:
    first = folders[0]
    alone = len(folders) == 1
    place, address = (first.path, f"study/{quote(first.name, safe='')}") if alone else (first.path.parent, "")
    try:
        with listening_socket(port) as listening:
            number, found = listening.fileno(), port_of(listening)
            page = BackgroundProcess("analysis.page", str(place), "--socket", str(number), handed=[number])
    except (ValueError, OSError) as error:  # no page is no reason for no search
        say(f"No page of the study: {error}")
        return None
    again = f"{typed('page')} {typed_path(place)}"
    page.watch(lambda words: say(f"The study's page has ended: {words}. The search goes on; {again} shows it again."))
    taken = f" (port {port} is taken)" if port not in (0, found) else ""
    say(f"{'Study page' if alone else 'Page of all studies'}: http://127.0.0.1:{found}/{address}{taken}")
    return page
