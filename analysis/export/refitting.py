"""The export of models that were trained again on everybody."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from analysis.export.options import ExportOptions
from analysis.export.placing import put_bundle
from analysis.export.report import print_use
from command_line.console import console, say
from trainables.training.devices import Resources
from voting.bundle.packing import pack
from voting.bundle.refit import pack_refitted, unscored
from voting.bundle.specs import BundleManifest
from voting.ensemble.members import Chosen


def refit(options: ExportOptions, chosen: Sequence[Chosen], name: str, splits_digest: str) -> int:
    """Train who was chosen on all persons, holdout too, pack that, and say that it is unscored."""
    resources = Resources(cpus=torch.get_num_threads(), gpus=float(torch.cuda.is_available()))
    members = sum(len(one.members) for one in chosen)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=options.out) as temporary:
        bundle = Path(temporary) / name
        with console.status(f"Training {members} models on all persons, holdout too"):
            packed = pack(bundle, name, chosen, splits_digest, partial(pack_refitted, resources=resources))
        manifest = unscored(packed)
        put_bundle(options, bundle, manifest, chosen)
    print_refit(options, name, manifest, chosen)
    return 0


def print_refit(options: ExportOptions, name: str, manifest: BundleManifest, chosen: Sequence[Chosen]) -> None:
    """Print that nothing is promised, who votes, and how to use it."""
    say(
        "Unscored: every person was learned from, so nothing can be promised. An export without --refit says what",
        style="bold",
    )
    say("the same choice scores with models that leave a fold out.", style="bold")
    say(f"Each of the {sum(len(one.members) for one in chosen)} members has one model, of everybody.")
    say(*(one.spelled() for one in chosen))
    print_use(options, name, manifest)
