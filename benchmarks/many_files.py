"""Does translating a folder slow down, or take more memory, with the number of its files? Linux only.

    python benchmarks/many_files.py [--count 100000] [--every 10000]

Tiny pictures (16 × 16) in folders of 1000, and the smallest generator, so that what is measured is all but the network:
the list, decoding, encoding, renaming. ``python -m cyclegan.translate`` runs twice, the second time to find all done.
Beside the time by the clock stands that of the processor, which other work on the machine changes less. The results are
in docs/benchmarks.md.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import save_weights

FOLDER = 1000  # files in each


class Spent(NamedTuple):
    """By a process so far."""

    seconds: float
    processor: float  # seconds
    memory: float  # megabytes: at this moment, and of a process that has ended at most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help=f"pictures, a multiple of {FOLDER}")
    parser.add_argument("--every", type=int, default=10_000, help="pictures in a row of the table, a multiple as well")
    options = parser.parse_args()
    marks = [0, *range(options.every, options.count + 1, options.every)]
    print("| pictures | seconds | of the processor | pictures/s | memory, MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        run, source, out = (Path(work) / part for part in ("run", "in", "out"))
        weights(run)
        pictures(source, options.count)
        before, start = 0, Spent(0, 0, 0)
        for number, spent in zip(marks, translating(run, source, out, marks), strict=True):
            what = f"{before + 1} … {number}" if number else "until the first"
            print(row(what, number - before, start, spent), flush=True)
            before, start = number, spent
        (again,) = translating(run, source, out, [options.count])
        print(row("all there already", options.count, Spent(0, 0, 0), again))


def row(what: str, count: int, start: Spent, end: Spent) -> str:
    seconds, processor = end.seconds - start.seconds, end.processor - start.processor
    return f"| {what} | {seconds:.1f} | {processor:.1f} | {count / seconds:.0f} | {end.memory:.0f} |"


def weights(folder: Path) -> None:
    architecture = {"name": "mobile", "width": 4, "blocks": 0}
    header = {"architecture": architecture, "domains": ["a", "b"], "size": 16}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    save_weights(folder / "G_AB.safetensors", build_generator(architecture), header)


def name(number: int) -> str:
    return f"{number // FOLDER:04d}/{number:07d}.png"


def pictures(folder: Path, count: int) -> None:
    """So many files, with one content."""
    encoded = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)).save(encoded, "PNG")
    for number in range(count):
        place = folder / name(number)
        if number % FOLDER == 0:
            place.parent.mkdir(parents=True)
        place.write_bytes(encoded.getvalue())


def translating(run: Path, source: Path, out: Path, marks: list[int]) -> Iterator[Spent]:
    """What it has spent when so many pictures are done, each of ``marks``, and for the last one at its end.

    Folders are done one after the other, in any order, so that of the next one shows that another is full.
    """
    command = [sys.executable, "-m", "cyclegan.translate", str(run), str(source), "-o", str(out), "--device", "cpu"]
    begun = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "2"})
    for number in marks[:-1]:
        while not out.exists() or len(os.listdir(out)) <= number // FOLDER:
            time.sleep(0.2)
        yield Spent(time.time() - begun, *of_process(process.pid))
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the translation failed")
    yield Spent(time.time() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def of_process(number: int) -> tuple[float, float]:
    """Seconds of the processor, and megabytes."""
    ticks = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11:13]
    memory = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{number}/status").read_text())
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), int(memory[1]) / 1024


if __name__ == "__main__":
    main()
