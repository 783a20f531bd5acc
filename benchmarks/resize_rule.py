"""How closely our reader is followed by an exported graph, which gets a decoded picture: pixels, probabilities, classes, cost.

    python -m benchmarks.resize_rule --bundle ensembles/age --people 300

A graph decodes in full and resizes by ONNX `Resize` with antialiasing (cubic, a = -0.5, as in Pillow). A reader may decode a
JPEG at a reduced scale first: the smallest one that has so many times the size. Drawn portraits of persons that no trial saw,
in the competition's size of 384 x 512, and some of them enlarged to the size of a phone's photographs.
"""

import argparse
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from PIL import Image
from rich.console import Console
from rich.table import Table

from datasets.images import Pixels, read_image
from datasets.sources.competition import read_competition
from datasets.sources.sample_faces import sample_faces_root
from storage.rebuilt_folder import cache_root
from voting.bundle.manifest import open_bundle
from voting.predicting.runtime import Member, load_task
from voting.rules.vote import Rule

Reader = Callable[[Path, int], Pixels]
console = Console(width=120)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--enlarged", type=int, default=100, help="pictures of 3072 x 4096 (default: 100)")
    arguments = parser.parse_args()
    root = sample_faces_root(cache_root(), arguments.people, 7, "balanced", 1.0)
    paths = read_competition(root, ()).paths()
    with TemporaryDirectory() as folder:
        larger = enlarged(paths[:: max(1, len(paths) // arguments.enlarged)], Path(folder))
        for task in open_bundle(arguments.bundle).tasks:
            members = load_task(task, arguments.bundle)
            for pictures in (paths, larger):
                console.print(compared(pictures, members, task.rule))


def enlarged(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write pictures eight times as wide and high, and return where."""
    larger = [folder / f"{number}.jpg" for number in range(len(paths))]
    for source, target in zip(paths, larger, strict=True):
        with Image.open(source) as image:
            image.resize((image.width * 8, image.height * 8), Image.Resampling.BICUBIC).save(target, quality=92)
    return larger


def compared(paths: Sequence[Path], members: Sequence[Member], rule: Rule) -> Table:
    """Return how every reader differs from the graph on these pictures."""
    size = members[0].spec.config.image_size
    with Image.open(paths[0]) as first:
        title = f"{len(paths)} pictures of {first.width} x {first.height} at {size} pixels, against a graph with ONNX Resize"
    table = Table("reader", "levels of 255: mean", "largest", "probability", "same class", "ms a picture", title=title)
    graph, seconds = decoded(paths, size, Graph(size, "cubic"))
    expected = rule([member.fold_votes(graph).mean(axis=0) for member in members])
    table.add_row("the graph itself", "", "", "", "", f"{1000 * seconds / len(paths):.2f}")
    for name, reader in READERS.items():
        pixels, seconds = decoded(paths, size, reader)
        votes = rule([member.fold_votes(pixels).mean(axis=0) for member in members])
        levels = np.abs(graph.astype(np.int16) - pixels)
        same = (votes.argmax(axis=1) == expected.argmax(axis=1)).mean()
        table.add_row(
            name,
            f"{levels.mean():.3f}",
            str(levels.max()),
            f"{np.abs(votes - expected).max():.3f}",
            f"{same:.2%}",
            f"{1000 * seconds / len(paths):.2f}",
        )
    return table


def pillow(path: Path, size: int, times: int, filter_: Image.Resampling = Image.Resampling.BICUBIC) -> Pixels:
    """Return a picture decoded at no less than so many times the size (0: in full), resized by Pillow."""
    with Image.open(path) as image:
        if times:
            image.draft("RGB", (times * size, times * size))
        return np.asarray(image.convert("RGB").resize((size, size), filter_))


READERS: dict[str, Reader] = {
    "ours": read_image,
    "decoded at 2 times the size": lambda path, size: pillow(path, size, 2),
    "decoded at 4 times the size": lambda path, size: pillow(path, size, 4),
    "decoded in full": lambda path, size: pillow(path, size, 0),
    "decoded in full, bilinear": lambda path, size: pillow(path, size, 0, Image.Resampling.BILINEAR),
}


class Graph:
    """What an exported graph begins with: a decoded picture in, a square of float pixels out."""

    def __init__(self, size: int, mode: str) -> None:
        resize = onnx.helper.make_node(
            "Resize", ["picture", "", "", "sizes"], ["square"], mode=mode, antialias=1, cubic_coeff_a=-0.5
        )
        sizes = onnx.numpy_helper.from_array(np.array([1, 3, size, size], np.int64), "sizes")
        picture = onnx.helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, [1, 3, None, None])
        square = onnx.helper.make_tensor_value_info("square", onnx.TensorProto.FLOAT, [1, 3, size, size])
        graph = onnx.helper.make_graph([resize], "resize", [picture], [square], [sizes])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
        written = io.BytesIO()
        onnx.save_model(model, written)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(written.getvalue(), options)

    def __call__(self, path: Path, size: int) -> Pixels:
        picture = np.asarray(Image.open(path).convert("RGB"), np.float32).transpose(2, 0, 1)[None]
        (square,) = self._session.run(None, {"picture": picture})
        pixels: Pixels = np.clip(np.rint(square[0]), 0, 255).astype(np.uint8).transpose(1, 2, 0)
        return pixels


def decoded(paths: Sequence[Path], size: int, reader: Reader) -> tuple[npt.NDArray[np.uint8], float]:
    """Return all pictures and the seconds that reading them took, on one thread."""
    started = time.perf_counter()
    pixels = np.stack([reader(path, size) for path in paths])
    return pixels, time.perf_counter() - started


if __name__ == "__main__":
    main()
