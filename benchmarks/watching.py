"""What a look at the page of a long study costs: to open it, and again after every event.

    python -m benchmarks.watching --trials 100 1000

The study is simulated, its record and folder are real; each size is measured in a process of its own.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from analysis.page.contents.view import view
from analysis.page.contents.watched import WatchedStudy
from benchmarks.reporting import Row, in_new_process, peak_mebibytes, report
from schedulers.budget_settings import make_budget
from schedulers.proposal import Proposal
from schedulers.search_settings import make_strategy
from schedulers.spending.simulation import Simulation
from search_spaces import Range, SearchSettings, SearchSpace
from studies.identity import Identity
from studies.record.events import Event, TrialAdded
from studies.state.study_state import StudyState, TrialState
from studies.study import begin_or_continue
from studies.study_folder import StudyFolder
from trainables.config import TrainConfig

_LOOKS = 20


class RecordedState(StudyState):
    """A state that keeps the events which it has taken in as lines of a record."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def apply(self, event: Event) -> None:
        """Take an event in, and keep it."""
        super().apply(event)
        self.lines.append(event.model_dump_json())


class Noise:
    """Configurations and scores by chance."""

    def __init__(self, space: SearchSpace) -> None:
        self._space, self._generator = space, np.random.default_rng(0)

    def propose(self, number: int, study: StudyState) -> Proposal:
        rate = float(self._generator.uniform(1e-4, 1e-2))
        return Proposal(self._space.complete({"learning_rate": rate}), "recipe" if number == 0 else "gp")

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return float(self._generator.uniform(0.3, 0.8))

    def seconds(self, trial: TrialState) -> float:
        return 10.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    for trials in arguments.trials:
        with tempfile.TemporaryDirectory() as place:
            folder = simulated(Path(place) / "study", trials)
            rows.append(in_new_process(measured, folder.path))
    report("The page of a long study", rows, arguments.json)


def simulated(path: Path, trials: int) -> StudyFolder:
    """Write a study of so many trials."""
    folder, defaults = StudyFolder(path), TrainConfig().model_dump()
    folder.path.mkdir()
    space = SearchSpace(
        name="simulated",
        profile=None,
        task="age",
        data={},
        metric="macro_f1",
        parameters={"learning_rate": Range(low=1e-4, high=1e-2, log=True)},
        constants={name: value for name, value in defaults.items() if name != "learning_rate"},
        defaults=defaults,
        search=SearchSettings(trials=trials, folds=5, finalists=3, portfolio="none"),
    )
    begin_or_continue(folder, Identity(space, {"classes": ["a", "b"]}, {"digest": "simulated"}), {})
    state = RecordedState()
    Simulation(make_strategy(space), make_budget(space), 2, Noise(space), begin=lambda: state).run()
    folder.record.write_text("\n".join(state.lines) + "\n", encoding="utf-8")
    return folder


def measured(path: Path) -> Row:
    """Return what opening and looking cost."""
    before = peak_mebibytes()
    started = time.perf_counter()
    study = WatchedStudy(StudyFolder(path))
    study.refresh()
    first = view(study)
    opened = time.perf_counter() - started
    trials, looks = len(study.history.state.trials), []
    for look in range(_LOOKS):
        added = TrialAdded(
            time=1e6 + look, trial=trials + look, configuration=study.history.space.recipe(), origin="gp"
        )
        with open(study.folder.record, "a", encoding="utf-8") as record:
            record.write(added.model_dump_json() + "\n")
        started = time.perf_counter()
        study.refresh()
        view(study)
        looks.append(time.perf_counter() - started)
    return {
        "trials": trials,
        "open, seconds": round(opened, 2),
        "a look after an event, seconds": round(float(np.median(looks)), 3),
        "a look, kB": round(len(json.dumps(first)) / 1000),
        "memory of it, MiB": round(peak_mebibytes() - before),
    }


if __name__ == "__main__":
    main()
