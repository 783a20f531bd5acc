"""Search the hyperparameters of one task.

    python launch_search.py --space age.yaml

Starts a study, continues it after a stop or a crash, and extends it: always the same command.
"""

import argparse
import hashlib
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

from analysis.progress import SearchProgress
from analysis.summary import finished_trials, print_ending
from datasets.options import data_options
from datasets.preparation import PreparedData, prepare
from datasets.sources import guess_source
from launch.dry_run import FoldCounts, print_cost, print_preview
from launch.initial_configurations import enqueued, warm_start
from launch.options import overrides, parse_options, same_command
from launch.signals import STOPPED, stopping_on_signals
from schedulers.next_work import failed_setup
from schedulers.ray.cluster import Cluster, local_gpus, start_ray, stop_ray
from schedulers.ray.tune_search import run_climbs
from schedulers.samplers.ask import Proposal
from schedulers.samplers.optuna_journal import Mirror
from schedulers.samplers.registry import check_sampler
from schedulers.samplers.warm_up import WarmUp
from schedulers.search_settings import make_budget, make_ladder
from schedulers.study_run import StudyRun
from search_spaces import Choice, SearchSpace, load_space
from search_spaces.loading import find_space, profile_names
from storage.free_space import check_free_space
from studies.environment import environment
from studies.metrics import METRICS
from studies.record import Record
from studies.study_folder import Identity, StudyFolder
from studies.trial_folders import TrialFolders
from trainables.config import TrainConfig
from trainables.fold_trainable import FoldTrainable, worker_environment
from trainables.preflight.process import Preflight
from trainables.training.fold_data import DECODED

ROOT = Path(__file__).resolve().parent
console = Console()


def main() -> int:
    """Run the command and return its exit code: 0 done, 1 nothing finished, 2 bad input, 130 stopped."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the search has handlers of its own
    arguments = parse_options(__doc__)
    try:
        check_gpu_share(arguments)
        return search(arguments)
    except (ValueError, OSError) as error:  # our own errors are ValueErrors that name file, key and way out
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        console.print(f"error: {told}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("Stopped before the search began; nothing was lost. The same command starts it again.")
        return STOPPED


def search(arguments: argparse.Namespace) -> int:
    """Resolve the space, prepare the data, and show or run the search."""
    folder = StudyFolder.named(Path(arguments.results), arguments.study or find_space(arguments.space).stem)
    space = resolve_space(arguments, folder)
    check_sampler(space)
    make_ladder(space)  # refuses an unknown strategy before anything is prepared
    make_budget(space)  # and a target that the metric cannot reach
    preflight = Preflight(
        TrainConfig(**space.recipe()),
        choices_of(space, "backbone"),
        choices_of(space, "optimizer"),
        steps=8 if arguments.dry_run else 0,
        compile=arguments.compile,
    )
    try:
        data = prepare_data(space, skip_unreadable=arguments.skip_unreadable)
        if arguments.dry_run:
            show_plan(space, data, preflight.images_per_second(), arguments.cpus_per_trial or 1)
            return 0
        return run_study(arguments, folder, space, data, preflight)
    finally:
        preflight.end()


def choices_of(space: SearchSpace, knob: str) -> list[str]:
    """Return every value that a trial may have of a knob."""
    parameter = space.parameters.get(knob)
    drawn = [str(value) for value in parameter.choice] if isinstance(parameter, Choice) else []
    return [str(space.recipe()[knob]), *drawn]


def resolve_space(arguments: argparse.Namespace, folder: StudyFolder) -> SearchSpace:
    """Return the checked space; a study that was begun keeps its profile on whatever machine."""
    offered = profile_names(arguments.space)
    profile, reason = arguments.profile, "as --profile says"
    if profile is None and folder.exists():
        profile, reason = folder.stored_space().profile, "as the study began"
    elif profile is None:
        hardware = "gpu" if local_gpus() else "cpu"
        profile = hardware if hardware in offered else None
        reason = f"{local_gpus()} GPUs found" if hardware == "gpu" else "no GPU found"
    if profile:
        console.print(f"Profile {profile}: {reason}.", highlight=False)
    return load_space(
        arguments.space,
        knobs=TrainConfig,
        data_options=data_options,
        metrics=METRICS,
        profile=profile,
        data=guess_source(arguments.data) if arguments.data else None,
        overrides=overrides(arguments),
    )


def prepare_data(space: SearchSpace, *, skip_unreadable: bool) -> PreparedData:
    """Return the data of a space, with a progress bar while images are drawn or decoded."""
    options = data_options.validate_python({**space.data, **({"skip_unreadable": True} if skip_unreadable else {})})
    with Progress(console=console, transient=True) as bars:
        rows: dict[str, TaskID] = {}

        def progress(label: str, done: int, total: int) -> None:
            if label not in rows:
                rows[label] = bars.add_task(label, total=total)
            bars.update(rows[label], completed=done)

        data = prepare(options, space.task, space.search.folds, int(space.recipe()["image_size"]), progress)
    for note in (*data.table.notes, describe_splits(data)):
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    return data


def describe_splits(data: PreparedData) -> str:
    """Return how the data is split, in one sentence."""
    by_person = data.splits.split == "by_person"
    unit = "person" if by_person else "image (images of one person may stand on both sides)"
    aside = (
        f"{len(data.splits.holdout)} {unit.split()[0]}s set aside as holdout"
        if data.splits.holdout
        else "no holdout: the final score will be the one that was searched"
    )
    return f"{len(data.table.frame)} images, split by {unit} into {len(data.splits.folds)} folds; {aside}."


def show_plan(space: SearchSpace, data: PreparedData, images_per_second: float, cpus: int) -> None:
    """Print what a search would do."""
    budget = make_budget(space)
    ladder = make_ladder(space)
    places = [FoldCounts(name, persons, by_class) for name, (persons, by_class) in data.counts().items()]
    print_preview(console, space, ladder, places)
    images = round(len(data.samples()) * (1 - 1 / ladder.folds))
    print_cost(
        console, ladder, budget, images / images_per_second, local_gpus() or max(1, (os.cpu_count() or 1) // cpus)
    )


def run_study(
    arguments: argparse.Namespace, folder: StudyFolder, space: SearchSpace, data: PreparedData, preflight: Preflight
) -> int:
    """Run climbs until the study is finished or stopped, and print what came out."""
    splits = {**data.splits.model_dump(mode="json"), "digest": data.splits.digest}
    identity = Identity(space, data.facts(), splits, make_ladder(space).fold_order)
    queue = queued(arguments, folder, space, data)
    lock = folder.lock()
    try:
        check_free_space(folder.path)
        folder.refuse_another(identity)
        cluster = start_ray(arguments.address, worker_environment(arguments.cpus_per_trial or 1), ROOT)
        cpus, gpus = share_of_a_trial(arguments, cluster)
        preflight.check()
        folder.begin_or_continue(identity, derived_files(folder, data))
        describe_cluster(cluster, cpus, gpus)
        with Record(folder.record) as record:
            run = StudyRun(record, space, cluster.slots(cpus, gpus), queue=queue, effective=effective)
            run.start(space.search.model_dump(), TrialFolders(folder.path), setup_digest(space, data))
            mirror = Mirror(folder.mirror, space, run.ladder, run.state)
            run.listen(mirror.take)
            run.listen(WarmUp(space).take)
            common = {"study": str(folder.path), "cpus": cpus, "gpus": gpus, "compile": arguments.compile}
            stopping = stopping_on_signals(
                run.stop, partial(console.print, highlight=False, soft_wrap=True), same_command()
            )
            with stopping, SearchProgress(console, run).shown():
                run_climbs(FoldTrainable, run, common, folder.ray)
            mirror.close()
    finally:
        stop_ray()
        lock.release()
    print_ending(console, folder, run.state, space, run.ladder, verbose=arguments.verbose)
    return conclude(arguments, run)


def queued(
    arguments: argparse.Namespace, folder: StudyFolder, space: SearchSpace, data: PreparedData
) -> list[Proposal]:
    """Return the configurations that come before the sampler's: the user's own, then another study's."""
    own = enqueued(Path(arguments.enqueue), space) if arguments.enqueue else []
    if not arguments.warm_start:
        return own
    other = StudyFolder.named(Path(arguments.results), arguments.warm_start, "--warm-start")
    theirs, notes = warm_start(other, space, list(data.classes))
    for note in notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    return [*own, *theirs]


def effective(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a configuration makes a difference."""
    return TrainConfig(**configuration).effective()


def setup_digest(space: SearchSpace, data: PreparedData) -> str:
    """Return a hash of what all trials of a launch share: if every one of them fails, it is to blame."""
    shared = {"environment": environment(), "constants": space.constants, "data": data.facts()}
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:16]


def derived_files(folder: StudyFolder, data: PreparedData) -> dict[str, str]:
    """Return the study's files that follow from its data and machine: name and text."""
    return {
        folder.samples.name: data.samples().to_csv(index=False),
        folder.holdout.name: data.holdout().to_csv(index=False),
        DECODED: json.dumps(data.decoded),
        folder.environment.name: json.dumps(environment(), indent=1),
    }


def describe_cluster(cluster: Cluster, cpus: int, gpus: float) -> None:
    """Print how many trials run at a time on what, and where to watch them."""
    share = f" and {gpus:.2g} of a GPU" if gpus else ""
    console.print(f"Trials at a time: {cluster.slots(cpus, gpus)}, with {cpus} CPU{share} each.", highlight=False)
    if cluster.dashboard:
        console.print(
            f"Ray dashboard: http://{cluster.dashboard} (Cluster page: live trials). If it asks for a token: ray get-auth-token",
            highlight=False,
            soft_wrap=True,
        )


def share_of_a_trial(arguments: argparse.Namespace, cluster: Cluster) -> tuple[int, float]:
    """Return the CPUs and the share of a GPU that one trial takes."""
    if not cluster.gpus:
        return arguments.cpus_per_trial or 1, 0.0
    trials = int(cluster.gpus * arguments.trials_per_gpu)
    return arguments.cpus_per_trial or max(1, cluster.cpus // max(1, trials)), 1 / arguments.trials_per_gpu


def check_gpu_share(arguments: argparse.Namespace) -> None:
    """Refuse --trials-per-gpu where there is no GPU: it would do nothing."""
    if arguments.trials_per_gpu != 1 and arguments.address is None and not local_gpus():
        raise ValueError("--trials-per-gpu needs a GPU, and there is none here; leave it out")


def conclude(arguments: argparse.Namespace, run: StudyRun) -> int:
    """Print why the search ended and the next command; return the exit code."""
    again = same_command()
    if run.paused:
        console.print(
            f"Paused: {run.paused}. Nothing is lost. Make room, then: {again}",
            style="red",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        return 1
    if run.stopping:
        console.print(f"Stopped. To continue: {again}", highlight=False, markup=False, soft_wrap=True)
        return STOPPED
    console.print(f"The search ended: {run.finished}.", highlight=False, markup=False)
    if failed_setup(run.state):
        console.print(f"Mend it, then: {again}", highlight=False, markup=False, soft_wrap=True)
        return 1
    if not finished_trials(run.state, run.ladder):
        console.print(
            f"No trial has trained all folds yet. To go on: {again} --time-budget 1h",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        return 1
    place = "" if arguments.results == "results" else f" --results {arguments.results}"
    console.print(f"Next: python export_best.py{place}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
