"""Whether a long study stays as quick and as small as a short one: a thousand tiny trials through the real launcher.

    python -m benchmarks.many_trials --trials 1000 --json rows.json
    python -m benchmarks.many_trials --trials 20 --images 50000

The driver's memory is sampled while the search runs, with the climbs that its record held by then. `--images` lists drawn
faces again and again as so many images of a class folder.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.reporting import Row, report
from datasets.options import SampleFaces
from datasets.sources.opening import open_source
from studies.record.events import ClimbEnded, TrialAdded
from studies.record.record import read_record

ROOT = Path(__file__).resolve().parent.parent
STUDY = "many_trials"
TINY = ("constants.backbone=test_efficientnet", "constants.weights=none", "search.finalists=2")
_WINDOW = 100  # trials whose climbs are timed, around the early and the late mark
_SETTLED = 100  # climbs after which the driver has imported all that it ever does


@dataclass(frozen=True)
class Sample:
    """The driver's memory at some moment, and that of the trial processes, in MiB."""

    climbs: int
    driver: float
    trials: tuple[float, ...]


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--images", type=int, help="small images to learn from (default: the faces of 20 people)")
    parser.add_argument("--sampler", default="gp")
    parser.add_argument("--disk-budget", default="300MB")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--trials", str(arguments.trials), "--disk-budget", arguments.disk_budget, "--time-budget", "1d"]
        options += ["--set", f"search.sampler={arguments.sampler}"]
        data = class_folders(Path(folder) / "images", arguments.images) if arguments.images else "sample_faces"
        options += [
            "--data",
            str(data),
            *(["--set", "data.split=by_image", "--set", "task=label"] if arguments.images else []),
        ]
        samples = list(watched(Path(folder), options))
        rows = [*memory(samples), *pace(Path(folder) / STUDY), *disk(Path(folder) / STUDY)]
    report(f"{arguments.trials} tiny trials, sampler {arguments.sampler}", rows, arguments.json)


def class_folders(root: Path, images: int) -> Path:
    """Link so many images into two class folders."""
    drawn = open_source(SampleFaces(source="sample_faces", people=150, scale=0.125)).paths()
    for number in range(images):
        target = root / ("normal" if "normal" in drawn[number % len(drawn)].name else "masked") / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(drawn[number % len(drawn)])
    return root


def watched(results: Path, options: Sequence[str]) -> Iterator[Sample]:
    """Run a search to its end and yield a sample every second."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "smoke.yaml", "--results", str(results)]
    command += ["--study", STUDY, *chain.from_iterable(("--set", setting) for setting in TINY)]
    record = results / STUDY / "record.jsonl"
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            time.sleep(1)
            if record.exists() and process.poll() is None:
                climbs = record.read_bytes().count(b'"climb_ended"')
                yield Sample(climbs, resident(process.pid), tuple(trial_processes()))
    assert process.returncode == 0


def resident(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    return _kibibytes(Path(f"/proc/{pid}/status"), "VmRSS") / 1024


def trial_processes() -> Iterator[float]:
    """Yield the proportional memory of every process that trains, in MiB: they carry study and trial as their title."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end any time
            if (process / "cmdline").read_bytes().startswith(f"{STUDY} trial".encode()):
                yield _kibibytes(process / "smaps_rollup", "Pss") / 1024


def _kibibytes(file: Path, name: str) -> int:
    sizes = [line.split()[1] for line in file.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(sizes[0]) if sizes else 0  # a process that is ending has none


def memory(samples: Sequence[Sample]) -> list[Row]:
    """Return how the driver grew, and what a trial process takes."""
    settled = [sample for sample in samples if sample.climbs >= _SETTLED and sample.driver]
    trials = [size for sample in samples[len(samples) // 2 :] for size in sample.trials]
    rows: list[Row] = [
        {"what": "memory (PSS) of a trial process", "value": round(statistics.median(trials)), "unit": "MiB"}
    ]
    if len(settled) > 9:
        growth, _ = np.polyfit([sample.climbs for sample in settled], [sample.driver for sample in settled], 1)
        rows.append({"what": "driver at the end", "value": round(settled[-1].driver), "unit": "MiB"})
        rows.append({"what": "growth per 1,000 climbs", "value": round(float(growth) * 1000, 1), "unit": "MiB"})
    return rows


def pace(study: Path) -> list[Row]:
    """Return the mean time between two ends of climbs, around the early and among the last trials, and their ratio."""
    added, ends = 0, list[tuple[int, float]]()
    for event in read_record(study / "record.jsonl"):
        added += isinstance(event, TrialAdded)
        if isinstance(event, ClimbEnded):
            ends.append((added, event.time))
    rows: list[Row] = [{"what": "climbs", "value": len(ends), "unit": ""}]
    if added > 2 * _WINDOW:
        early = per_climb([end for trials, end in ends if abs(trials - _WINDOW) <= _WINDOW / 2])
        late = per_climb([end for trials, end in ends if added - _WINDOW < trials < added])
        rows.append({"what": f"a climb around trial {_WINDOW}", "value": round(early, 3), "unit": "s"})
        rows.append({"what": f"a climb before trial {added}", "value": round(late, 3), "unit": "s"})
        rows.append({"what": "late / early", "value": round(late / early, 2), "unit": "times"})
    return rows


def per_climb(ends: Sequence[float]) -> float:
    """Return the mean seconds from one end to the next."""
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def disk(study: Path) -> list[Row]:
    """Return what the study takes on disk, without and with Ray's own folder."""
    files = [path for path in study.rglob("*") if path.is_file()]
    rays = sum(path.stat().st_size for path in files if study / "ray" in path.parents)
    whole = sum(path.stat().st_size for path in files)
    return [
        {"what": "study on disk", "value": round((whole - rays) / 2**20), "unit": "MiB"},
        {"what": "Ray's folder", "value": round(rays / 2**20), "unit": "MiB"},
    ]


if __name__ == "__main__":
    main()
