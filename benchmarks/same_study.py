"""Whether a change of the code changed a study: one serial search with a seed, by its decisions, scores and files.

    python -m benchmarks.same_study --json before.json
    python -m benchmarks.same_study --against before.json
    python -m benchmarks.same_study --study results/toy --json before.json     # of a study that another version searched

Reads the study's files as plain JSON, in today's layout or that of record formats 1 to 4, so that two versions of the code can be
compared. Times are left out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPACE = """
task: mask
data: {source: sample_faces, people: 20, scale: 0.125}
parameters:
  optimizer:          {choice: [adamw, sgd]}
  learning_rate:      {low: 1e-4, high: 1e-2, log: true}
  momentum:           {low: 0.8, high: 0.98, when: {optimizer: sgd}}
  label_smoothing:    {low: 0.0, high: 0.2}
  cutmix_probability: {low: 0.0, high: 0.8}
  class_weights:      {choice: [none, balanced]}
constants: {backbone: test_efficientnet, weights: none, image_size: 32, epochs: 4, batch_size: 16}
search: {trials: 12, folds: 3, finalists: 2}
"""


def main() -> int:
    """Run the search, write or compare it, and return 1 if it is another one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where to write the study's decisions, scores and digests")
    parser.add_argument("--against", type=Path, help="what another version wrote")
    parser.add_argument("--study", type=Path, help="a study that was searched before, instead of searching")
    arguments = parser.parse_args()
    study = content_of(arguments.study or searched())
    print(f"{len(study['events'])} events, {len(study['trials'])} trials")
    if arguments.json:
        arguments.json.write_text(json.dumps(study, indent=1))
    if not arguments.against:
        return 0
    before = json.loads(arguments.against.read_text())
    for one, other in zip(before["events"], study["events"], strict=False):
        if one != other:
            print(f"the first difference:\n  {one}\n  {other}")
            break
    same = before == study
    print("the same study" if same else "another study")
    return 0 if same else 1


def searched() -> Path:
    """Run the search, one trial at a time, and return the study's folder."""
    place = Path(tempfile.mkdtemp())
    (place / "toy.yaml").write_text(SPACE)
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "toy.yaml", "--seed", "3"]
    command += ["--cpus-per-trial", str(os.cpu_count())]
    subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
    return place / "results/toy"


def content_of(study: Path) -> dict[str, Any]:
    """Return the decisions and scores of a record, and of every trial folder weights and predictions by their sha256."""
    lines = [json.loads(line) for line in (study / "record.jsonl").read_text().splitlines()]
    events = [event for line in lines if (event := _event(line)) is not None]
    return {
        "events": events,
        "trials": {path.parent.name: _trial(path) for path in study.glob("trials/*/manifest.json")},
    }


def _event(line: dict[str, Any]) -> list[Any] | None:
    match line["event"]:
        case "trial_added":
            return ["trial_added", line["trial"], line["configuration"], line["origin"]]
        case "epoch_scored":
            return ["epoch_scored", *(line[key] for key in ("trial", "fold", "epoch")), _own_score(line)]
    return None


def _own_score(line: dict[str, Any]) -> float:
    """Return the score of a line's fold; until format 4 it stood beside the one that was pooled over the folds so far."""
    return float(line.get("fold_score", line["score"]))


def _trial(path: Path) -> dict[str, Any]:
    """Return what a trial's folder holds, whether one manifest says so or one for every fold."""
    whole = json.loads(path.read_text())
    parts = [json.loads(part.read_text()) for part in sorted(path.parent.glob("fold_*/manifest.json"))]
    files = {name: digest for part in (whole, *parts) for name, digest in part.get("files", {}).items()}
    lines = [line for part in (whole, *parts) for line in part.get("curve", ())]
    return {
        "digest": whole["digest"],
        "files": {name: digest for name, digest in sorted(files.items()) if "looks/" not in name},
        "curve": sorted(
            [line["fold"], line["epoch"], _own_score(line), line["loss"], line["learning_rate"]] for line in lines
        ),
    }


if __name__ == "__main__":
    sys.exit(main())
