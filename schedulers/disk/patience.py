"""Trial folders on storage that may be out for a while: every question and order is tried again until it works."""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from schedulers.disk.trimming import Folders

Outlast: TypeAlias = Callable[[Callable[[], Any]], Any]  # see `storage.outage`


class PatientFolders:
    """Hands everything on to the folders of a study, as often as it takes."""

    def __init__(self, folders: Folders, outlast: Outlast) -> None:
        self._folders, self._outlast = folders, outlast

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a method of the folders that outlasts an outage."""
        method = getattr(self._folders, name)
        return lambda *arguments: self._outlast(lambda: method(*arguments))


def patient(folders: Folders, outlast: Outlast) -> Folders:
    """Return folders that outlast an outage of storage."""
    return cast(Folders, PatientFolders(folders, outlast))
