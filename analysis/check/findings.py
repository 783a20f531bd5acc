"""One thing that a check of a study has found."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """What was found where; a note is nothing that needs mending."""

    place: str
    told: str
    wrong: bool = True
    trial: int | None = None  # whose folder is damaged, so that a repair sets it aside
    stray: Path | None = None  # what does not belong there, likewise

    def __str__(self) -> str:
        return f"{'wrong' if self.wrong else 'note'}: {self.place}: {self.told}"
