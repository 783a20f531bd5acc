"""The batches of one epoch: a batch is a pure function of its number, so any worker may make it."""

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datasets.images import Pixels
from datasets.transforms import augment, make_transform
from trainables.config import TrainConfig
from trainables.fold_data import FoldData, Rows
from trainables.seeds import derived_generator, derived_seed

Stream = tuple[int, int, int, int]  # seed, trial, fold, epoch


class TrainingBatches(Dataset[tuple[Tensor, Tensor]]):
    """Shuffled, augmented training batches: uint8 images N x H x W x 3 and class numbers."""

    def __init__(self, data: FoldData, positions: Rows, config: TrainConfig, stream: Stream) -> None:
        self._data, self._stream, self._size = data, stream, config.batch_size
        self._order = derived_generator(*stream, 0).permutation(positions)
        self._transform = make_transform(config.augmentation)

    def __len__(self) -> int:
        return batches_per_epoch(len(self._order), self._size)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        if number >= len(self):
            raise IndexError(number)
        start = number * self._size
        chosen = self._order[start : start + self._size] if number < len(self) - 1 else self._order[start:]
        images = augment(gather(self._data, chosen), self._transform, derived_seed(*self._stream, 1, number))
        return torch.from_numpy(images), torch.from_numpy(self._data.targets[chosen])


def batches_per_epoch(images: int, batch_size: int) -> int:
    """Return the number of batches; a last one of a single image joins the one before (batch norm needs two)."""
    whole, rest = divmod(images, batch_size)
    return max(1, whole + (rest > 1))


def gather(data: FoldData, positions: Rows) -> Pixels:
    """Return the decoded images at these positions, copied out of the memory map."""
    pixels: Pixels = data.images[data.rows[positions]]
    return pixels


def make_loader(batches: TrainingBatches, workers: int, *, pinned: bool) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return a loader over whole batches; the same batches come out for any number of workers."""
    return DataLoader(batches, batch_size=None, num_workers=workers, pin_memory=pinned)
