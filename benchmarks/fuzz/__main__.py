"""Look for files that end in a traceback, take ten seconds or fill the memory, guided by what of our code they reach.

    python -m benchmarks.fuzz                              # every reader for a minute
    python -m benchmarks.fuzz record --seconds 600
    python -m benchmarks.fuzz record --replay crash-1a2b   # a file that it has found

A reader may return, or raise what a command prints as one line. What is found becomes a case of `tests/hostile`. Needs atheris
(https://github.com/google/atheris): pip install -r benchmarks/requirements.txt
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris
import yaml

from benchmarks.fuzz.documents import edited

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
OURS = ["analysis", "datasets", "search_spaces", "storage", "studies", "trainables", "voting"]

with atheris.instrument_imports(include=OURS):
    from datasets.options import Csv
    from datasets.sources.opening import data_options
    from datasets.sources.own import read_csv
    from search_spaces import load_space
    from studies.metrics import METRICS
    from studies.record.record import readable_events
    from studies.state.study_state import StudyState
    from studies.trials.manifest import FoldManifest, TrialManifest, read_json, sha256_of
    from trainables.config import TrainConfig
    from voting.bundle.archive import read_archive, write_archive
    from voting.bundle.manifest import SEAL, read_sealed

MEMORY = Path("/dev/shm")
Reader = Callable[[Path], object]
Write = Callable[[bytes, Path], object]


def read_space(file: Path) -> object:
    """Load a space as a launch does."""
    return load_space(str(file), knobs=TrainConfig, data_options=data_options(), metrics=METRICS)


def read_labels(file: Path) -> object:
    """Read a table as a launch does."""
    return read_csv(Csv(source="csv", file=str(file), labels=("label",)))


def read_record(file: Path) -> object:
    """Read a record as `analysis.check` does."""
    events, _ = readable_events(file)
    return StudyState.lenient(events)


def read_manifest(file: Path) -> object:
    """Read a manifest of a trial, of a fold and of a bundle."""
    for model in (TrialManifest, FoldManifest):
        with suppress(ValueError):
            model.model_validate(read_json(file))
    file.with_name(SEAL).write_text(sha256_of(file))
    return read_sealed(file.parent)


def read_packed(file: Path) -> object:
    """Unpack an archive."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        return read_archive(file, Path(folder))


def of_json(paths: list[Path]) -> Write:
    """Return what writes good documents with odd values, or bytes as they are."""
    seeds = [json.loads(path.read_bytes()) for path in paths]

    def write(data: bytes, file: Path) -> None:
        if not data or data[0] % 4 == 0:
            file.write_bytes(data[1:])
        else:
            file.write_text(
                json.dumps(edited(seeds[data[0] % len(seeds)], data[1:])), encoding="utf-8", errors="replace"
            )

    return write


def of_space(data: bytes, file: Path) -> None:
    """Write a space with odd values: JSON is YAML, too."""
    structured = bool(data) and data[0] % 4 > 0
    text = json.dumps(edited(SPACES[data[0] % len(SPACES)], data[1:])) if structured else data[1:].decode("latin-1")
    file.write_text(text, encoding="utf-8", errors="replace")


def of_record(data: bytes, file: Path) -> None:
    """Write a record of which some lines have odd values."""
    lines = [
        json.loads(line) for line in (GOLDEN / f"format_{4 + len(data) % 2}/record.jsonl").read_text().splitlines()
    ]
    kept = edited(lines, data)
    file.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8", errors="replace")


def of_table(data: bytes, file: Path) -> None:
    """Write a table beside the files that it may name."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        file.with_name(name).touch()
    rows = edited([["path", "label"], ["a.jpg", "cat"], ["b.jpg", "dog"], ["c.jpg", "cat"]], data)
    spelled = (",".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows)
    file.write_text("\n".join(spelled), encoding="utf-8", errors="replace")


def of_archive(data: bytes, file: Path) -> None:
    """Write an archive of which some bytes of headers differ, with a checksum that fits."""
    write_archive(GOLDEN / "bundle", file)
    content, provider = bytearray(file.read_bytes()), atheris.FuzzedDataProvider(data)
    for _ in range(provider.ConsumeIntInRange(1, 6)):
        member = 512 * provider.ConsumeIntInRange(0, len(content) // 512 - 1)
        content[member + provider.ConsumeIntInRange(0, 511)] = provider.ConsumeIntInRange(0, 255)
        content[member + 148 : member + 156] = b" " * 8
        content[member + 148 : member + 156] = f"{sum(content[member : member + 512]):06o}\0 ".encode()
    file.write_bytes(content)


SPACES = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "search_spaces").glob("*.yaml"))]
MANIFESTS = [GOLDEN / "bundle/manifest.json", *sorted(GOLDEN.glob("format_4/trials/*/manifest.json"))]
READERS: dict[str, tuple[Reader, str, Write]] = {
    "space": (read_space, "space.yaml", of_space),
    "csv": (read_labels, "table.csv", of_table),
    "record": (read_record, "record.jsonl", of_record),
    "manifest": (read_manifest, "manifest.json", of_json(MANIFESTS)),
    "archive": (read_packed, "sent.tar", of_archive),
}


def main() -> None:
    """Fuzz one reader in this process, or all, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", nargs="?", choices=list(READERS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--replay", type=Path)
    arguments = parser.parse_args()
    if arguments.reader is None:
        again = [sys.executable, "-m", "benchmarks.fuzz"]
        codes = [subprocess.call([*again, name, "--seconds", str(arguments.seconds)], cwd=ROOT) for name in READERS]
        sys.exit(max(codes))
    fuzz(arguments.reader, arguments.seconds, arguments.replay)


def fuzz(name: str, seconds: int, replay: Path | None) -> None:
    """Fuzz a reader; ends this process, with what was found in a file `crash-...` beside it."""
    reader, file_name, write = READERS[name]
    logging.disable()
    place = Path(tempfile.mkdtemp(prefix="fuzz.", dir=MEMORY if MEMORY.is_dir() else None))

    def one_input(content: bytes) -> None:
        write(content, place / file_name)
        with suppress(ValueError, OSError):  # what every command prints as one line
            reader(place / file_name)

    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=3000", "-max_len=30000"]
    atheris.Setup([sys.argv[0], *limits, *([] if replay is None else [str(replay)])], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
