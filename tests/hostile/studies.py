"""Studies that somebody sent: every file of one changed so that a reader might stumble."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from analysis import show
from analysis.check import __main__ as check
from analysis.leaderboard import __main__ as leaderboard
from analysis.page.contents.followed import FollowedStudies
from tests.hostile.case import Case
from tests.toys import ROOT

NAME = "sent"
Change = Callable[[Path], object]


def cases() -> Iterator[Case]:
    """Yield one case for every change of a file of a study, and of several."""
    of_file: dict[str, dict[str, bytes | str]] = {
        "study.json": {
            "empty": "",
            "list": "[]",
            "deep": "[" * 100_000,
            "plugins_list": '{"format": 3, "plugins": [1, 2]}',
            "no_format": '{"plugins": {}}',
            "format_list": '{"format": [], "plugins": {}}',
            "leaves": '{"format": 3, "plugins": {"../../../../tmp/x": "0"}}',
        },
        "data.json": {"empty": "", "classes_number": '{"classes": 7}', "deep": "{" * 100_000, "null": "null"},
        "splits.json": {"empty": "", "list": "[1]"},
        "environment.json": {"binary": bytes(range(256))},
        "space.yaml": {
            "aliases": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
            "python": "!!python/object/apply:os.system ['touch owned']",
            "list": "[]",
        },
        "record.jsonl": {
            "empty": "",
            "binary": bytes(range(256)) * 10,
            "deep": "[" * 100_000 + "\n",
            "words": "hello\n",
        },
        "samples.csv": {"empty": "", "binary": bytes(range(256))},
        "trials/1/manifest.json": {
            "empty": "",
            "list": "[]",
            "deep": "[" * 100_000,
            "number": "7",
            "far": '{"format": 5}',
        },
        "trials/1/fold_0/predictions.npz": {"empty": b"", "pickle": b"\x80\x04cposix\nsystem\n(S'touch owned'\ntR."},
        "trials/1/fold_0/weights.safetensors": {"empty": b"", "header": b"\xff" * 8 + b"{}"},
    }
    for file, contents in of_file.items():
        for name, content in contents.items():
            yield Case(f"study/{file}/{name}", partial(changed, partial(put, file, content)), read, refused=False)
    for name, change in record_changes().items():
        yield Case(f"study/record/{name}", partial(changed, partial(with_lines, change)), read, refused=False)
    for name, cells in {"far": "99999999999", "negative": "-1", "word": "many", "nan": "nan"}.items():
        make = partial(changed, partial(with_fold, cells))
        yield Case(f"study/samples/{name}", make, read, refused=False)
    for file in (*of_file, "lock", "lease.json", "trials/1/fold_0/manifest.json"):
        for kind in ("pipe", "endless", "sparse"):
            yield Case(f"study/{file}/{kind}", partial(changed, partial(replaced, file, kind)), read, refused=False)
    yield Case("study/trials/far_folder", partial(changed, far_folder), read, refused=False)
    yield Case("study/trials/negative_folder", partial(changed, negative_folder), read, refused=False)


def record_changes() -> dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]]:
    """Return what is done to the events of a record."""

    def with_values(**values: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
        return lambda lines: [
            {**line, **{name: value for name, value in values.items() if name in line}} for line in lines
        ]

    return {
        "trial_far": with_values(trial=10**9),
        "trial_negative": with_values(trial=-1),
        "trial_huge": with_values(trial=10**400),
        "fold_far": with_values(fold=10**9),
        "epoch_far": with_values(epoch=10**9),
        "attempt_far": with_values(attempt=10**12),
        "score_text": with_values(score="good"),
        "score_nan": with_values(score=float("nan")),
        "seconds_far": with_values(seconds=1e308, time=1e308),
        "slots_far": with_values(slots=10**9),
        "rungs_far": with_values(rungs=[[10**9, 10**9]]),
        "configuration_list": with_values(configuration=[]),
        "epochs_null": with_values(configuration={"epochs": None}),
        "epochs_text": with_values(configuration={"epochs": "many"}),
        "configuration_odd": with_values(configuration={"learning_rate": "\x1b[2J", "no such knob": 1}),
        "backwards": lambda lines: lines[::-1],
        "twice": lambda lines: [*lines, *lines],
        "without_launch": lambda lines: [line for line in lines if line["event"] != "launched"],
        "without_trials": lambda lines: [line for line in lines if line["event"] != "trial_added"],
    }


def read(place: Path) -> int:
    """Look at a study as every command that reads does, its page first; return the worst exit code."""
    pages = FollowedStudies(place / "results")
    json.dumps(pages.overview()), json.dumps(pages.study(NAME))
    study = str(place / "results" / NAME)
    commands: tuple[Any, ...] = (leaderboard, check, show)
    codes = [run(command.main, study, *(["0"] if command is show else [])) for command in commands]
    run(check.main, study, "--repair")
    if (place / "owned").exists():
        raise RuntimeError("what lay in the file was run")
    return max(codes)


def run(main: Callable[[], int], *arguments: str) -> int:
    """Run a command in this process."""
    before, sys.argv = sys.argv, ["command", *arguments]
    try:
        return main()
    finally:
        sys.argv = before


def changed(change: Change, place: Path) -> Path:
    """Make a copy of a study of ours, less its plugin's trust, and change it."""
    shutil.copytree(ROOT / "tests/golden/format_4", place / "results" / NAME)
    change(place / "results" / NAME)
    return place


def put(file: str, content: bytes | str, study: Path) -> None:
    (study / file).write_bytes(content.encode() if isinstance(content, str) else content)


def with_lines(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], study: Path) -> None:
    record = study / "record.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    record.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))


def with_fold(cell: str, study: Path) -> None:
    rows = [row.split(",") for row in (study / "samples.csv").read_text().splitlines()]
    column = rows[0].index("fold")
    changed_rows = [rows[0], *([*row[:column], cell, *row[column + 1 :]] for row in rows[1:])]
    (study / "samples.csv").write_text("\n".join(",".join(row) for row in changed_rows) + "\n")


def replaced(file: str, kind: str, study: Path) -> None:
    """Put a pipe, a device or eight gigabytes of nothing in the place of a file."""
    path = study / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    else:
        with open(path, "wb") as empty:
            empty.truncate(8 * 2**30)


def far_folder(study: Path) -> None:
    shutil.copytree(study / "trials/1", study / "trials/99999999999999999999")


def negative_folder(study: Path) -> None:
    shutil.copytree(study / "trials/1", study / "trials/-1")
