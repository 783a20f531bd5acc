"""The bundle's runtime: models in, images in, votes out. Needs torch, timm, and what reads images."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError

from command_line.plain_text import print_line
from datasets.images import Form, Pixels, UnreadableImage, read_image
from trainables.training.classifier import Classifier, Judged, Normalisation
from trainables.training.heads.head import make_head
from trainables.training.heads.task import Task
from trainables.training.models import make_model
from voting.bundle.manifest import MANIFEST, first_wrong
from voting.bundle.specs import BundleError, MemberSpec, TaskSpec
from voting.predicting.inputs import Images
from voting.predicting.weights import load_weights
from voting.rules.vote import Vote

_BATCH = 64
_CHUNK = 256  # images that are decoded and held at a time, whatever their number
FoldVotes = npt.NDArray[np.float32]  # folds x images x classes
MemberVotes = npt.NDArray[np.float32]  # images x classes
Items = TypeVar("Items", Sequence[Path], Pixels)
Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Member:
    """A voter, loaded: one classifier for each of its folds, in the order of its spec."""

    spec: MemberSpec
    classifiers: tuple[Classifier, ...]

    @property
    def form(self) -> Form:
        return Form(self.spec.config.image_size, self.spec.resize)

    def fold_votes(self, images: Pixels) -> FoldVotes:
        """Return every fold model's probabilities of decoded images (N x size x size x 3)."""
        return np.stack([self.fold_vote(fold, images) for fold in range(len(self.classifiers))])

    def fold_vote(self, fold: int, images: Pixels) -> MemberVotes:
        """Return one fold model's probabilities."""
        return self.judge_fold(fold, images).probabilities

    def judge_fold(self, fold: int, images: Pixels) -> Judged:
        """Return what one fold's model says."""
        return Judged.together([self.classifiers[fold].judge(batch) for batch in _parts(images, _BATCH)])


def load_member(spec: MemberSpec, task: Task, folder: Path) -> Member:
    """Return a member with its weights from below `folder`, on the GPU if there is one.

    Raises:
        BundleError: a knob has a value that no model has, or weights do not fit; names what.
    """
    try:
        config = spec.config
    except ValidationError as error:
        raise BundleError(
            f"{folder / MANIFEST}: classifier.{first_wrong(error)} ({spec.study}, trial {spec.trial}); export again"
        ) from None
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    normalisation = Normalisation.of(spec.mean, spec.std, device)
    classifiers = []
    for fold, name in zip(spec.fold_numbers, spec.weights, strict=True):
        head = make_head(_task_of_fold(task, spec, fold), config)
        model = make_model(config, head.outputs)
        load_weights(model, folder / name)
        classifiers.append(Classifier(model.to(device).to(memory_format=torch.channels_last), head, normalisation))
    return Member(spec, tuple(classifiers))


def _task_of_fold(task: Task, spec: MemberSpec, fold: int) -> Task:
    """Return the task as a fold's model knows it: its number as that model learned it, with the member's own thresholds."""
    if task.number is None:
        return task
    number = task.number.without(fold)
    return replace(task, number=number if spec.borders is None else number.model_copy(update={"borders": spec.borders}))


def load_task(task: TaskSpec, folder: Path) -> list[Member]:
    """Return all members of a task."""
    return [load_member(spec, Task(len(task.classes), task.number), folder) for spec in task.members]


def vote(members: Sequence[Member], paths: Sequence[Path], task: TaskSpec) -> Vote:
    """Return the vote of all members of a task on image files; the number is the mean of those that predict one.

    Raises:
        UnreadableImage: a file that cannot be decoded.
        BundleError: a member answers with what is no finite number.
    """
    judged = [mean_of(folds) for folds in folds_judge(members, paths)]
    for member, one in zip(members, judged, strict=True):
        _check_finite(member, one)
    votes = task.rule([one.probabilities for one in judged], task.member_weights)
    numbers = [one.numbers for one in judged if one.numbers is not None]
    decision = task.decision
    return Vote(decision.probabilities(votes), decision.decided(votes), np.mean(numbers, axis=0) if numbers else None)


def _check_finite(member: Member, judged: Judged) -> None:
    """Refuse what no vote can be made of."""
    for values in (judged.probabilities, judged.numbers):
        if values is not None and not np.isfinite(values).all():
            named = f"trial {member.spec.trial} of study {member.spec.study}"
            raise BundleError(f"{named} answers with what is no finite number; export again without it")


def folds_judge(members: Sequence[Member], paths: Sequence[Path]) -> list[list[Judged]]:
    """Return what every fold's model of each member says about image files; every file is decoded once a form."""
    parts: list[list[list[Judged]]] = [[[] for _ in member.classifiers] for member in members]
    for chunk in _parts(paths, _CHUNK):
        images = {form: read_images(chunk, form) for form in {member.form for member in members}}
        jobs = [(member, fold, images[member.form]) for member in members for fold in range(len(member.classifiers))]
        judged = iter(side_by_side(_judged, jobs))
        for of_fold in (of_fold for said in parts for of_fold in said):
            of_fold.append(next(judged))
    return [[Judged.together(of_fold) for of_fold in said] for said in parts]


def _judged(job: tuple[Member, int, Pixels]) -> Judged:
    member, fold, images = job
    return member.judge_fold(fold, images)


def side_by_side(work: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
    """Return what becomes of jobs, on a CPU as many at a time as it has cores: small models leave most of two threads idle."""
    with ThreadPoolExecutor(1 if torch.cuda.is_available() else cpu_count()) as pool:
        return list(pool.map(work, jobs))


def mean_of(folds: Sequence[Judged]) -> Judged:
    """Return the mean over a member's folds of what their models say."""
    numbers = [one.numbers for one in folds if one.numbers is not None]
    mean = np.stack([one.probabilities for one in folds]).mean(axis=0)
    return Judged(mean, np.stack(numbers).mean(axis=0) if numbers else None)


def decoded_chunks(paths: Sequence[Path], form: Form) -> Iterator[Pixels]:
    """Yield image files decoded, a bounded number at a time, in their order."""
    for chunk in _parts(paths, _CHUNK):
        yield read_images(chunk, form)


def read_images(paths: Sequence[Path], form: Form) -> Pixels:
    """Return image files decoded as for training, N x size x size x 3."""
    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(lambda path: read_image(path, form.size, form.resize), paths)))


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


def readable(images: Images, *, skip: bool) -> Images:
    """Return the images that can be decoded; all that can't are named at once."""
    bad = unreadable_images(images.paths)
    if not bad:
        return images
    if not skip:
        listed = "\n  ".join(reason for _, reason in bad)
        raise BundleError(
            f"{len(bad)} images cannot be read:\n  {listed}\nMend them, or leave them out with --skip-unreadable."
        )
    print_line(f"{len(bad)} unreadable images left out")
    gone = {path for path, _ in bad}
    kept = [(name, path) for name, path in zip(images.names, images.paths, strict=True) if path not in gone]
    if not kept:
        raise BundleError("no image is left to vote on")
    return Images(tuple(name for name, _ in kept), tuple(path for _, path in kept), images.info)


def _parts(items: Items, size: int) -> Iterator[Items]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
