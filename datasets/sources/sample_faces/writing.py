"""Write the sample faces once, in the competition's layout, to a cache folder."""

import csv
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from command_line.worker_pool import worker_pool
from datasets.sources.sample_faces.people import RACE, Person, draw_people
from datasets.sources.sample_faces.rendering import render
from datasets.sources.sample_faces.shots import SHOTS, draw_shot
from storage.rebuilt_folder import finished_folder


def sample_faces_root(
    cache: Path, people: int, seed: int, shares: str, scale: float, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Return the folder of these sample faces, drawn now if they are not there yet.

    `progress` is called with (persons drawn, persons in all).
    """
    root = cache / f"sample_faces-{drawing_digest()}-{people}-{seed}-{shares}-{scale:g}"
    with finished_folder(root) as folder:
        if folder is not None:
            _write(folder, draw_people(people, seed, shares), seed, scale, progress)
    return root


def drawing_digest() -> str:
    """Return a hash of the drawing code: faces drawn by other code lie in a folder of their own."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def _write(
    folder: Path, people: list[Person], seed: int, scale: float, progress: Callable[[int, int], None] | None
) -> None:
    train = folder / "train"
    (train / "images").mkdir(parents=True)
    jobs = [
        (train / "images" / folder_name(index, person), person, seed, index, scale)
        for index, person in enumerate(people)
    ]
    with worker_pool(os.cpu_count() or 1) as pool:
        for done, _ in enumerate(pool.map(_write_person, jobs, chunksize=4), 1):
            if progress:
                progress(done, len(people))
    with open(train / "train.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "gender", "race", "age", "path"])
        for index, person in enumerate(people):
            gender = "male" if person.male else "female"
            writer.writerow([f"{index + 1:06d}", gender, RACE, person.years, folder_name(index, person)])


def folder_name(index: int, person: Person) -> str:
    """Return the competition's folder name, <id>_<gender>_<race>_<age>."""
    return f"{index + 1:06d}_{person.folder}"


def _write_person(job: tuple[Path, Person, int, int, float]) -> None:
    folder, person, seed, index, scale = job
    cv2.setNumThreads(1)
    folder.mkdir()
    for number, (stem, wearing) in enumerate(SHOTS):
        generator = np.random.default_rng([seed, index, number, 7])
        shot = draw_shot(generator, wearing)
        image = render(person, shot, scale, generator)
        quality = [cv2.IMWRITE_JPEG_QUALITY, shot.jpeg_quality]
        if not cv2.imwrite(str(folder / f"{stem}.jpg"), image[..., ::-1], quality):
            raise OSError(f"{folder}: could not write {stem}.jpg; is the disk full?")
