"""Lay out a set of a package as a labelled data set, or say what every set holds.

python -m benchmarks.sets                  # images and classes of every set
python -m benchmarks.sets digits digits    # digits/labels.csv and its pictures
"""

import sys
from pathlib import Path

from benchmarks.sets.pictures import write_set
from benchmarks.sets.prepared import DRAWN, PACKAGED, prepared


def main() -> None:
    """Do as the arguments say."""
    if len(sys.argv) == 3 and sys.argv[1] in PACKAGED:
        print(f"{write_set(PACKAGED[sys.argv[1]][0](), Path(sys.argv[2]))} images -> {sys.argv[2]}/labels.csv")
    elif len(sys.argv) == 1:
        for name in (*DRAWN, *PACKAGED):
            data = prepared(name)
            print(f"{name}: {len(data.samples())} images, {len(data.holdout())} set aside, {len(data.classes)} classes")
    else:
        raise SystemExit(f"{__doc__}\nSets of packages: {', '.join(PACKAGED)}")


if __name__ == "__main__":
    main()
