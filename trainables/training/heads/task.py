"""What a head must know of its task. Needs no torch."""

from dataclasses import dataclass

from datasets.numbers import Number


@dataclass(frozen=True)
class Task:
    """How many classes there are, and the number behind the label, if there is one."""

    classes: int
    number: Number | None = None
