"""Survey: `grace_period` epochs of the first fold for everyone, then the finalists go straight to the top."""

from dataclasses import dataclass, field

from schedulers.strategies.fold_ladder import FoldLadder


@dataclass(frozen=True)
class Survey(FoldLadder):
    """A fold ladder with a single look inside the first fold."""

    looks: int = field(default=1, init=False)
    keep: float = field(default=0.5, init=False)  # of no consequence: from the only look the finalists go on
