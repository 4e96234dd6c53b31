"""``make campaign``: attacks that the toolkit should survive, drawn from a seed; prints what came of them.

python tests/campaign [--kills 100] [--pictures 1000] [--hostile 100] [--seed 0]

Exit code 1 where anything was lost, hung or ended in anything but a sentence. Needs POSIX: attacked code runs in forks.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import torch  # noqa: E402

torch.set_num_threads(1)

from hostile import hostile_files  # noqa: E402
from interrupts import interrupts  # noqa: E402
from kills import kills  # noqa: E402
from mutated import mutated_pictures  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, count in (("kills", 100), ("interrupts", 20), ("pictures", 1000), ("hostile", 100), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=count)
    given = parser.parse_args()
    wrong = 0
    parts = [(mutated_pictures, given.pictures), (hostile_files, given.hostile)]
    parts += [(kills, given.kills), (interrupts, given.interrupts)]
    for part, count in parts:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            said, bad = part(count, given.seed) if count else ("left out", 0)
            os.chdir(HERE)
        print(f"{part.__name__}: {said}", flush=True)
        wrong += bad
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
