"""What somebody with a GPU runs in ten minutes: does all that was written for one work there, and how fast is it? One JSON file.

    python -m benchmarks.on_a_gpu --json gpu.json
    python -m benchmarks.on_a_gpu --json cpu.json --small     # the same parts on a machine without one

Please send us the file: no line for GPUs was ever run on one. A part that fails is written down with its error, and the others
go on.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.bare_training import against_bare
from benchmarks.reporting import machine
from studies.environment import environment
from trainables.config import TrainConfig
from trainables.packing.measuring import divisions, packed
from trainables.training.devices import Resources, gpu_is_of_no_use

ROOT = Path(__file__).resolve().parent.parent
FULL = {"efficientnet_b0": (224, 32), "efficientnet_b3": (300, 32)}  # backbones with their image and batch size
SMALL = {"tf_efficientnet_lite0": (64, 16)}


def main() -> int:
    """Run all parts, write what they found after each, and return 1 if any of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--small", action="store_true", help="small nets and pictures, as on a CPU")
    arguments = parser.parse_args()
    sizes = SMALL if arguments.small else FULL
    configs = [
        TrainConfig(backbone=name, image_size=image, batch_size=batch, weights="none")
        for name, (image, batch) in sizes.items()
    ]
    parts: dict[str, Callable[[], Any]] = {
        "device": device,
        "preflight": lambda: [preflight(config) for config in configs],
        "a trial against a bare loop": lambda: [against_bare(config, resources(), 20) for config in configs],
        "trials side by side": lambda: side_by_side(configs[0], 3.0 if arguments.small else 10.0),
        "a search, its export and its votes": lambda: search(small=arguments.small),
    }
    found: dict[str, Any] = {"machine": machine(), "environment": environment()}
    for name, part in parts.items():
        found[name] = measured(name, part)
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    failed = [name for name in parts if "error" in found[name]]
    print(f"{arguments.json}: {'all parts worked' if not failed else 'failed: ' + ', '.join(failed)}")
    return int(bool(failed))


def measured(name: str, part: Callable[[], Any]) -> dict[str, Any]:
    """Return what a part found and its seconds, or its error."""
    print(f"{name} ...", flush=True)
    started = time.perf_counter()
    try:
        found = {"found": part()}
    except Exception:  # the others are worth having
        found = {"error": traceback.format_exc()}
    return {**found, "seconds": round(time.perf_counter() - started, 1)}


def device() -> dict[str, Any]:
    """Return what torch knows of the GPU, or that there is none."""
    if not torch.cuda.is_available():
        return {"gpu": None, "why": gpu_is_of_no_use()}
    facts = torch.cuda.get_device_properties(0)
    return {
        "gpu": facts.name,
        "memory": facts.total_memory,
        "capability": torch.cuda.get_device_capability(),
        "bfloat16": torch.cuda.is_bf16_supported(including_emulation=False),
        "unusable": gpu_is_of_no_use(),
    }


def resources() -> Resources:
    """Return a GPU and all cores, or one core."""
    return Resources(os.cpu_count() or 1, 1.0) if torch.cuda.is_available() else Resources()


def preflight(config: TrainConfig) -> dict[str, Any]:
    """Return what the preflight of a launch says, with the speed of steps, plain and with deterministic algorithms."""
    options = ["--steps", "8", *(["--gpu"] if torch.cuda.is_available() else [])]
    tried = [config.model_copy(update={"deterministic": repeats}).model_dump_json() for repeats in (False, True)]
    said = [commanded("-m", "trainables.preflight", one, *options) for one in tried]
    return dict(zip(("plain", "deterministic"), said, strict=True))


def side_by_side(config: TrainConfig, seconds: float) -> list[dict[str, Any]]:
    """Return the images per second and the memory of one, two and three trials that share the device."""
    gpus = torch.cuda.device_count()
    return [asdict(packed(config, division, seconds)) for division in divisions(os.cpu_count() or 1, gpus)]


def search(*, small: bool) -> dict[str, Any]:
    """Return how a search with a disk budget went, whether it can be exported, and whether the bundle votes."""
    with tempfile.TemporaryDirectory() as place:
        results, bundles = Path(place) / "results", Path(place) / "bundles"
        options = ["--study", "smoke", "--results", str(results), "--trials", "3", "--no-page"]
        for setting in ("constants.epochs=2", "search.folds=2", "search.finalists=1", "search.portfolio=none"):
            options += ["--set", setting]
        options += ["--disk-budget", "300MB", *(["--profile", "cpu"] if small else ["--set", "constants.weights=none"])]
        commanded(str(ROOT / "launch_search.py"), "--space", "mask.yaml", *options)
        study = [json.loads(line) for line in (results / "smoke/record.jsonl").read_text().splitlines()]
        epochs = [event for event in study if event["event"] == "epoch_scored"]
        commanded(str(ROOT / "export_best.py"), "--results", str(results), "--out", str(bundles))
        data = json.loads((results / "smoke/data.json").read_text())
        bundle, votes = next(bundles.iterdir()), Path(place) / "votes.csv"
        commanded(str(ROOT / "predict.py"), "--images", data["root"], "--bundle", str(bundle), "--out", str(votes))
        return {
            "fold_epochs": len(epochs),
            "failed": [event for event in study if event["event"] == "trial_failed"],
            "dropped": sum(event["event"] == "dropped" for event in study),
            "last_epoch": epochs[-1] if epochs else None,
        }


def commanded(*words: str) -> str:
    """Return what a command prints.

    Raises:
        RuntimeError: it failed; ends with what it printed last.
    """
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        printed = done.stdout[-2000:] + done.stderr[-2000:]
        raise RuntimeError(f"{' '.join(words[:2])} ended with {done.returncode}: {printed}")
    return done.stdout[-4000:]


if __name__ == "__main__":
    sys.exit(main())
