"""How long the decoded-image cache takes to build, and that its memory does not grow with the number of images.

    python -m benchmarks.cache_build --images 18900 --json rows.json

Drawn photographs of 384 x 512, as JPEG; a smaller set is drawn and listed again and again, every listing decoded
for itself. The other side decodes in full, as torchvision's ImageFolder with a Resize does, on as many threads.
"""

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.reporting import Row, in_new_process, peak_mebibytes, report
from datasets.decoded.cache import build_cache
from datasets.options import SampleFaces
from datasets.sources.opening import open_source


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=18_900)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 224])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    drawn = open_source(SampleFaces(source="sample_faces", people=150, scale=1.0)).paths()
    rows = []
    for size in arguments.sizes:
        in_full = statistics.median(
            in_new_process(decoding_in_full, drawn, size, os.cpu_count() or 1) for _ in range(arguments.repeats)
        )
        for count in (arguments.images // 9, arguments.images):
            paths = list(islice(cycle(drawn), count))
            built = [in_new_process(building, paths, size) for _ in range(arguments.repeats)]
            rows.append(row(size, count, built, in_full))
    report("Building the cache of decoded images", rows, arguments.json)


def row(size: int, count: int, built: list[tuple[float, float]], in_full: float) -> Row:
    """Return what several builds took, against the speed of decoding in full."""
    seconds = statistics.median(seconds for seconds, _ in built)
    return {
        "image_size": size,
        "images": count,
        "seconds": round(seconds, 2),
        "images_per_second": round(count / seconds),
        "in_full_per_second": round(in_full),
        "times_in_full": round(count / seconds / in_full, 2),
        "peak_mib": round(max(peak for _, peak in built)),
    }


def building(paths: list[Path], size: int) -> tuple[float, float]:
    """Return the seconds that a build takes, reading and hashing included, and the peak memory in MiB."""
    with tempfile.TemporaryDirectory() as root:
        started = time.perf_counter()
        build_cache(paths, size, Path(root))
        return time.perf_counter() - started, peak_mebibytes()


def decoding_in_full(paths: list[Path], size: int, threads: int) -> float:
    """Return the images per second of plain decoding and resizing."""
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(partial(_in_full, size=size), paths))
        return len(paths) / (time.perf_counter() - started)


def _in_full(path: Path, size: int) -> int:
    with Image.open(path) as image:
        return int(np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)).nbytes)


if __name__ == "__main__":
    main()
