"""What makes a study this study: its space, its images and who stands where. Budgets and the sampler may change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces import SearchSpace

_IDENTITY = ("task", "data", "metric", "parameters", "constants", "defaults")


@dataclass(frozen=True)
class Identity:
    """A study's space, what it learns from, and its plugins by name with the hash of their source."""

    space: SearchSpace
    data: Mapping[str, Any]
    splits: Mapping[str, Any]
    plugins: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return what must not change between launches."""
        dumped = self.space.model_dump(mode="json")
        facts = {key: dumped[key] for key in _IDENTITY}
        return {
            **facts,
            "folds": self.space.search.folds,
            "images": self.data["images"],
            "labels": self.data["labels"],
            "splits": self.splits["digest"],
            "plugins": dict(self.plugins),
        }


def differences(before: Mapping[str, Any], now: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (dotted key, old, new) of everything that differs between two nested mappings."""
    for key in sorted({*before, *now}):
        old, new = before.get(key, "(absent)"), now.get(key, "(absent)")
        old, new = _numbered(old), _numbered(new)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{above}{key}.")
        elif old != new:
            yield f"{above}{key}", old, new


def _numbered(value: Any) -> Any:
    """Return a list of mappings, such as the ranges of a parameter, as a mapping by number."""
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return {str(number): one for number, one in enumerate(value)}
    return value
