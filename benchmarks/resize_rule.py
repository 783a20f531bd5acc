"""How closely an exported graph that gets a decoded picture can follow our reader: pixels, probabilities, classes, cost.

    python -m benchmarks.resize_rule --bundle ensembles/age-gender-mask --people 300

Our reader decodes a JPEG at the smallest scale that has twice the size, and lets Pillow resize it. A graph decodes in full
and resizes by ONNX `Resize` with antialiasing (cubic, a = -0.5, as in Pillow). Drawn portraits of 384 x 512, the
competition's size, of persons that no trial saw.
"""

import argparse
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from PIL import Image
from rich.console import Console
from rich.table import Table

from datasets.competition import read_competition
from datasets.folders import cache_root
from datasets.images import Pixels, read_image
from datasets.sample_faces import sample_faces_root
from voting.bundle import open_bundle
from voting.rules import find_rule
from voting.runtime import load_task

Reader = Callable[[Path, int], Pixels]
console = Console(width=120)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--people", type=int, default=300)
    arguments = parser.parse_args()
    root = sample_faces_root(cache_root(), arguments.people, 7, "balanced", 1.0)
    paths = read_competition(root, ()).paths()
    for task in open_bundle(arguments.bundle).tasks:
        members = load_task(task, arguments.bundle)
        size = members[0].spec.image_size
        title = f"{task.task}: {len(paths)} pictures of 384 x 512 at {size} pixels, against our reader"
        columns = (
            "rule",
            "largest difference in levels of 255",
            "mean",
            "in probability",
            "same class",
            "ms a picture",
        )
        shown = Table(*columns, title=title, title_justify="left")
        ours, seconds = decoded(paths, size, read_image)
        votes = find_rule(task.vote)([member.fold_votes(ours).mean(axis=0) for member in members])
        shown.add_row("our reader", "", "", "", "", f"{1000 * seconds / len(paths):.2f}")
        for name, reader in readers(size).items():
            theirs, seconds = decoded(paths, size, reader)
            other = find_rule(task.vote)([member.fold_votes(theirs).mean(axis=0) for member in members])
            levels = np.abs(ours.astype(np.int16) - theirs)
            same = (votes.argmax(axis=1) == other.argmax(axis=1)).mean()
            shown.add_row(
                name,
                str(levels.max()),
                f"{levels.mean():.3f}",
                f"{np.abs(votes - other).max():.3f}",
                f"{same:.2%}",
                f"{1000 * seconds / len(paths):.2f}",
            )
        console.print(shown)


def readers(size: int) -> dict[str, Reader]:
    """Return other ways to read a picture."""
    cubic, linear = (Graph(size, mode) for mode in ("cubic", "linear"))
    return {
        "full decode, Pillow bicubic": lambda path, side: pillow(path, side, Image.Resampling.BICUBIC),
        "full decode, ONNX Resize cubic": lambda path, side: cubic(path),
        "full decode, ONNX Resize linear": lambda path, side: linear(path),
        "full decode, Pillow bilinear": lambda path, side: pillow(path, side, Image.Resampling.BILINEAR),
    }


def pillow(path: Path, size: int, filter_: Image.Resampling) -> Pixels:
    """Return a picture that was decoded in full and resized by Pillow."""
    return np.asarray(Image.open(path).convert("RGB").resize((size, size), filter_))


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

    def __call__(self, path: Path) -> Pixels:
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
