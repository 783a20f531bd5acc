"""Running out of memory: how libraries say it, and predicting in chunks that fit."""

from collections.abc import Callable
from math import ceil

import torch

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
    """How many images are predicted at a time: halved whenever memory does not suffice, and kept so."""

    def __init__(self, images: int) -> None:
        self.images = max(1, images)

    @classmethod
    def on(cls, device: torch.device, pixels: int, side: int) -> "Chunks":
        """Return chunks of so many pixels of square images, on a GPU no more than its free memory is likely to hold.

        The line for GPUs was never run on one.
        """
        images = pixels // side**2
        if device.type == "cuda":
            images = min(images, int(_OF_FREE * torch.cuda.mem_get_info(device)[0] / (_PER_PIXEL * side**2)))
        return cls(images)

    def judged(self, classifier: Classifier, count: int, images: Callable[[slice], Pixels]) -> Judged:
        """Return the predictions of a classifier for `count` images; `images` returns the images of a slice.

        Raises:
            RuntimeError: memory does not suffice for a single one.
        """
        while True:
            try:
                starts = range(0, count, self.images)
                return Judged.together(
                    [classifier.judge(images(slice(start, start + self.images))) for start in starts]
                )
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error) or self.images == 1:
                    raise
            self.images = ceil(self.images / 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
