"""What an export prints: the promise first."""

from collections.abc import Sequence
from shlex import quote

from analysis.export.comparison import ahead_table, comparison_table
from analysis.export.methods import calibration_lines, methods_table
from analysis.export.options import ExportOptions
from analysis.export.promises import curse, evidence_table, promise_lines
from analysis.export.scoring import ExportScores
from command_line.commands import typed
from command_line.console import console, say
from voting.bundle.archive import SUFFIX
from voting.bundle.model_card import CARD
from voting.bundle.specs import BundleManifest
from voting.ensemble.members import Chosen
from voting.promise.limits import promise_limits


def print_export(
    options: ExportOptions,
    name: str,
    manifest: BundleManifest,
    chosen: Sequence[Chosen],
    results: ExportScores,
    difference: float,
) -> None:
    """Print what a bundle promises, what that is made of, who votes, and how to use it."""
    say(*promise_lines(results.promises), style="bold")
    console.print(evidence_table(results.estimates, results.metrics))
    say(*curse(results.estimates, chosen), *promise_limits(chosen))
    console.print(methods_table(chosen))
    say(*(one.spelled() for one in chosen), *calibration_lines(chosen))
    console.print(comparison_table(results.out_of_fold, results.holdout))
    console.print(ahead_table(results.out_of_fold, results.holdout))
    say(f"Verified in a fresh process: all members vote as recorded (largest difference {difference:.1e}).")
    print_use(options, name, manifest)


def print_use(options: ExportOptions, name: str, manifest: BundleManifest) -> None:
    """Print where a bundle lies and the command that votes with it."""
    place = options.out / name
    plugins = "".join(f" --plugin {quote(str(place / spec.source))}" for spec in manifest.plugins)
    archive = f"; as one file: {place}{SUFFIX}" if options.archive else ""
    say(f"Bundle: {place} ({CARD} is its model card){archive}")
    say(f"Next: {typed('predict')} --bundle {quote(str(place))} --images DIR{plugins}")
