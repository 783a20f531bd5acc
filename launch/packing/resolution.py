"""Numbers in the place of `--trials-per-gpu auto` and `--cpus-per-trial auto`, measured before Ray starts."""

import argparse
import os
from collections.abc import Callable, Sequence

from launch.hardware import local_gpus
from launch.launch import Launch
from launch.options import AUTO
from launch.packing.choice import Row, picked, spell_rows
from launch.packing.probe import measured_rows


def asks_to_measure(options: argparse.Namespace) -> bool:
    """Tell whether an option leaves to a measurement how many trials share a device."""
    return AUTO in (options.trials_per_gpu, options.cpus_per_trial)


def with_numbers(
    options: argparse.Namespace, launches: Sequence[Launch], say: Callable[[str], None]
) -> argparse.Namespace:
    """Return the options with numbers for `auto`; waits for the preflights, which would be measured along.

    Raises:
        ValueError: the machines of a cluster cannot be measured from here, or nothing fits.
    """
    if not asks_to_measure(options):
        return options
    if options.address is not None:
        raise ValueError(
            "auto measures this machine, and --address joins others; run python -m benchmarks.packing on one of them and say the"
            " number"
        )
    gpus, cpus = local_gpus(), options.cpus_per_trial
    if gpus and options.trials_per_gpu != AUTO:  # a trial's share of the cores beside a GPU needs no measurement
        return replaced(options, cpus_per_trial=None)
    say("Measuring how many trials should share the device.")
    rows = corner_rows(launches, gpus)
    chosen = picked(rows)
    say(spell_rows(rows, chosen))
    if not gpus:
        return replaced(options, cpus_per_trial=chosen.cpus)
    return replaced(options, trials_per_gpu=chosen.trials, cpus_per_trial=None if cpus == AUTO else cpus)


def corner_rows(launches: Sequence[Launch], gpus: int) -> list[Row]:
    """Return what the corners of all spaces reach, measured once the preflights are over.

    Raises:
        PreflightError: a configuration cannot be trained here.
    """
    for launch in launches:
        launch.preflight.check()
    configurations = [config for launch in launches for config in launch.corners]
    plugins = [plugin.path for plugin in launches[0].plugins]  # all spaces of a launch have the same
    return measured_rows(configurations, len(os.sched_getaffinity(0)), gpus, plugins)


def replaced(options: argparse.Namespace, **numbers: int | None) -> argparse.Namespace:
    """Return options with others in the place of some."""
    return argparse.Namespace(**{**vars(options), **numbers})
