"""A tiny net, and the study folder that its trials read."""

import json
from pathlib import Path

from datasets.preparation import PreparedData
from studies.study import FORMAT
from trainables.training.images.fold_data import DECODED

TINY = {"backbone": "test_efficientnet", "weights": "none", "image_size": 32, "epochs": 2, "batch_size": 16}


def write_study(folder: Path, data: PreparedData) -> None:
    """Write the files of a study that trials read."""
    data.samples().to_csv(folder / "samples.csv", index=False)
    begun = {"format": FORMAT, "plugins": {}}
    (folder / "study.json").write_text(json.dumps(begun))
    (folder / "data.json").write_text(json.dumps(data.facts()))
    (folder / DECODED).write_text(json.dumps(data.decoded))
