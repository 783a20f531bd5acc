"""Which plugins somebody has chosen to run here: a mark for each source, outside of all studies, that a launch leaves.

A study's folder may come from anybody. What a launch of one's own has run may be run again, to export or to confirm; of any other
study the code has to be named.
"""

import os

from plugins.sources import Plugin
from storage.rebuilt_folder import cache_root

_MARKS = "launched_plugins"


def trust(plugin: Plugin) -> None:
    """Leave the mark of a plugin that a launch runs."""
    folder = cache_root() / _MARKS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / plugin.digest).touch()


def is_trusted(digest: str) -> bool:
    """Tell whether the plugin of a hash was launched here."""
    mark = cache_root() / _MARKS / digest
    return digest.isalnum() and mark.is_file() and mark.lstat().st_uid == os.getuid()  # a group may share the cache
