"""Turn a study whose trials all trained all folds into a table of learning curves for the replay.

python -m benchmarks.curve_table results/digits benchmarks/tables/digits.jsonl
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studies.record.record import read_record
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.manifest import FoldManifest
from studies.trials.stored_trial import read_trial


def rows(study: Path) -> Iterator[dict[str, Any]]:
    """Yield one row for every fold of every finished trial but the recipe, which belongs to no random draw."""
    space = Study.existing(StudyFolder(study)).space
    for trial in StudyState(read_record(study / "record.jsonl")).trials.values():
        stored = read_trial(study, trial.number)
        if stored is None or not stored.is_complete or trial.origin == "recipe":
            continue
        active = space.active(stored.configuration)
        for fold, part in sorted(stored.parts.items()):
            yield {"config": trial.number - 1, "fold": fold, **_curve(part), **active}


def _curve(part: FoldManifest) -> dict[str, Any]:
    seconds = sum(line.seconds for line in part.curve)
    return {"curve": [round(line.score, 4) for line in part.curve], "sec": round(seconds, 1)}


if __name__ == "__main__":
    table = list(rows(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text("".join(f"{json.dumps(row)}\n" for row in table), encoding="utf-8")
    print(f"{len(table)} curves -> {sys.argv[2]}")
