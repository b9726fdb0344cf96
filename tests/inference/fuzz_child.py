"""Loads damaged copies of a model file, one after the other.

`python -m tests.inference.fuzz_child FILE HEADER_BYTES COUNT` prints the outcome of each copy on a
line. The changed bytes are random, and the same in every run.
"""

import random
import sys
from pathlib import Path

from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.open_model import open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.load_errors import LoadError


def main() -> None:
    """Run with the arguments of the command line."""
    path, header_bytes, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sound = path.read_bytes()
    for seed in range(count):
        chance = random.Random(seed)
        damaged = bytearray(sound)
        for _ in range(chance.choice([1, 1, 2, 5, 30])):
            damaged[chance.randrange(4, header_bytes)] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            open_model(path, LoadOptions(512, threads=1), AbortFlag()).close()
        except LoadError as problem:
            print(problem.code, flush=True)
        else:
            print("loaded", flush=True)


if __name__ == "__main__":
    main()
