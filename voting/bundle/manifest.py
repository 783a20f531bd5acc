"""The bundle: a folder that votes on a machine that has neither Ray nor Optuna nor the data.

`manifest.json` names every other file with its sha256; `manifest.sha256` holds the manifest's own. A
changed, missing or added file is refused before anything is loaded.
"""

import hashlib
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from plugins.sources import COMPILED
from storage.json_text import load_json
from storage.regular import OddFile, read_regular, read_text
from studies.trials.manifest import sha256_of
from voting.bundle.specs import FORMAT, READS, BundleError, BundleManifest, TaskSpec

MANIFEST, SEAL = "manifest.json", "manifest.sha256"
LEAST_SHARE = 1e-6  # of the largest weight: sums of smaller ones vanish in a vote


def free_name(out: Path, wanted: str) -> str:
    """Return the name for a bundle below `out`, numbered if it is taken: an export never replaces another.

    Raises:
        BundleError: it is no plain folder name.
    """
    if not wanted or wanted != Path(wanted).name or wanted.startswith("."):
        raise BundleError(f"--name {wanted}: must be a plain folder name; --out says where bundles lie")
    out.mkdir(parents=True, exist_ok=True)
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
    return next(name for name in names if not (out / name).exists() and not (out / f"{name}.tar").exists())


def newest_bundle(ensembles: Path) -> Path:
    """Return the bundle that was exported last.

    Raises:
        BundleError: there is none.
    """
    found = sorted(ensembles.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BundleError(f"{ensembles}: holds no bundle; run export_best.py first, or name one with --bundle")
    return found[-1].parent


def seal(folder: Path, manifest: BundleManifest) -> BundleManifest:
    """Hash every file of a bundle in the making and write the manifest last."""
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {name: sha256_of(folder / name) for name in names if name not in (MANIFEST, SEAL)}
    sealed = manifest.model_copy(update={"files": files})
    (folder / MANIFEST).write_text(sealed.model_dump_json(indent=1), encoding="utf-8")
    (folder / SEAL).write_text(sha256_of(folder / MANIFEST) + "\n", encoding="utf-8")
    return sealed


def open_bundle(folder: Path) -> BundleManifest:
    """Return a bundle's manifest after checking every file against its hash.

    Raises:
        BundleError: no bundle, another format, or a changed, missing or added file; names it.
    """
    manifest = read_sealed(folder)
    _check_files(folder, manifest)
    return manifest


def read_sealed(folder: Path) -> BundleManifest:
    """Return a bundle's manifest after checking it against its own hash; the files that it names may not be there.

    Raises:
        BundleError: no bundle, another format, or a changed manifest.
    """
    path = folder / MANIFEST
    if not path.is_file() or not (folder / SEAL).is_file():
        raise BundleError(
            f"{folder}: is no bundle (no {MANIFEST} with its {SEAL}); export_best.py makes one under ensembles/"
        )
    try:
        content, sealed = read_regular(path), read_text(folder / SEAL).strip()
    except OddFile as error:
        raise BundleError(str(error)) from None
    if hashlib.sha256(content).hexdigest() != sealed:
        raise BundleError(f"{path}: was changed after the export; export again or restore it")
    found = _format_of(path, content)
    if found not in READS:
        raise BundleError(
            f"{path}: is of format {found}, this version reads formats {READS[0]} to {FORMAT}; take the version that wrote it,"
            " or export again"
        )
    try:
        manifest = BundleManifest.model_validate_json(content)
    except ValidationError as error:
        raise BundleError(f"{path}: is no manifest ({first_wrong(error)}); export again") from None
    if not manifest.tasks or len({task.task for task in manifest.tasks}) < len(manifest.tasks):
        raise BundleError(f"{path}: votes on no task, or on one twice; export again")
    for task in manifest.tasks:
        _check_votes(path, task)
    return manifest


def first_wrong(error: ValidationError) -> str:
    """Return the first key that is wrong, and what is wrong with it."""
    found = error.errors()[0]
    return f"{'.'.join(map(str, found['loc'])) or 'all of it'}: {found['msg']}"


def _format_of(path: Path, content: bytes) -> object:
    try:
        manifest = load_json(content)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise BundleError(f"{path}: is no manifest; export again")
    return manifest.get("format")


def _check_votes(path: Path, task: TaskSpec) -> None:
    """Refuse weights that do not fit members or classes, and folds of which nothing is known."""
    if not task.members:
        raise BundleError(f"{path}: nobody votes on {task.task}; export again")
    if len(set(task.classes)) < len(task.classes):
        raise BundleError(f"{path}: {task.task} has a class twice; export again")
    if task.number and len(task.number.borders) != len(task.classes) - 1:
        raise BundleError(f"{path}: the number of {task.task} has other classes than the task; export again")
    learned = len(task.number.learned) if task.number else 0
    if learned and any(max(member.fold_numbers) >= learned for member in task.members):
        raise BundleError(
            f"{path}: a member of {task.task} has a model of a fold that its number does not know; export again"
        )
    for name, given, needed in (
        ("weights", task.weights, len(task.members)),
        ("class_weights", task.class_weights, len(task.classes)),
    ):
        if given and (len(given) != needed or not min(given) >= 0 or not LEAST_SHARE <= max(given) <= 1 / LEAST_SHARE):
            raise BundleError(f"{path}: {name} of {task.task} must be {needed} shares of a vote; export again")


def _check_files(folder: Path, manifest: BundleManifest) -> None:
    for member in (member for task in manifest.tasks for member in task.members):
        for name in member.weights:
            if name not in manifest.files:
                raise BundleError(f"{folder / name}: votes but is not among the bundle's files; export again")
    for spec in manifest.plugins:
        inside = (folder / spec.source).resolve().is_relative_to((folder / "plugins").resolve())
        if not inside or not any(name == spec.source or name.startswith(f"{spec.source}/") for name in manifest.files):
            raise BundleError(f"{folder / spec.source}: is a plugin but none of the bundle's files; export again")
    for name in manifest.files:
        if Path(name).suffix in COMPILED:
            raise BundleError(f"{folder / name}: is compiled Python, which nobody can read; export again without it")
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    for name in sorted(present - manifest.files.keys() - {MANIFEST, SEAL}):
        raise BundleError(f"{folder / name}: was added after the export; remove it or export again")
    for name, digest in manifest.files.items():
        if name not in present or not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise BundleError(f"{folder / name}: is missing; export again or restore it")
        if _hash_of(folder / name) != digest:
            raise BundleError(f"{folder / name}: was changed after the export; export again or restore it")


def _hash_of(file: Path) -> str:
    try:
        return sha256_of(file)
    except OddFile as error:
        raise BundleError(str(error)) from None
