"""Whether the tests can fail: seeded changes to the modules that decide, each against the fast tests of its package.

    python -m benchmarks.mutants --count 200 --seed 0 --rows mutants.jsonl
    python -m benchmarks.mutants --rows mutants.jsonl --survivors

A mutant turns one comparison, sign, constant, negation or conjunction of one line around. It is noticed if a test fails, or none
ends in time. Those that change nothing that anybody could see are named in `tables/equivalent_mutants.yaml`, with the reason.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import yaml

from benchmarks.recording import append_row, read_rows

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = ROOT / "benchmarks/tables/equivalent_mutants.yaml"
DECIDING = (
    "schedulers/next_work.py",
    "schedulers/race.py",
    "schedulers/strategies/*.py",
    "schedulers/spending/*.py",
    "schedulers/disk/disk_budget.py",
    "schedulers/slot_ledger.py",
    "studies/record/record.py",
    "studies/state/*.py",
    "studies/metrics.py",
    "studies/trials/manifest.py",
    "datasets/splits.py",
    "voting/rules/*.py",
    "voting/promise/*.py",
    "voting/bundle/archive.py",
    "voting/bundle/manifest.py",
    "trainables/training/losses.py",
    "trainables/training/images/mixing.py",
    "trainables/training/optimization/schedules.py",
    "search_spaces/checking.py",
    "search_spaces/conditions.py",
    "search_spaces/parameters.py",
)
FIRST = {  # what notices most, and soonest
    "schedulers": ["tests/schedulers/test_simulation.py"],
    "studies": ["tests/studies/test_state.py", "tests/studies/test_mishap_rows.py", "tests/studies/test_metrics.py"],
}
TIMEOUT = 400  # seconds of a package's tests
COMPARISONS = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
SIGNS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
SPELLED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
SPELLED_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
PATHS = ("folder", "path", "place", "root", "study", "bundle")
CONJUNCTIONS = {ast.And: ("and", "or"), ast.Or: ("or", "and")}


@dataclass(frozen=True)
class Mutant:
    """One line of a file, changed."""

    file: str
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.file}: {self.before.strip()} -> {self.after.strip()}"


def main() -> None:
    """Try mutants that have no row yet, and print what was noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument(
        "--survivors", action="store_true", help="try those again that were not noticed, and print them"
    )
    arguments = parser.parse_args()
    tried = {row["name"]: row for row in read_rows(arguments.rows)}
    every = list(mutants())
    chosen = random.Random(arguments.seed).sample(every, min(arguments.count, len(every)))
    left = [one for one in chosen if one.name not in tried]
    if arguments.survivors:
        left = [one for one in chosen if not tried.get(one.name, {"noticed": True})["noticed"]]
    for mutant, noticed in tried_out(left):
        append_row(arguments.rows, {"name": mutant.name, "line": mutant.line, "noticed": noticed})
    report(chosen, {row["name"]: row["noticed"] for row in read_rows(arguments.rows)})


def report(chosen: list[Mutant], noticed: dict[str, bool]) -> None:
    """Print the survivors, and the share that was noticed of those that are not equivalent."""
    equivalent = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or {}
    counted, seen = Counter[str](), Counter[str]()
    for mutant in chosen:
        if mutant.name not in noticed or mutant.name in equivalent:
            continue
        package = mutant.file.partition("/")[0]
        counted[package] += 1
        seen[package] += noticed[mutant.name]
        if not noticed[mutant.name]:
            print(f"survives, line {mutant.line}: {mutant.name}")
    for package, count in sorted(counted.items()):
        print(f"{package}: {seen[package]} of {count}")
    left_out = sum(mutant.name in equivalent for mutant in chosen)
    print(f"noticed {seen.total()} of {counted.total()}, {left_out} more are equivalent")


def mutants() -> Iterator[Mutant]:
    """Yield every mutant of the modules that decide, in a fixed order."""
    for pattern in DECIDING:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            yield from _of_file(path.relative_to(ROOT).as_posix(), text)


def _of_file(file: str, text: str) -> Iterator[Mutant]:
    lines, known = text.splitlines(), set[tuple[int, str]]()
    for node in ast.walk(_without_annotations(ast.parse(text))):
        for line, before, after in _changes(node, lines):
            if (line, after) not in known:
                known.add((line, after))
                yield Mutant(file, line, before, after)


def _without_annotations(tree: ast.Module) -> ast.Module:
    """Return a module without what only readers and type checkers look at."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if getattr(node, name, None) is not None:
                setattr(node, name, ast.Constant(value=""))
    return tree


def _changes(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the line of a node, as it is and as it becomes, for every way to turn it around."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            yield from _between(left, right, SPELLED[type(op)], COMPARISONS[type(op)], lines)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS and not _is_of_paths(node):
            yield from _between(left, right, SPELLED_SIGNS[type(op)], SIGNS[type(op)], lines)
        case ast.BoolOp(op=op, values=[left, right]):
            yield from _between(left, right, *CONJUNCTIONS[type(op)], lines)
        case ast.UnaryOp(op=ast.Not(), operand=operand) if node.lineno == operand.end_lineno:
            yield _replaced(lines, node.lineno, node.col_offset, operand.col_offset, "")
        case ast.UnaryOp(op=ast.USub(), operand=operand) if node.lineno == operand.end_lineno:
            yield _replaced(lines, node.lineno, node.col_offset, operand.col_offset, "")
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            wider = repr(value + 1) if isinstance(value, int) else repr(2 * value if value else 1.0)
            yield _replaced(lines, node.lineno, node.col_offset, node.end_col_offset or 0, wider)


def _is_of_paths(division: ast.BinOp) -> bool:
    """Tell whether an operator joins paths, by its looks: whatever else stood there would be no change that a test is for."""
    text = isinstance(division.right, ast.JoinedStr) or isinstance(getattr(division.right, "value", None), str)
    return isinstance(division.op, ast.Div) and (text or any(word in ast.unparse(division.left) for word in PATHS))


def _between(left: Any, right: Any, spelled: str, other: str, lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the change of an operator between two operands that stand in one line."""
    if left.end_lineno != right.lineno:
        return
    line = lines[right.lineno - 1].encode()
    found = line.find(spelled.encode(), left.end_col_offset, right.col_offset)
    if found >= 0:
        yield _replaced(lines, right.lineno, found, found + len(spelled), other)


def _replaced(lines: list[str], number: int, start: int, end: int, new: str) -> tuple[int, str, str]:
    before = lines[number - 1].encode()
    return number, before.decode(), (before[:start] + new.encode() + before[end:]).decode()


def tried_out(chosen: list[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Yield whether each mutant was noticed, several at a time, each in a copy of the project."""
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(workers) as pool:
        copies: Queue[Path] = Queue()
        for number in range(workers):
            copies.put(_copy(Path(place) / str(number)))
        for package in {mutant.file.partition("/")[0] for mutant in chosen}:
            if _tests_fail(copies.queue[0], package):
                raise SystemExit(f"the fast tests of {package} fail as it is: every mutant would seem to be noticed")
        running = {pool.submit(_is_noticed, mutant, copies): mutant for mutant in chosen}
        for done in as_completed(running):
            yield running[done], done.result()


def _copy(place: Path) -> Path:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name)
    return place


def _is_noticed(mutant: Mutant, copies: "Queue[Path]") -> bool:
    copy = copies.get()
    path = copy / mutant.file
    before = path.read_text(encoding="utf-8")
    lines = before.splitlines(keepends=True)
    assert lines[mutant.line - 1].rstrip("\n") == mutant.before, "it was made of this text"
    lines[mutant.line - 1] = mutant.after + "\n"
    path.write_text("".join(lines), encoding="utf-8")
    try:
        return _tests_fail(copy, mutant.file.partition("/")[0])
    finally:
        path.write_text(before, encoding="utf-8")
        copies.put(copy)


def _tests_fail(copy: Path, package: str) -> bool:
    options = ["-x", "-q", "-n0", "-m", "not slow", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *FIRST.get(package, ()), f"tests/{package}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(command, cwd=copy, env=environment, start_new_session=True, **quiet)  # type: ignore[call-overload]
    try:
        return bool(process.wait(TIMEOUT))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return True


if __name__ == "__main__":
    main()
