"""Search the hyperparameters of one task.

    python launch_search.py --space age.yaml
    python launch_search.py --space age.yaml --trials 60 --time-budget 8h --log mlflow
    python launch_search.py --space classify.yaml --data photos/ --set constants.image_size=96
    python launch_search.py --space mask.yaml --space gender.yaml --space age.yaml --set age:drop_rate.high=0.4

Starts a study, continues it after a stop or a crash, and extends it: always the same command.
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from command_line.commands import typed
from launch.options import parse_options

if __name__ == "__main__":
    parse_options(__doc__)  # completion, help and typing mistakes are answered before imports that take seconds

from analysis.terminal.progress import progress_shown
from analysis.terminal.summary import print_ending
from command_line.console import console, say, say_error
from command_line.plain_text import show_warnings
from launch.beside.page import page_beside
from launch.beside.tracking import Tracking, tracking_beside
from launch.conclusion import conclude
from launch.dry_run import show_plan
from launch.fit.shared_memory import check_shared_memory
from launch.hardware import Share, share_of_a_trial
from launch.launch import Launch, prepared_launches
from launch.listeners import listening
from launch.options import AUTO, same_command
from launch.packing.mps import mps_server
from launch.packing.resolution import with_numbers
from launch.per_study import named
from launch.resolve import effective
from launch.signals import FAILED, STOPPED, leave_at_once, stopping_on_signals
from schedulers.ray.cluster import ray_cluster
from schedulers.ray.dashboard_link import dashboard_link
from schedulers.ray.private_names import cluster_token, set_title
from schedulers.ray.tune_search import run_climbs
from schedulers.ray.watchdog import servers_watched
from schedulers.requests import RequestFolder
from schedulers.shared_slots import SharedSlots
from schedulers.slot_ledger import SlotLedger
from schedulers.study_run import StudyRun
from storage.outage import is_outage
from studies.gpus import taken_gpus
from studies.metrics import METRICS
from studies.record.record import Record
from studies.trials.trial_folders import TrialFolders
from trainables.fold_trainable import FoldTrainable, worker_environment
from voting.selection import CONSIDERED

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Run the command and return its exit code: 0 done, 1 nothing finished, 2 bad input, 130 stopped."""
    show_warnings()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the search has handlers of its own
    options = parse_options(__doc__)
    if options.json:
        console.file = sys.stderr
    try:
        if options.address is None:
            say(*taken_gpus())  # before anything of ours is on them
        with prepared_launches(options, console, say) as launches, ExitStack() as stack:
            if options.dry_run:
                return max([show_plan(console, launch) for launch in launches])  # each begins with its space
            tracking = [stack.enter_context(tracking_beside(options.log, say)) for _ in launches]
            return search(options, launches, tracking)
    except (ValueError, OSError) as error:
        say_error(error)
        if is_outage(error) and not isinstance(error, PermissionError):  # what was asked for was fine
            say(f"Nothing is lost. Once the storage is back: {same_command()}")
            return FAILED
        return 2
    except KeyboardInterrupt:
        say("Stopped before the search began; nothing was lost. The same command starts it again.")
        return STOPPED


def search(options: argparse.Namespace, launches: Sequence[Launch], trackings: Sequence[Tracking]) -> int:
    """Run the climbs of all studies until they are finished or stopped, and say what came out."""
    runs, folders = list[StudyRun](), [launch.folder for launch in launches]
    try:
        with ExitStack() as stack:
            ids = [stack.enter_context(launch.locked()) for launch in launches]
            if options.trials_per_gpu == AUTO:
                stack.enter_context(mps_server(say))
            options = with_numbers(options, launches, say)
            environment = worker_environment(options.cpus_per_trial or 1)
            job = ", ".join(folder.name for folder in folders)
            cluster = stack.enter_context(
                ray_cluster(job, options.address, environment, ROOT, insecure=options.insecure)
            )
            share = share_of_a_trial(options, cluster.cpus, cluster.gpus)
            slots = share.slots(cluster.cpus, cluster.gpus)
            if share.gpus and options.address is None:
                check_shared_memory([launch.space for launch in launches], share.cpus, slots)
            for launch, tracking in zip(launches, trackings, strict=True):
                (say if len(launches) == 1 else named(say, launch.folder.name))(*launch.begin())
                tracking.begin(launch.folder)
            say(f"Trials at a time: {slots}, with {share.spelled()} each.")
            stack.enter_context(page_beside(folders, None if options.no_page else options.page_port, say))
            stack.enter_context(dashboard_link(cluster.dashboard, cluster_token(), say, terminal=console.file.isatty()))
            records = [stack.enter_context(Record(folder.record)) for folder in folders]
            shared = shared_slots(launches, records, slots)
            runs.extend(shared.runs)
            run_studies(options, launches, shared, share, ids)
    except KeyboardInterrupt:
        if not runs:
            raise
        say("Interrupted while the search was ending; what it did is recorded.")
    for launch, run in zip(launches, runs, strict=True):
        if len(launches) > 1:
            say("", launch.folder.name, style="bold")
        try:
            print_ending(console, launch.folder, run.state, launch.space, run.facts, verbose=options.verbose)
        except OSError as error:  # the storage has paused the search: the record has it all
            later = f"{typed('leaderboard')} {shlex.quote(str(launch.folder.path))}"
            say(f"What came out cannot be shown ({error}); {later} shows it later.")
    by_name = dict(zip([folder.name for folder in folders], runs, strict=True))
    return conclude(options, by_name, {launch.folder.name: launch.data.splits.digest for launch in launches}, say)


def shared_slots(launches: Sequence[Launch], records: Sequence[Record], slots: int) -> SharedSlots:
    """Return the driver's side of every study, with what is tried first and what is asked for meanwhile.

    A study that is alone is charged the time of the clock, one of several the time that it has held slots.
    """
    ledger, clocks = SlotLedger(slots), list[Callable[[], float]]([monotonic])
    if len(launches) > 1:
        clocks = [partial(ledger.seconds, place) for place in range(len(launches))]
    runs = [
        StudyRun(
            record,
            launch.space,
            slots,
            queue=launch.known.queue,
            portfolio=launch.known.portfolio,
            effective=effective,
            requests=RequestFolder(launch.folder.requests),
            clock=clock,
            shares=len(launches) > 1,
            patience=launch.options.storage_patience,
        )
        for launch, record, clock in zip(launches, records, clocks, strict=True)
    ]
    return SharedSlots(runs, ledger)


def run_studies(
    options: argparse.Namespace, launches: Sequence[Launch], shared: SharedSlots, share: Share, ids: Sequence[str]
) -> None:
    """Run the studies' climbs under Ray Tune, listened to and shown."""
    lines = {"event_lines": {"named": len(launches) > 1}} if options.json else {}
    with ExitStack() as stack:
        for launch, run in zip(launches, shared.runs, strict=True):
            stack.enter_context(listening(launch.folder, run, also={"ray_metrics": {}, **lines}))
        stack.enter_context(stopping_on_signals(shared, say, same_command(), options.patience))
        if options.address is None:  # those of a cluster are looked after by whoever began it
            stack.enter_context(servers_watched(partial(leave_without_ray, shared)))
        for launch, run, launch_id in zip(launches, shared.runs, ids, strict=True):
            folders = TrialFolders(launch.folder.path, METRICS[launch.space.metric])
            settings, setup = launch.space.search.model_dump(), launch.setup(share)
            run.start(settings, folders, launch=launch_id, setup=setup, voters=CONSIDERED)
        names = [launch.folder.name for launch in launches]
        stack.enter_context(progress_shown(console, dict(zip(names, shared.runs, strict=True))))
        common = [common_of(launch, share) for launch in launches]
        run_climbs(FoldTrainable, shared, common, launches[0].folder.ray)


def leave_without_ray(shared: SharedSlots, server: str) -> None:
    """End this process, for a server of Ray has died: no trial goes on without it."""
    leave_at_once(shared, say, f"Ray's {server} has died", same_command(), FAILED)


def common_of(launch: Launch, share: Share) -> dict[str, Any]:
    """Return what all climbs of a study are given."""
    space = launch.space
    return {
        "study": str(launch.folder.path),
        **vars(share),
        "compile": launch.options.compile,
        "cudnn_benchmark": launch.options.cudnn_benchmark,
        "set_title": set_title,
        "task": space.task,
        "recipe": {name: space.recipe()[name] for name in space.parameters},
    }


if __name__ == "__main__":
    sys.exit(main())
