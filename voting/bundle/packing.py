"""Put chosen trials into a bundle in the making: their weights, and how to prepare images for them."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studies.environment import environment
from studies.trials.manifest import sha256_of, trial_path, weights_name
from trainables.config import configured
from trainables.training.models import normalisation
from voting.bundle.manifest import seal
from voting.bundle.needed_plugins import pack_plugins
from voting.bundle.specs import BundleError, BundleManifest, MemberSpec, TaskSpec
from voting.candidates.trials import Candidate
from voting.ensemble.members import Chosen

logger = logging.getLogger(__name__)
PackTrial = Callable[[Path, str, Candidate], MemberSpec]  # bundle, task, trial


def pack(
    bundle: Path, name: str, chosen: Sequence[Chosen], splits_digest: str, pack_trial: PackTrial | None = None
) -> BundleManifest:
    """Write weights and manifest of a bundle, without scores yet; `pack_trial` puts a trial's models there.

    Raises:
        BundleError: a weight file was changed since it was written.
    """
    pack_trial = pack_trial or pack_member
    tasks = tuple(
        TaskSpec(
            task=one.task,
            classes=one.candidates.classes,
            number=one.candidates.number,
            metric=one.candidates.metric.name,
            vote=one.rule.name,
            vote_options=dict(one.rule.options),
            weights=one.weights,
            temperature=one.decision.temperature,
            class_weights=one.decision.class_weights,
            members=tuple(pack_trial(bundle, one.task, trial) for trial in one.members),
        )
        for one in chosen
    )
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = BundleManifest(
        name=name,
        created=created,
        tasks=tasks,
        plugins=pack_plugins(bundle, chosen),
        provenance=_provenance(chosen, splits_digest),
        files={},
    )
    return seal(bundle, manifest)


def _provenance(chosen: Sequence[Chosen], splits_digest: str) -> dict[str, Any]:
    """Return where a bundle comes from: splits, data, versions, and every member's configuration."""
    configurations = {
        f"{trial.study.name}/{trial.number}": trial.stored.configuration for one in chosen for trial in one.members
    }
    return {
        "splits": splits_digest,
        "data": chosen[0].candidates.root,
        "environment": environment(),
        "configurations": configurations,
    }


def pack_member(bundle: Path, task: str, trial: Candidate) -> MemberSpec:
    """Copy a trial's fold weights into a bundle and return the member's spec.

    A search may be running: weights that it drops meanwhile are left out by name.

    Raises:
        BundleError: a weight file was changed since it was written, or none is left.
    """
    packed = dict[int, str]()
    for fold in trial.stored.voting_folds:
        source = trial_path(trial.study, trial.number) / weights_name(fold)
        name = f"{task}/{trial.study.name}-trial{trial.number}-fold{fold}.safetensors"
        if _copied(source, bundle / name, trial.stored.files[weights_name(fold)]):
            packed[fold] = name
        else:
            logger.warning("left out: %s: was removed while this export read it", source)
    if not packed:
        raise BundleError(f"{trial.study} trial {trial.number}: all its weights were removed meanwhile; export again")
    return member_spec(trial, packed)


def _copied(source: Path, target: Path, digest: str) -> bool:
    """Copy a weight file and tell whether it was there.

    Raises:
        BundleError: it is not what the trial wrote.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return False
    if sha256_of(target) != digest:
        raise BundleError(f"{source}: was changed; restore it, or leave the study out with --study")
    return True


def in_place_spec(trial: Candidate) -> MemberSpec:
    """Return the spec of a trial whose weights stay in its trial folder: to compare with, not to ship."""
    folder = trial_path(trial.study, trial.number).relative_to(trial.study)
    return member_spec(trial, {fold: (folder / weights_name(fold)).as_posix() for fold in trial.stored.voting_folds})


def member_spec(trial: Candidate, weights: Mapping[int, str]) -> MemberSpec:
    """Return the spec of a trial whose weights lie at `weights`, by the fold that each model leaves out."""
    config = configured(trial.stored.configuration)
    mean, std = normalisation(config.backbone)
    return MemberSpec(
        study=trial.study.name,
        trial=trial.number,
        origin=trial.origin,
        digest=trial.stored.digest,
        classifier=config.classifier(),
        borders=trial.thresholds(config),
        resize=trial.resize,
        mean=mean,
        std=std,
        out_of_fold_score=trial.metric.shown(trial.score),
        weights=tuple(weights.values()),
        folds=tuple(weights),
    )
