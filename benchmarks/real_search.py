"""What strategies cost and find in real searches: the same configurations, trained for real, under each of them.

    python -m benchmarks.real_search --space age.yaml --trials 16 --json rows.json
    python -m benchmarks.sets orl_identity orl
    python -m benchmarks.real_search --space classify.yaml --data orl/labels.csv --trials 16

One search after the other on an otherwise idle machine. The sampler is random and seeded, so that every strategy is given
the same configurations; the score is that of the best trial that trained all folds, pooled over them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis.reading.opened import open_study
from benchmarks.reporting import shown

ROOT = Path(__file__).resolve().parent.parent
STRATEGIES = ("fold_ladder", "stopping_asha", "full")


def main() -> None:
    """Search, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", required=True)
    parser.add_argument("--data")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as results:
        for strategy in arguments.strategies:
            rows.append(searched(strategy, arguments, Path(results)))
            print(rows[-1], flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1))
    Console(width=100).print(shown(rows))


def searched(strategy: str, arguments: argparse.Namespace, results: Path) -> dict[str, Any]:
    """Run one search to its end and return what it cost and found."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", arguments.space, "--study", strategy]
    command += ["--results", str(results), "--trials", str(arguments.trials), "--time-budget", "1d"]
    command += ["--set", f"search.scheduler={strategy}", "--set", "search.sampler=random"]
    command += ["--data", arguments.data] if arguments.data else []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    opened = open_study(results / strategy)
    study, top = opened.state, opened.rungs.top
    score, best = max((trial.score_at(top) or 0.0, trial.number) for trial in study.trials.values())
    return {
        "strategy": strategy,
        "fold_epochs": study.fold_epochs,
        "seconds": round(study.elapsed),
        "score": round(score, 4),
        "trial": best,
        "complete": sum(top in trial.scores for trial in study.trials.values()),
    }


if __name__ == "__main__":
    main()
