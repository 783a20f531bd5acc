"""The trainable's Ray adapter: a reused actor that executes one climb after the other."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune import PlacementGroupFactory, Trainable

from storage.outage import of_storage
from studies.metrics import METRICS
from studies.study import load_plugins_of
from studies.study_folder import StudyFolder
from studies.trials.climb_order import ClimbOrder
from studies.trials.manifest import trial_path

if TYPE_CHECKING:
    from trainables.climber import Climber

logger = logging.getLogger("trainables")
_TITLE = 110  # characters of knobs in a process title


class FoldTrainable(Trainable):
    """Executes climbs; keeps its process, its imports and its data between them.

    Its config is a climb order (`studies.trials.climb_order`) plus study, the fields of `Resources`, and perhaps set_title, task,
    and recipe: the recipe's values of the parameters that vary, for the title.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Set out on the first climb."""
        logging.basicConfig(
            level=logging.WARNING, format="%(message)s"
        )  # into the worker's log: the dashboard shows it
        logging.getLogger("trainables").setLevel(logging.INFO)
        self._study: Path | None = None
        self._set_title: Callable[[str], None] | None = config.get("set_title")
        self._climber: Climber | None = None
        self._failure: dict[str, Any] | None = None
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Leave the last climb and set out on the next."""
        # torch is imported here, in the actor: the driver names this class and must start fast
        from trainables.climb_failures import failure_result
        from trainables.climber import Climber
        from trainables.training.devices import Resources

        order = ClimbOrder.of_values(new_config)
        resources = Resources(
            **{field.name: new_config[field.name] for field in fields(Resources) if field.name in new_config}
        )
        self._trial, self._last_score = new_config["trial"], ""
        self._knobs = _spelled(order.configuration, new_config.get("recipe", {}))
        if self._turn_to(Path(new_config["study"]), new_config.get("task")):
            self.cleanup()
        self._tell("starting")
        try:
            self._failure = None
            _load_plugins(Path(new_config["study"]))
            self._metric = METRICS[order.metric]
            if self._climber is None or not self._climber.takes_up(order):
                self.cleanup()
                self._climber = Climber(Path(new_config["study"]), order, resources)
        except Exception as error:  # a missing cache, a damaged folder: a failed trial, not a lost process
            self._failure = failure_result(trial_path(Path(new_config["study"]), self._trial), error)
        return True

    def _turn_to(self, study: Path, task: str | None) -> bool:
        """Take the study of the next climb, and tell whether it is another than that of the last."""
        changed, self._study = self._study != study, study
        self._named = study.name if task in (None, study.name) else f"{study.name} ({task})"
        return changed

    def step(self) -> dict[str, Any]:
        """Do one fold-epoch."""
        if self._failure is not None:
            return self._failure
        assert self._climber is not None
        if self._climber.has_arrived:
            return self._climber.step()
        fold, epoch = self._climber.position
        self._tell(f"fold {fold + 1} epoch {epoch + 1}{self._last_score}")
        result = self._climber.step()
        logger.info("%s trial %d fold %d epoch %d: %s", self._named, self._trial, fold + 1, epoch + 1, _said(result))
        if "score" in result:
            self._last_score = f" {self._metric.name} {self._metric.spelled(result['score'])}"
        self._tell(f"fold {fold + 1} epoch {epoch + 1}{self._last_score}")
        return result

    def cleanup(self) -> None:
        """Let go of the last climb's model."""
        if self._climber is not None:
            self._climber.close()
        self._climber = None

    def __repr__(self) -> str:
        """Return what stays true of a reused actor: the dashboard reads it once and keeps it."""
        return "trains one fold of a trial after the other; its log and title say which"

    def _tell(self, doing: str) -> None:
        """Set the process title, if there is a way: the dashboard's worker list shows it live."""
        if self._set_title is not None:
            self._set_title(f"{self._named} trial {self._trial} {doing}{self._knobs}")

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        """Return what one climb occupies."""
        gpus = {"GPU": config["gpus"]} if config["gpus"] else {}
        return PlacementGroupFactory([{"CPU": config["cpus"], **gpus}])


@cache
def _load_plugins(study: Path) -> None:
    """Import a study's plugins, once per process."""
    with of_storage():
        load_plugins_of(StudyFolder(study), launched=True)


def _spelled(configuration: Mapping[str, Any], recipe: Mapping[str, Any]) -> str:
    """Return the parameters in which a configuration differs from the recipe, as many as a title has room for."""
    other = {name: configuration[name] for name in recipe if configuration.get(name, recipe[name]) != recipe[name]}
    knobs = [f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}" for name, value in other.items()]
    shown = " ".join(knobs)
    return f" | {shown if len(shown) <= _TITLE else shown[:_TITLE].rpartition(' ')[0] + ' ...'}" if knobs else ""


def _said(result: Mapping[str, Any]) -> str:
    """Return what a fold-epoch came to, for the log."""
    if "failure" in result:
        return f"{result['failure']}: {result['reason']}"
    if "score" not in result:
        return "trained again"
    return f"score {result['score']:.4f}, loss {result['loss']:.4f}, {result['images_per_second']:.0f} images/s"


def worker_environment(cpus: int) -> dict[str, str]:
    """Return the environment of an actor: threads by core, no calls home, unless the user has set them."""
    threads = str(cpus)
    quiet = {"NO_ALBUMENTATIONS_UPDATE": "1", "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    return {name: os.environ.get(name, value) for name, value in quiet.items()}
