"""Running out of memory: how libraries say it, and predicting in chunks that fit."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import torch
from torch import Tensor

from datasets.images import Pixels
from trainables.training.classifier import Classifier, Judged

_WORDS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")  # of libraries that have no class for it
_PER_PIXEL = (
    300  # bytes of activations that an EfficientNet needs for a pixel of an image that is predicted, in float32
)
_OF_FREE = 0.5  # of a GPU's free memory that the first chunk may take


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory did not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


class Chunks:
    """How many images are predicted at a time: halved whenever memory does not suffice, and kept so.

    For a GPU (`ahead`) a thread gathers the next chunk in pinned memory while the last one is predicted.
    """

    def __init__(self, images: int, *, ahead: bool = False) -> None:
        self.images, self._ahead = max(1, images), ahead

    @classmethod
    def on(cls, device: torch.device, pixels: int, side: int, *, by_memory: bool = True) -> "Chunks":
        """Return chunks of so many pixels of square images, on a GPU no more than its free memory is likely to hold.

        Digits that are to come out again must not depend on memory: then the first chunk does not (`by_memory`). The lines for
        GPUs were never run on one.
        """
        images = pixels // side**2
        if device.type != "cuda":
            return cls(images)
        if not by_memory:
            return cls(images, ahead=True)
        fitting = int(_OF_FREE * torch.cuda.mem_get_info(device)[0] / (_PER_PIXEL * side**2))
        return cls(min(images, fitting), ahead=True)

    def judged(self, classifier: Classifier, count: int, images: Callable[[slice], Pixels]) -> Judged:
        """Return the predictions of a classifier for `count` images; `images` returns the images of a slice.

        Raises:
            RuntimeError: memory does not suffice for a single one.
        """
        while True:
            try:
                return Judged.together([classifier.judge(chunk) for chunk in self._chunks(count, images)])
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error) or self.images == 1:
                    raise
            self.images = ceil(self.images / 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _chunks(self, count: int, images: Callable[[slice], Pixels]) -> Iterator[Pixels | Tensor]:
        parts = [slice(start, start + self.images) for start in range(0, count, self.images)]
        return gathered_ahead(parts, images) if self._ahead else map(images, parts)


def gathered_ahead(parts: Sequence[slice], images: Callable[[slice], Pixels]) -> Iterator[Tensor]:
    """Yield the images of slices, the next one gathered by a thread meanwhile; in pinned memory where there is a GPU."""

    def gathered(part: slice) -> Tensor:
        chunk = torch.from_numpy(images(part))
        return chunk.pin_memory() if torch.cuda.is_available() else chunk

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(gathered, parts[0])
        for part in parts[1:]:
            chunk, coming = coming.result(), thread.submit(gathered, part)
            yield chunk
        yield coming.result()
