"""The competition's 18 classes, composed of three tasks: mask * 6 + gender * 3 + age."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

JOINT_TASKS = ("mask", "gender", "age")
JOINT = "mask x gender x age"
JOINT_CLASSES = 18
STRIDES = {"mask": 6, "gender": 3, "age": 1}  # what a class number of a task counts


def joint_votes(votes: Mapping[str, npt.NDArray[np.floating]]) -> npt.NDArray[np.float32]:
    """Return the probabilities of the 18 classes, those of mask, gender and age taken as independent."""
    mask, gender, age = (votes[task] for task in JOINT_TASKS)
    joint: npt.NDArray[np.float32] = np.einsum("im,ig,ia->imga", mask, gender, age).reshape(len(mask), -1)
    return joint.astype(np.float32)


def joint_class(labels: Mapping[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the 18 classes composed of mask, gender and age class numbers."""
    joint: npt.NDArray[np.int64] = np.sum([labels[task] * STRIDES[task] for task in JOINT_TASKS], axis=0)
    return joint
