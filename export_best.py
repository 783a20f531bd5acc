"""Package the best finished trials as one voting ensemble.

    python export_best.py
    python export_best.py --study age --size 5 --archive

Takes every study under results/, chooses voters on out-of-fold predictions, writes a bundle under
ensembles/, loads it again in a fresh process, checks that it votes as its trials did, and says what it
promises on new persons.
"""
# PYTHON_ARGCOMPLETE_OK

import sys
import tempfile
from pathlib import Path

from analysis.export.options import ExportOptions, parse_options

if __name__ == "__main__":
    parse_options(__doc__)  # completion, help and typing mistakes are answered before imports that take seconds

from analysis.export.placing import put_bundle
from analysis.export.refitting import refit
from analysis.export.report import print_export
from analysis.export.scoring import scored
from command_line.console import console, say, say_error
from plugins.loading import load_plugin
from plugins.sources import named_plugin
from voting.bundle.fresh_process import verify
from voting.bundle.manifest import free_name
from voting.bundle.packing import pack
from voting.candidates.studies import find_studies
from voting.candidates.tasks import choose_studies, task_candidates
from voting.ensemble.choice import choose, tasks_of
from voting.rules.vote import Rule


def main() -> int:
    """Run the command and return its exit code."""
    try:
        return export(parse_options(__doc__))
    except (ValueError, OSError) as error:
        say_error(error)
        return 2


def export(options: ExportOptions) -> int:
    """Choose, pack, verify, promise and put the bundle in place."""
    found = find_studies(options.results, options.studies)
    studies, notes = choose_studies(found, named=bool(options.studies))
    say(*notes)
    for plugin in options.plugins:
        load_plugin(named_plugin(plugin))
    rule = Rule(options.vote, options.vote_options)
    candidates = task_candidates(studies)
    tasks = tasks_of(candidates, rule)
    chosen = choose(candidates, tasks, options.wanted, rule)
    name = free_name(options.out, options.name or "-".join(one.task for one in chosen))
    if options.refit:
        return refit(options, chosen, name, studies[0].splits_digest)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=options.out) as temporary:
        bundle = Path(temporary) / name
        manifest = pack(bundle, name, chosen, studies[0].splits_digest)
        with console.status("Loading the bundle in a fresh process and comparing its votes"):
            votes, difference = verify(bundle, chosen, Path(temporary))
        with console.status("Making the whole choice again on persons drawn anew"):
            results = scored(tasks, chosen, options.wanted, votes)
        manifest = results.written_into(manifest)
        put_bundle(options, bundle, manifest, chosen)
    print_export(options, name, manifest, chosen, results, difference)
    return 0


if __name__ == "__main__":
    sys.exit(main())
