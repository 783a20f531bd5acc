"""What every benchmark of speed and memory prints: its rows as a table, the machine, and a file for other programs."""

import json
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

Row = dict[str, Any]
_Result = TypeVar("_Result")


def report(title: str, rows: Sequence[Row], file: Path | None) -> None:
    """Print rows as a table under a title that names the machine, and write them as JSON if there is a file."""
    Console(width=120).print(shown(rows, f"{title}\n{machine()}"))
    if file is not None:
        file.write_text(json.dumps(list(rows), indent=1), encoding="utf-8")


def shown(rows: Sequence[Row], title: str | None = None) -> Table:
    """Return rows as a table for the terminal; a row may lack columns that others have."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*(name.replace("_", " ") for name in columns), title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_spelled(row.get(name)) for name in columns))
    return table


def machine() -> str:
    """Return the processor, its cores, the memory and Python's version."""
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def peak_mebibytes() -> float:
    """Return the most memory that this process has had resident, in MiB."""
    line = next(line for line in _lines("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def in_new_process(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Return what a function returns in a process of its own: nothing before it counts to its memory or its caches."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _spelled(value: Any) -> str:
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value if value is not None else "")
    )
