"""Package the best finished trials as one voting ensemble.

    python export_best.py

Takes every study under results/, chooses voters on out-of-fold predictions, writes a bundle under
ensembles/, loads it again in a fresh process, checks that it votes as its trials did, and scores the
holdout once, for the report.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from analysis.comparison import as_numbers, compare, comparison_table
from analysis.console import console, say, say_error
from analysis.outcomes import holdout_outcome, metrics_of, out_of_fold_outcome
from plugins.loading import load_plugin
from storage.atomic import put_folder
from studies.manifest import EXPORT_SIZE
from voting.bundle.fresh_process import verify
from voting.bundle.manifest import free_name, open_bundle, seal
from voting.bundle.named_plugins import named_plugin
from voting.bundle.packing import pack
from voting.candidates import choose_studies, task_candidates
from voting.finished_trials import find_studies
from voting.members import choose


def main() -> int:
    """Run the command and return its exit code."""
    try:
        return export(parse_options())
    except (ValueError, OSError) as error:
        say_error(error)
        return 2


def export(options: argparse.Namespace) -> int:
    """Choose, pack, verify, score and put the bundle in place."""
    studies, notes = choose_studies(find_studies(Path(options.results), options.study))
    say(*notes)
    for plugin in options.plugin:
        load_plugin(named_plugin(plugin))
    chosen = [choose(one, options.size, options.vote, dict(options.vote_option)) for one in task_candidates(studies)]
    out = Path(options.out)
    name = free_name(out, options.name or "-".join(one.task for one in chosen))
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=out) as temporary:
        bundle = Path(temporary) / name
        manifest = pack(bundle, name, chosen, studies[0].splits_digest)
        with console.status("Loading the bundle in a fresh process and comparing its votes"):
            votes, difference = verify(bundle, chosen, Path(temporary))
        outcomes = {"out_of_fold": out_of_fold_outcome(chosen), "holdout": holdout_outcome(chosen, votes)}
        scores = {place: compare(outcome, metrics_of(chosen)) for place, outcome in outcomes.items()}
        seal(bundle, manifest.model_copy(update={"scores": {place: as_numbers(one) for place, one in scores.items()}}))
        open_bundle(bundle)
        put_folder(bundle, out / name)
    say(f"Verified in a fresh process: all members vote as recorded (largest difference {difference:.1e}).")
    say(*(one.spelled() for one in chosen))
    console.print(comparison_table(scores["out_of_fold"], scores["holdout"]))
    plugins = "".join(f" --plugin {out / name / spec.source}" for spec in manifest.plugins)
    say(f"Bundle: {out / name}", f"Next: python predict.py --bundle {out / name} --images DIR{plugins}")
    return 0


def key_and_value(text: str) -> tuple[str, str]:
    """Return the two sides of 'key=value', for argparse."""
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"must look like share=0.2 (got {text})")
    return key, value


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", help="folder of all studies (default: results)")
    parser.add_argument("--study", action="append", default=[], help="only this study; may be given again")
    parser.add_argument("--out", default="ensembles", help="folder of all bundles (default: ensembles)")
    parser.add_argument("--name", help="name of the bundle (default: its tasks)")
    size = f"most voters per task (default: {EXPORT_SIZE})"
    parser.add_argument("--size", type=int, choices=range(1, 51), default=EXPORT_SIZE, metavar="N", help=size)
    parser.add_argument("--vote", default="soft", metavar="RULE", help="how members vote (default: soft)")
    parser.add_argument(
        "--vote-option", type=key_and_value, action="append", default=[], metavar="KEY=VALUE", help="of the vote rule"
    )
    parser.add_argument("--plugin", action="append", default=[], help="a plugin, such as one with a vote rule")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
