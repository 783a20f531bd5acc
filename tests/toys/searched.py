"""A small study, searched in this process and trained for real."""

from pathlib import Path

import yaml

from datasets.preparation import PreparedData
from schedulers.study_run import StudyRun
from search_spaces import Range, SearchSettings, SearchSpace
from studies.record.record import Record
from studies.state.study_state import StudyState
from studies.trials.trial_folders import TrialFolders
from tests.toys.training import TINY, write_study
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.training.devices import Resources


def toy_space(tiny: TrainConfig) -> SearchSpace:
    fixed = {name: value for name, value in tiny.model_dump().items() if name != "learning_rate"}
    return SearchSpace(
        name="toy",
        profile=None,
        task="mask",
        data={},
        metric="macro_f1",
        parameters={"learning_rate": Range(low=1e-4, high=1e-2, log=True)},
        constants=fixed,
        defaults=tiny.model_dump(),
        search=SearchSettings(sampler="random", trials=3, folds=2, finalists=1),
    )


def search(study: Path, space: SearchSpace, trials: int = 3) -> StudyState:
    """Run a study in this process, trained for real."""
    shared_fold_data.cache_clear()
    larger = space.model_copy(update={"search": space.search.model_copy(update={"trials": trials})})
    with Record(study / "record.jsonl") as record:
        run = StudyRun(record, larger, 1)
        run.start({}, TrialFolders(study))
        while (order := run.next_climb()) is not None:
            climber = Climber(study, order, Resources())
            done = False
            while not done:
                result = climber.step()
                run.take_epoch(order, result)
                done = result["done"]
            climber.close()
            run.end_climb(order)
        run.close()
        return run.state


def trained_study(place: Path, faces: PreparedData) -> Path:
    """Write, search and train a whole study, and return its folder."""
    space = toy_space(TrainConfig(**TINY))
    write_study(place, faces)
    (place / "space.yaml").write_text(yaml.safe_dump(space.model_dump(mode="json")))
    search(place, space)
    return place
