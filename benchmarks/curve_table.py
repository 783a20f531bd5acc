"""Turn a study whose trials all trained all folds into a table of learning curves for the replay.

python -m benchmarks.curve_table results/digits benchmarks/tables/digits.jsonl
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studies.manifest import Manifest, read_manifest
from studies.record import read_record
from studies.study_folder import StudyFolder
from studies.study_state import StudyState


def rows(study: Path) -> Iterator[dict[str, Any]]:
    """Yield one row for every fold of every finished trial but the recipe, which belongs to no random draw."""
    space = StudyFolder(study).stored_space()
    for trial in StudyState(read_record(study / "record.jsonl")).trials.values():
        manifest = read_manifest(study, trial.number)
        if manifest is None or not manifest.complete or trial.origin == "recipe":
            continue
        active = space.active(manifest.configuration)
        for fold in range(manifest.folds):
            yield {"config": trial.number - 1, "fold": fold, **_curve(manifest, fold), **active}


def _curve(manifest: Manifest, fold: int) -> dict[str, Any]:
    lines = sorted((line for line in manifest.curve if line.fold == fold), key=lambda line: line.epoch)
    seconds = sum(line.seconds for line in lines)
    return {"curve": [round(line.fold_score or 0.0, 4) for line in lines], "sec": round(seconds, 1)}


if __name__ == "__main__":
    table = list(rows(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text("".join(f"{json.dumps(row)}\n" for row in table), encoding="utf-8")
    print(f"{len(table)} curves -> {sys.argv[2]}")
