"""What we take of Ray beside its public interface is there, and does what it is taken for: Tune keeps its actors."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.tune import tune
from ray.tune.execution.tune_controller import TuneController
from ray.tune.utils.object_cache import _ObjectCache

from benchmarks.empty_climbs import EmptyTrainable, NoFolders, toy_space
from schedulers.ray import private_names
from schedulers.ray.private_names import ClimbController, ClusterError, KeptActors, actors_kept, check_private_names
from schedulers.ray.tune_search import ForgetEnded, run_climbs
from schedulers.shared_slots import SharedSlots
from schedulers.slot_ledger import SlotLedger
from schedulers.study_run import StudyRun
from studies.record.record import Record


class TellsItsProcess(EmptyTrainable):
    """Starts slowly, as one with many imports does, and leaves a line with its process for every climb."""

    def setup(self, config: dict[str, Any]) -> None:
        time.sleep(2 if Path(config["study"], "processes").exists() else 0)
        super().setup(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        with open(Path(new_config["study"]) / "processes", "a") as file:
            file.write(f"{ray._private.worker.global_worker.worker_id.hex()}\n")
        return super().reset_config(new_config)


@pytest.fixture
def two_cores() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.slow
def test_two_slots_share_two_processes_for_all_climbs(two_cores: None, tmp_path: Path) -> None:
    with Record(tmp_path / "record.jsonl") as record:
        run = StudyRun(record, toy_space(24), slots=2)
        run.start({}, NoFolders())
        common = {"study": str(tmp_path), "kill_trial": -1, "kill_before": 0}
        run_climbs(TellsItsProcess, SharedSlots([run], SlotLedger(2)), [common], tmp_path / "ray")
    climbs = Counter((tmp_path / "processes").read_text().split())
    assert sum(climbs.values()) == run.state.last_attempt > 24
    assert len(climbs) == 2


def test_idle_actors_go_at_the_end_of_a_search_alone() -> None:
    kept = KeptActors(may_keep_one=True)
    assert all(kept.cache_object("one CPU", number) for number in range(3))
    assert list(kept.flush_cached_objects()) == []
    assert kept.pop_cached_object("one CPU") == 0
    assert list(kept.flush_cached_objects(force_all=True)) == [1, 2]
    usual = tune.TuneController
    with actors_kept():
        assert issubclass(tune.TuneController, ClimbController)
    assert tune.TuneController is usual


def test_the_statistics_of_an_ended_climb_are_let_go() -> None:
    trial: Any = SimpleNamespace(
        run_metadata=SimpleNamespace(metric_analysis={"score": 1}, metric_n_steps={"score": 2})
    )
    ForgetEnded().on_trial_complete(1, [trial], trial)
    assert vars(trial.run_metadata) == {"metric_analysis": {}, "metric_n_steps": {}}


@pytest.mark.parametrize(
    ("owner", "name"), [(TuneController, "_maybe_reuse_cached_actor"), (_ObjectCache, "flush_cached_objects")]
)
def test_another_version_of_ray_is_told_in_one_line(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_private_names()
    monkeypatch.delattr(owner, name)
    with pytest.raises(
        ClusterError, match=rf"Ray 2\.60\.0 is not the version .* \(no \w+\.{name}\); install the one that"
    ):
        check_private_names()
    monkeypatch.setattr(private_names, "MISSING", "cannot import name 'x'")
    with pytest.raises(ClusterError, match="cannot import name 'x'"):
        check_private_names()
