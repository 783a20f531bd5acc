"""optuna-dashboard on a study's mirror, begun when somebody asks for it; requests that change something are refused."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from analysis.page.serving.guard import Application, Environ, Start, read_only
from analysis.page.serving.limits import limited_server
from analysis.page.serving.sockets import listening_socket, port_of
from studies.study_folder import StudyError, StudyFolder


class OptunaPages:
    """One server a study, on the next free ports after the page's: the dashboard's addresses begin at the root."""

    def __init__(self, page_port: int) -> None:
        self._page_port = page_port
        self._dashboards: dict[Path, Dashboard] = {}
        self._lock = threading.Lock()

    def address(self, folder: StudyFolder) -> str:
        """Return where the dashboard of a study is.

        Raises:
            StudyError: there is no mirror, or optuna-dashboard is not installed.
        """
        if not folder.mirror.exists():
            raise StudyError(f"{folder.mirror}: is not there; the next launch of the study writes it anew")
        with self._lock:
            if folder.mirror not in self._dashboards:
                self._dashboards[folder.mirror] = Dashboard(folder.mirror, self._page_port + 1)
            return self._dashboards[folder.mirror].address()


class Dashboard:
    """The dashboard of one mirror, which every launch of the study writes anew."""

    def __init__(self, mirror: Path, port: int) -> None:
        self._mirror, self._known, self._opening = mirror, _identity(mirror), threading.Lock()
        self._application: Application | None = None
        self._place = self._opened()
        listening = listening_socket(port)
        self._port = port_of(listening)
        server = limited_server(read_only(self._answer), listening)
        threading.Thread(target=server.run, daemon=True).start()

    def address(self) -> str:
        """Return the address of the study in the mirror as it is now."""
        self._take_up()
        return f"http://127.0.0.1:{self._port}{self._place}"

    def _answer(self, environ: Environ, start: Start) -> Iterable[bytes]:
        self._take_up()
        assert self._application is not None
        return self._application(environ, start)

    def _take_up(self) -> None:
        """Open the mirror again if a launch has written another one in its place."""
        with self._opening:
            now = _identity(self._mirror)
            if now is not None and now != self._known:
                self._known, self._place = now, self._opened()

    def _opened(self) -> str:
        """Open the mirror, and return the path of its study."""
        try:
            from optuna_dashboard import wsgi
        except ImportError:
            raise StudyError("optuna-dashboard is not installed: pip install optuna-dashboard") from None
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        storage: Any = JournalStorage(JournalFileBackend(str(self._mirror)))
        known = storage.get_all_studies()
        self._application = wsgi(storage)
        return f"/dashboard/studies/{known[0]._study_id}" if known else "/dashboard"


def _identity(mirror: Path) -> tuple[int, bytes] | None:
    """Return by what a mirror is known again, its first line names who wrote it; None: it is not there, or empty."""
    try:
        with open(mirror, "rb") as file:
            first = file.readline()
            return (os.fstat(file.fileno()).st_ino, first) if first.endswith(b"\n") else None
    except FileNotFoundError:
        return None
