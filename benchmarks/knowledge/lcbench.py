"""Samplers with and without what is known of other data, on the public benchmark LCBench (34 tasks, 7 hyperparameters).

    python -m benchmarks.knowledge.lcbench --folder lcbench --tasks 8 --seeds 10 --rows lcbench.jsonl

`--folder` holds model.onnx, config_space.json and encoding.json of the scenario lcbench of YAHPO Gym (Pfisterer et al., AutoML
2022), from the repository slds-lmu/yahpo_data, Apache-2.0. Every trial trains 52 epochs. A portfolio is learned on all tasks but
the one that is searched, from random configurations and what one search found on each; `upside down` says the opposite of it.
Searches that are in the rows are not made again.
Regret is in percentage points of validation accuracy below the best of 20,000 random configurations, or of what any search found.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from rich.console import Console
from rich.table import Table

from analysis.portfolio.greedy import Scores
from analysis.portfolio.tables import table_portfolio
from benchmarks.recording import append_row, read_rows
from schedulers.proposal import PORTFOLIO, Proposal
from schedulers.samplers.ask import Asker
from schedulers.samplers.proposals import Proposals
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies.full import Full
from search_spaces import Range, SearchSettings, SearchSpace
from search_spaces.drawing import drawn
from search_spaces.portfolio import Portfolio
from studies.state.study_state import StudyState, TrialState

Run = tuple[str, str, int]  # way, task, seed
EPOCHS, TRIALS, LISTED, FIRST, LOOKS = 52, 64, 26, 12, (4, 8, 16, 32, 64)
REFERENCE = 20_000
_OTHER_SEED = 1_000  # of the searches from which a portfolio is learned
_ORDER = ("batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout")
_RANGES: dict[str, tuple[float, float, bool, bool]] = {  # low, high, log, integer
    "batch_size": (16, 512, True, True),
    "learning_rate": (1e-4, 1e-1, True, False),
    "momentum": (0.1, 0.99, False, False),
    "weight_decay": (1e-5, 1e-1, False, False),
    "num_layers": (1, 5, False, True),
    "max_units": (64, 1024, True, True),
    "max_dropout": (0.0, 1.0, False, False),
}
_RECIPE = {
    **{"batch_size": 64, "learning_rate": 1e-2, "momentum": 0.9, "weight_decay": 1e-4},
    **{"num_layers": 3, "max_units": 256, "max_dropout": 0.2},
}


class Benchmark:
    """The surrogate of a folder."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        self._numbers = json.loads((folder / "encoding.json").read_text())["OpenML_task_id"]
        named = json.loads((folder / "config_space.json").read_text())["hyperparameters"]
        self.tasks: list[str] = next(list(one["choices"]) for one in named if one["name"] == "OpenML_task_id")

    def accuracy(self, task: str, configurations: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
        """Return the validation accuracy of configurations after all epochs, from 0 to 100."""
        numbers = [[EPOCHS, *(one[name] for name in _ORDER)] for one in configurations]
        kinds = np.full((len(numbers), 1), self._numbers[task], np.int32)
        outputs = self._session.run(None, {"x_cat": kinds, "x_cont": np.array(numbers, np.float32)})
        return np.asarray(outputs[0][:, 1], np.float64)


@dataclass(frozen=True)
class Accuracies:
    """Judges a simulated study's trials."""

    benchmark: Benchmark
    task: str
    proposals: Proposals

    def propose(self, number: int, study: StudyState) -> Proposal:
        proposal = self.proposals.next(study)
        assert proposal is not None
        return proposal

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return float(self.benchmark.accuracy(self.task, [trial.configuration])[0] / 100)

    def seconds(self, trial: TrialState) -> float:
        return 1.0


def lcbench_space(sampler: str, seed: int) -> SearchSpace:
    """Return the benchmark's space."""
    ranges = {
        name: Range(low=low, high=high, log=log, integer=integer) for name, (low, high, log, integer) in _RANGES.items()
    }
    shared: dict[str, Any] = {"name": "lcbench", "profile": None, "task": "", "data": {}, "metric": "macro_f1"}
    return SearchSpace(
        **shared,
        parameters=ranges,
        constants={"epochs": 1},
        defaults=_RECIPE,
        search=SearchSettings(trials=TRIALS, seed=seed, sampler=sampler),
    )


def learned(benchmark: Benchmark, left_out: str, found: Mapping[str, Mapping[str, Any]]) -> Portfolio:
    """Return the portfolio of all tasks but one, from the recipe, random configurations and what was found on the others."""
    generator, space = np.random.default_rng(0), lcbench_space("random", 0)
    configurations = {"recipe": _RECIPE} | {f"random {one}": drawn(space, generator) for one in range(LISTED)}
    others = [task for task in benchmark.tasks if task != left_out]
    configurations |= {f"best of {task}": dict(found[task]) for task in others}
    scores: Scores = np.array([benchmark.accuracy(task, list(configurations.values())) for task in others])
    by_task = dict(zip(others, scores, strict=True))
    return table_portfolio(configurations, by_task, metric="val_accuracy", first=FIRST)


def upside_down(portfolio: Portfolio) -> Portfolio:
    """Return a portfolio that begins with the worst and says the opposite of every configuration."""
    entries = [one.model_copy(update={"place": 1 - one.place}) for one in reversed(portfolio.configurations)]
    return portfolio.model_copy(update={"configurations": tuple(entries)})


@dataclass(frozen=True)
class Way:
    """A sampler, what it is told of other tasks, and whether that is tried first."""

    sampler: str
    knows: Callable[[Portfolio], Portfolio] | None = None
    begins: bool = False


WAYS = {
    "random": Way("random"),
    "tpe": Way("tpe"),
    "gp": Way("gp"),
    "transfer_gp, nothing known": Way("transfer_gp"),
    "portfolio, tpe": Way("tpe", Portfolio.model_copy, begins=True),
    "portfolio, gp": Way("gp", Portfolio.model_copy, begins=True),
    "transfer_gp": Way("transfer_gp", Portfolio.model_copy),
    "portfolio, transfer_gp": Way("transfer_gp", Portfolio.model_copy, begins=True),
    "transfer_gp, upside down": Way("transfer_gp", upside_down),
    "portfolio upside down, gp": Way("gp", upside_down, begins=True),
    "portfolio upside down, transfer_gp": Way("transfer_gp", upside_down, begins=True),
}


def searched(folder: Path, slots: int, found: Mapping[str, Mapping[str, Any]], run: Run) -> dict[str, Any]:
    """Return the best accuracy after every trial of one search; `found` is what was best on other tasks."""
    name, task, seed = run
    way = WAYS[name]
    benchmark, space = Benchmark(folder), lcbench_space(way.sampler, seed)
    portfolio = way.knows(learned(benchmark, task, found)) if way.knows else None
    begins = portfolio.configurations[:FIRST] if portfolio and way.begins else ()
    queue = [Proposal(space.complete(one.configuration), PORTFOLIO) for one in begins]
    ladder = Full(epochs=1, folds=1)
    proposals = Proposals(Asker(space, ladder, portfolio), queue, dict)
    study = Simulation(ladder, Budget(TRIALS), slots, Accuracies(benchmark, task, proposals)).run()
    scores = [100 * (trial.score_at(ladder.rungs.top) or 0.0) for trial in study.trials.values()]
    best = space.active(study.trials[int(np.argmax(scores))].configuration)
    curve = np.maximum.accumulate(scores).round(4).tolist()
    return {"way": name, "task": task, "seed": seed, "best": curve, "configuration": best}


def runs(ways: Sequence[str], tasks: Sequence[str], seeds: int) -> Iterator[Run]:
    """Yield what is searched."""
    yield from ((way, task, seed) for seed in range(seeds) for task in tasks for way in ways)


def references(benchmark: Benchmark, tasks: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the best accuracy that is known of every task."""
    generator, space = np.random.default_rng(1), lcbench_space("random", 0)
    many = [drawn(space, generator) for _ in range(REFERENCE)]
    return {
        task: max(
            float(benchmark.accuracy(task, many).max()), *(row["best"][-1] for row in rows if row["task"] == task)
        )
        for task in tasks
    }


def shown(rows: Sequence[Mapping[str, Any]], best: Mapping[str, float]) -> Table:
    """Return the median regret with its standard error, by the number of trials."""
    table = Table("way", *(f"{look} trials" for look in LOOKS), "mean at the end")
    for way in dict.fromkeys(row["way"] for row in rows):
        curves = np.array([best[row["task"]] - np.array(row["best"]) for row in rows if row["way"] == way])
        generator = np.random.default_rng(0)
        drawn_again = generator.integers(0, len(curves), (1_000, len(curves)))
        cells = [
            f"{np.median(curves[:, look - 1]):.2f} ± {np.median(curves[drawn_again, look - 1], axis=1).std():.2f}"
            for look in LOOKS
        ]
        table.add_row(way, *cells, f"{curves[:, -1].mean():.3f} ± {curves[:, -1].std() / len(curves) ** 0.5:.3f}")
    return table


def searched_once(
    pool: Executor, search: Callable[[Run], dict[str, Any]], wanted: Sequence[Run], file: Path
) -> list[dict[str, Any]]:
    """Return the rows of searches; those that the file does not have are made and added to it."""
    have = {(row["way"], row["task"], row["seed"]) for row in read_rows(file)}
    for row in pool.map(search, [run for run in wanted if run not in have]):
        append_row(file, row)
    return [row for row in read_rows(file) if (row["way"], row["task"], row["seed"]) in wanted]


def main() -> None:
    """Search, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--tasks", type=int, default=8, help="so many, evenly from the list")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--slots", type=int, default=1, help="trials at a time")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=Path, required=True, help="of one number of slots")
    arguments = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # of the workers
    benchmark = Benchmark(arguments.folder)
    tasks = benchmark.tasks[:: len(benchmark.tasks) // arguments.tasks][: arguments.tasks]
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        alone = partial(searched, arguments.folder, 1, {})
        others = [("transfer_gp, nothing known", task, _OTHER_SEED) for task in benchmark.tasks]
        known = {row["task"]: row["configuration"] for row in searched_once(pool, alone, others, arguments.rows)}
        search = partial(searched, arguments.folder, arguments.slots, known)
        rows = searched_once(pool, search, list(runs(arguments.ways, tasks, arguments.seeds)), arguments.rows)
    Console(width=150).print(shown(rows, references(benchmark, tasks, rows)))


if __name__ == "__main__":
    main()
