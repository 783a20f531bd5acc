"""Search the hyperparameters of one task.

    python launch_search.py --space age.yaml
    python launch_search.py --space age.yaml --trials 60 --time-budget 8h --log mlflow
    python launch_search.py --space classify.yaml --data photos/ --set constants.image_size=96

Starts a study, continues it after a stop or a crash, and extends it: always the same command.
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import logging
import signal
import sys
from pathlib import Path

from launch.options import parse_options

if __name__ == "__main__":
    parse_options(__doc__)  # completion, help and typing mistakes are answered before imports that take seconds

from analysis.terminal.console import console, say, say_error
from analysis.terminal.progress import SearchProgress
from analysis.terminal.summary import print_ending
from launch.beside.page import page_beside
from launch.beside.tracking import Tracking, tracking_beside
from launch.conclusion import conclude
from launch.dry_run import show_plan
from launch.hardware import Share, share_of_a_trial
from launch.launch import Launch, prepared_launch
from launch.listeners import listening
from launch.options import same_command
from launch.resolve import effective
from launch.signals import STOPPED, stopping_on_signals
from schedulers.ray.cluster import ray_cluster
from schedulers.ray.dashboard_link import dashboard_link
from schedulers.ray.private_names import cluster_token, set_title
from schedulers.ray.tune_search import run_climbs
from schedulers.requests import RequestFolder
from schedulers.study_run import StudyRun
from studies.metrics import METRICS
from studies.record.record import Record
from studies.trials.trial_folders import TrialFolders
from trainables.fold_trainable import FoldTrainable, worker_environment
from voting.selection import CONSIDERED

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Run the command and return its exit code: 0 done, 1 nothing finished, 2 bad input, 130 stopped."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the search has handlers of its own
    options = parse_options(__doc__)
    if options.json:
        console.file = sys.stderr
    try:
        with prepared_launch(options, console, say) as launch:
            if options.dry_run:
                return show_plan(console, launch)
            with tracking_beside(options.log, say) as tracking:
                return search(options, launch, tracking)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    except KeyboardInterrupt:
        say("Stopped before the search began; nothing was lost. The same command starts it again.")
        return STOPPED


def search(options: argparse.Namespace, launch: Launch, tracking: Tracking) -> int:
    """Run climbs until the study is finished or stopped, and say what came out."""
    environment, run = worker_environment(options.cpus_per_trial or 1), None
    try:
        with (
            launch.locked() as launch_id,
            ray_cluster(launch.folder.name, options.address, environment, ROOT) as cluster,
        ):
            share = share_of_a_trial(options, cluster.cpus, cluster.gpus)
            slots = share.slots(cluster.cpus, cluster.gpus)
            say(*launch.begin())
            say(f"Trials at a time: {slots}, with {share.spelled()} each.")
            tracking.begin(launch.folder)
            page = page_beside(launch.folder, None if options.no_page else options.page_port, say)
            with page, dashboard_link(cluster.dashboard, cluster_token(), say), Record(launch.folder.record) as record:
                run = study_run(launch, record, slots)
                run_study(options, launch, run, share, launch_id)
    except KeyboardInterrupt:
        if run is None:
            raise
        say("Interrupted while the search was ending; what it did is recorded.")
    print_ending(console, launch.folder, run.state, launch.space, run.facts, verbose=options.verbose)
    return conclude(options, run, say)


def study_run(launch: Launch, record: Record, slots: int) -> StudyRun:
    """Return the driver's side of the study, with what is tried first and what is asked for meanwhile."""
    return StudyRun(
        record,
        launch.space,
        slots,
        queue=launch.known.queue,
        portfolio=launch.known.portfolio,
        effective=effective,
        requests=RequestFolder(launch.folder.requests),
    )


def run_study(options: argparse.Namespace, launch: Launch, run: StudyRun, share: Share, launch_id: str) -> None:
    """Run the study's climbs under Ray Tune, listened to and shown."""
    space, folder = launch.space, launch.folder
    common = {
        "study": str(folder.path),
        **vars(share),
        "compile": options.compile,
        "set_title": set_title,
        "task": space.task,
        "recipe": {name: space.recipe()[name] for name in space.parameters},
    }
    stopping = stopping_on_signals(run, say, same_command(), options.patience)
    with listening(folder, run, also=["ray_metrics", *(["event_lines"] if options.json else [])]), stopping:
        folders = TrialFolders(folder.path, METRICS[space.metric])
        setup = launch.setup(share)
        run.start(space.search.model_dump(), folders, launch=launch_id, setup=setup, voters=CONSIDERED)
        with SearchProgress(console, run).shown():
            run_climbs(FoldTrainable, run, common, folder.ray)


if __name__ == "__main__":
    sys.exit(main())
