"""Train the chosen configurations again on all persons, holdout too: more data than any fold's model had, and no score.

Every member gets one model instead of one for each fold. Nobody is left whom it has not seen, so nothing can be promised.
"""

from pathlib import Path

from storage.tensors import save_state
from studies.record.record import read_record
from studies.state.study_state import StudyState
from studies.study_folder import StudyFolder
from trainables.config import TrainConfig, configured
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import load_all_data
from voting.bundle.packing import member_spec
from voting.bundle.specs import BundleManifest, MemberSpec
from voting.candidates.trials import Candidate

NOBODY = 1  # the fold that is left out where all images are in fold 0


def pack_refitted(bundle: Path, task: str, trial: Candidate, resources: Resources) -> MemberSpec:
    """Train a trial's configuration on all persons, put the model into a bundle and return the member's spec."""
    config = last_epoch_kept(configured(trial.stored.configuration))
    name = f"{task}/{trial.study.name}-trial{trial.number}-everyone.safetensors"
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    record = StudyFolder(trial.study).record
    state = StudyState.lenient(read_record(record) if record.exists() else ())
    placement = place(config, resources, state.precision)
    parts = state.trials[trial.number].micro_batches if trial.number in state.trials else 1
    data = load_all_data(trial.study)
    train_on_all(FoldLearner(config, data, trial.number, NOBODY, placement, micro_batches=parts), bundle / name)
    return member_spec(trial, {0: name})


def train_on_all(learner: FoldLearner, out: Path) -> None:
    """Train a learner of all images for all its epochs and write the weights."""
    config = learner.config
    try:
        for epoch in range(config.epochs):
            learner.train_epoch(epoch)
        save_state(learner.weights(), out)
    finally:
        learner.close()


def last_epoch_kept(config: TrainConfig) -> TrainConfig:
    """Return a configuration that does not choose an epoch by a fold: there is none to choose by."""
    return config.model_copy(update={"kept_weights": "last"}) if config.kept_weights == "best" else config


def unscored(manifest: BundleManifest) -> BundleManifest:
    """Return the manifest of a bundle that was trained on everybody."""
    tasks = tuple(
        task.model_copy(
            update={"number": task.number and task.number.model_copy(update={"learned": ()}), "promise": None}
        )
        for task in manifest.tasks
    )
    return manifest.model_copy(update={"refit": True, "tasks": tasks, "joint": None})
