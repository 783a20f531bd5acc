"""Survey: `grace_period` epochs of the first fold for everyone, then the finalists go straight to the top."""

from dataclasses import dataclass

from schedulers.strategies.fold_ladder import FoldLadder


@dataclass(frozen=True)
class Survey(FoldLadder):
    """A fold ladder with a single rung inside the first fold."""

    @property
    def epoch_rungs(self) -> tuple[int, ...]:
        """Return the one rung at which everyone is compared."""
        return (self.grace_period,) if self.grace_period < self.epochs else ()
