"""Whether trials wait for their images, and how busy their GPUs are: where the time of training goes, in words."""

from collections.abc import Iterable

from studies.record.events import EpochScored
from studies.state.study_state import StudyState

MUCH = 0.1  # of the time of training: more is worth a change
_RECENT = 50  # epochs of every trial


def share_of_training(epochs: Iterable[EpochScored], phase: str) -> float | None:
    """Return the share of the time of training that a part of it took, such as `wait_input`; None where no epoch tells."""
    telling = [epoch.phases for epoch in epochs if phase in epoch.phases and epoch.phases.get("train")]
    return sum(phases[phase] for phases in telling) / sum(phases["train"] for phases in telling) if telling else None


def spell_load(state: StudyState) -> str:
    """Return how much of its last epochs training waited, if that is much, and how much a GPU's steps took, if there is one."""
    recent = [epoch for trial in state.climbing() for epoch in trial.epochs[-_RECENT:]]
    waiting, device = (share_of_training(recent, phase) for phase in ("wait_input", "device"))
    spelled = f", {waiting:.0%} of training is waiting for images" if waiting is not None and waiting > MUCH else ""
    return spelled if device is None else f", {device:.0%} of training is a GPU's steps{spelled}"


def waiting_advice(state: StudyState) -> str | None:
    """Return what to change where training waited for its images much of the time.

    Beside a GPU processes of their own load them; on a CPU the training process does.
    """
    epochs = [epoch for trial in state.trials.values() for epoch in trial.epochs]
    waiting = share_of_training(epochs, "wait_input")
    if waiting is None or waiting <= MUCH:
        return None
    more = "give every trial more cores (--cpus-per-trial, fewer --trials-per-gpu), or take"
    change = more if share_of_training(epochs, "device") is not None else "take"
    return (
        f"Training waited for its images {waiting:.0%} of the time: {change} a lighter augmentation or smaller images."
    )
