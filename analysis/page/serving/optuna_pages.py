"""optuna-dashboard on a study's mirror, begun when somebody asks for it; requests that change something are refused."""

import threading
from pathlib import Path

import waitress

from analysis.page.serving.guard import read_only
from analysis.page.serving.sockets import listening_socket, port_of
from studies.study_folder import StudyError, StudyFolder


class OptunaPages:
    """One server a mirror, each on a port of its own: the dashboard's addresses begin at the root."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[Path, int], str] = {}
        self._lock = threading.Lock()

    def address(self, folder: StudyFolder) -> str:
        """Return where the dashboard of a study is.

        Raises:
            StudyError: there is no mirror, or optuna-dashboard is not installed.
        """
        if not folder.mirror.exists():
            raise StudyError(f"{folder.mirror}: is not there; the next launch of the study writes it anew")
        with self._lock:
            key = (folder.mirror, folder.mirror.stat().st_ino)  # every launch writes a new one
            if key not in self._addresses:
                self._addresses[key] = _serve(folder.mirror)
            return self._addresses[key]


def _serve(mirror: Path) -> str:
    """Begin a dashboard on a mirror and return the address of its study."""
    try:
        from optuna_dashboard import wsgi
    except ImportError:
        raise StudyError("optuna-dashboard is not installed: pip install optuna-dashboard") from None
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(mirror)))
    known = storage.get_all_studies()
    application = wsgi(storage)
    listening = listening_socket(0)
    serve = waitress.create_server(read_only(application), sockets=[listening], threads=4, ident=None)
    threading.Thread(target=serve.run, daemon=True).start()
    place = f"/dashboard/studies/{known[0]._study_id}" if known else "/dashboard"
    return f"http://127.0.0.1:{port_of(listening)}{place}"
