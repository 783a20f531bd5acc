"""The bundle's runtime: models in, images in, votes out. Needs torch, timm, and what reads images."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from datasets.images import Pixels, UnreadableImage, read_image
from trainables.models import make_model
from trainables.tensor_files import load_state
from voting.bundle import MemberSpec, TaskSpec
from voting.rules import Votes, soft_vote

_BATCH = 64
FoldVotes = npt.NDArray[np.float32]  # folds x images x classes


@dataclass(frozen=True)
class Member:
    """A voter, loaded: one model per fold."""

    spec: MemberSpec
    models: tuple[nn.Module, ...]
    device: torch.device

    def fold_votes(self, images: Pixels) -> FoldVotes:
        """Return every fold model's probabilities of decoded images (N x size x size x 3)."""
        with torch.inference_mode():
            parts = [self._batch_votes(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        votes: FoldVotes = np.concatenate(parts, axis=1)
        return votes

    def fold_vote(self, fold: int, images: Pixels) -> npt.NDArray[np.float32]:
        """Return one fold model's probabilities."""
        votes: npt.NDArray[np.float32] = Member(self.spec, (self.models[fold],), self.device).fold_votes(images)[0]
        return votes

    def _batch_votes(self, images: Pixels) -> FoldVotes:
        pixels = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float()
        mean, std = (self._per_channel(values) for values in (self.spec.mean, self.spec.std))
        prepared = (pixels - mean) / std
        return torch.stack([model(prepared).float().softmax(dim=1).cpu() for model in self.models]).numpy()

    def _per_channel(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, device=self.device).view(1, 3, 1, 1) * 255


def load_member(spec: MemberSpec, classes: int, folder: Path) -> Member:
    """Return a member with its weights from below `folder`, on the GPU if there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Member(
        spec, tuple(_load_model(spec.backbone, classes, folder / name, device) for name in spec.weights), device
    )


def load_task(task: TaskSpec, folder: Path) -> list[Member]:
    """Return all members of a task."""
    return [load_member(spec, len(task.classes), folder) for spec in task.members]


def vote(members: Sequence[Member], paths: Sequence[Path]) -> Votes:
    """Return the soft vote over all folds of all members on image files.

    Raises:
        UnreadableImage: a file that cannot be decoded.
    """
    sizes = {member.spec.image_size for member in members}
    parts = []
    for chunk in _chunks(paths):
        images = {size: read_images(chunk, size) for size in sizes}
        parts.append(
            soft_vote(
                [
                    folds.mean(axis=0)
                    for folds in (member.fold_votes(images[member.spec.image_size]) for member in members)
                ]
            )
        )
    return np.concatenate(parts)


def read_images(paths: Sequence[Path], size: int) -> Pixels:
    """Return image files decoded as for training, N x size x size x 3."""
    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(lambda path: read_image(path, size), paths)))


def unreadable_images(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return all files that cannot be decoded, with the reason."""

    def complaint(path: Path) -> tuple[Path, str] | None:
        try:
            read_image(path, 8)
        except UnreadableImage as error:
            return path, str(error)
        return None

    with ThreadPoolExecutor() as pool:
        return [found for found in pool.map(complaint, paths) if found]


def _load_model(backbone: str, classes: int, file: Path, device: torch.device) -> nn.Module:
    model = make_model(backbone, classes)
    model.load_state_dict(load_state(file))
    return model.to(device).to(memory_format=torch.channels_last).eval()


def _chunks(paths: Sequence[Path], size: int = 512) -> Iterator[Sequence[Path]]:
    for start in range(0, len(paths), size):
        yield paths[start : start + size]
