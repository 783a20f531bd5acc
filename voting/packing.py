"""Copy the weights of chosen trials into a bundle in the making, and say how to prepare images for them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studies.manifest import Manifest, sha256_of, trial_path, weights_name
from trainables.training.models import normalisation
from voting.bundle import MemberSpec
from voting.errors import BundleError


def pack_member(folder: Path, task: str, study: Path, manifest: Manifest, facts: Mapping[str, Any]) -> MemberSpec:
    """Copy a trial's fold weights below `folder` and return the member's spec.

    `facts` holds its origin and out_of_fold_score.

    Raises:
        BundleError: a weight file is missing or changed since it was written.
    """
    names = []
    for fold in range(manifest.folds):
        source = trial_path(study, manifest.trial) / weights_name(fold)
        name = f"{task}/{study.name}-trial{manifest.trial}-fold{fold}.safetensors"
        if not source.is_file() or sha256_of(source) != manifest.files[weights_name(fold)]:
            raise BundleError(f"{source}: is missing or was changed; restore it, or leave the study out with --study")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)
        names.append(name)
    return member_spec(study, manifest, names, facts)


def member_spec(study: Path, manifest: Manifest, weights: Sequence[str], facts: Mapping[str, Any]) -> MemberSpec:
    """Return the spec of a trial whose weights lie at `weights`."""
    backbone = str(manifest.configuration["backbone"])
    mean, std = normalisation(backbone)
    return MemberSpec(
        study=study.name,
        trial=manifest.trial,
        digest=manifest.digest,
        backbone=backbone,
        image_size=int(manifest.configuration["image_size"]),
        mean=mean,
        std=std,
        weights=tuple(weights),
        **facts,
    )


def in_place_spec(study: Path, manifest: Manifest, facts: Mapping[str, Any]) -> MemberSpec:
    """Return the spec of a trial whose weights stay in its trial folder: to compare with, not to ship."""
    folder = trial_path(study, manifest.trial).relative_to(study)
    weights = [(folder / weights_name(fold)).as_posix() for fold in range(manifest.folds)]
    return member_spec(study, manifest, weights, facts)
