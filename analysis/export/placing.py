"""The last steps of an export: the model card, the seal, the place, and the archive."""

from collections.abc import Sequence
from pathlib import Path

from analysis.export.options import ExportOptions
from storage.atomic import put_folder
from voting.bundle.archive import SUFFIX, write_archive
from voting.bundle.manifest import open_bundle, seal
from voting.bundle.model_card import CARD, model_card
from voting.bundle.specs import BundleManifest
from voting.ensemble.members import Chosen


def put_bundle(options: ExportOptions, bundle: Path, manifest: BundleManifest, chosen: Sequence[Chosen]) -> None:
    """Finish a bundle in the making, check it once more, and move it to where bundles lie."""
    (bundle / CARD).write_text(model_card(manifest, chosen), encoding="utf-8")
    seal(bundle, manifest)
    open_bundle(bundle)
    place = options.out / manifest.name
    put_folder(bundle, place)
    if options.archive:
        write_archive(place, options.out / f"{manifest.name}{SUFFIX}")
