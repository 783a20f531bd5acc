"""The knobs of a trial that do something, without the plugins that may have brought some of them."""

from collections.abc import Mapping
from typing import Any

from trainables.config import configured


def effective_knobs(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a configuration makes a difference; all of it where a plugin, or a file of weights, is not at hand."""
    try:
        return configured(configuration).effective()
    except ValueError:
        return dict(configuration)
