"""The training batches of a fold: a batch is a pure function of its epoch and number, so any worker may make it."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from datasets.augmentations import AUGMENTATIONS
from datasets.images import Pixels
from datasets.transforms import augment, make_transform
from plugins.registry import arguments_for
from trainables.config import TrainConfig
from trainables.training.images.fold_data import FoldData, Rows
from trainables.training.images.prefetching import prefetch_factor
from trainables.training.images.sampling import batches_per_epoch, epoch_order, groups_of
from trainables.training.seeds import derived_generator, derived_seed

_PATIENCE = 600  # seconds for a batch: a worker that cannot hand it over, as shared memory is full, says nothing
Stream = tuple[int, int, int]  # seed, trial, fold
Key = tuple[int, int]  # epoch, number of the batch in it
Batch = tuple[Tensor, Tensor]  # uint8 images N x H x W x 3, and their positions among all images


class TrainingBatches(Dataset[Batch]):
    """Augmented training batches, in the order that the sampling draws."""

    def __init__(self, data: FoldData, positions: Rows, config: TrainConfig, stream: Stream) -> None:
        self.per_epoch = batches_per_epoch(len(positions), config.batch_size, config.last_batch)
        self._data, self._positions, self._stream, self._size = data, positions, stream, config.batch_size
        self._config = config
        self._drawn: tuple[int, Rows] | None = None
        self._groups = groups_of(config, data.targets[positions], data.persons[positions])
        knobs = arguments_for(AUGMENTATIONS[config.augmentation], config)
        self._transform = make_transform(config.augmentation, **knobs)

    def __getitem__(self, key: Key) -> Batch:
        epoch, number = key
        order = self._order(epoch)
        start = number * self._size
        places = order[start : start + self._size] if number < self.per_epoch - 1 else order[start:]
        chosen = self._positions[places]
        images = augment(gather(self._data, chosen), self._transform, derived_seed(*self._stream, epoch, 1, number))
        return torch.from_numpy(images), torch.from_numpy(chosen)

    @property
    def bytes(self) -> int:
        """Return the size of a batch."""
        return self._size * int(self._data.images[0].nbytes)

    def _order(self, epoch: int) -> Rows:
        """Return the order of an epoch, drawn once."""
        if self._drawn is None or self._drawn[0] != epoch:
            generator = derived_generator(*self._stream, epoch, 0)
            self._drawn = epoch, epoch_order(self._config, self._groups, generator, len(self._positions))
        return self._drawn[1]


class BatchLoader:
    """Hands out epoch after epoch; worker processes, if there are any, live until it is closed."""

    def __init__(self, batches: TrainingBatches, workers: int, *, pinned: bool) -> None:
        self._keys = _Keys(batches.per_epoch)
        ahead = prefetch_factor(workers, batches.bytes) if workers else None
        self._loader: DataLoader[Batch] | None = DataLoader(
            batches,
            batch_size=None,
            sampler=self._keys,
            num_workers=workers,
            prefetch_factor=ahead,
            timeout=_PATIENCE if workers else 0,
            pin_memory=pinned,
            persistent_workers=workers > 0,
        )

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; the same ones for any number of workers."""
        assert self._loader is not None
        self._keys.epoch = epoch
        yield from self._loader

    def close(self) -> None:
        """End the worker processes: they would keep memory of the GPU."""
        self._loader = None


class _Keys(Sampler[Key]):
    """The keys of one epoch's batches, in order."""

    def __init__(self, per_epoch: int) -> None:
        self.epoch, self._per_epoch = 0, per_epoch

    def __iter__(self) -> Iterator[Key]:
        return ((self.epoch, number) for number in range(self._per_epoch))

    def __len__(self) -> int:
        return self._per_epoch


def gather(data: FoldData, positions: Rows) -> Pixels:
    """Return the decoded images at these positions, copied out of the memory map."""
    pixels: Pixels = data.images[data.rows[positions]]
    return pixels
