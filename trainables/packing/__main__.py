"""Measure how many trials should share a device: one line of JSON for every configuration and division.

    python -m trainables.packing '{"backbone": "tf_efficientnet_lite0"}' --cores 2

Runs in a process of its own, before a search that asks for `auto`.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from plugins.loading import load_plugin
from plugins.sources import plugin_at
from trainables.config import configured
from trainables.packing.measuring import divisions, packed


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configurations", nargs="+", help="as JSON")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--gpus", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--plugins", type=Path, nargs="*", default=[], help="sources of plugins")
    arguments = parser.parse_args()
    for path in arguments.plugins:
        load_plugin(plugin_at(path))
    for number, text in enumerate(arguments.configurations):
        config = configured(json.loads(text))
        for division in divisions(arguments.cores, arguments.gpus):
            found = packed(config, division, arguments.seconds, arguments.plugins)
            print(json.dumps({"corner": number, **asdict(found)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
