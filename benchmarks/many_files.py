"""Does translating a folder slow down, or take more memory, with the number of its files?

    python benchmarks/many_files.py [--counts 1000 10000 100000] [--seconds 300]

Tiny pictures (24 × 24) and the smallest generator, so that what is measured is all but the network: the list, decoding,
encoding, renaming. Every count is a process of its own, ``python -m cyclegan.translate``; one that takes longer than
--seconds is stopped as by Ctrl-C, and what it did until then counts. The results are in docs/benchmarks.md.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import save_weights


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=300, help="for each count")
    options = parser.parse_args()
    print("| files | until the first | translated | files/s, first half | files/s, second half | peak memory |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        run = weights(Path(work) / "run")
        for count in options.counts:
            pictures(Path(work) / f"in{count}", count)
            print(
                measured(run, Path(work) / f"in{count}", Path(work) / f"out{count}", count, options.seconds), flush=True
            )


def weights(folder: Path) -> Path:
    architecture = {"name": "mobile", "width": 4, "blocks": 1}
    header = {"architecture": architecture, "domains": ["a", "b"], "size": 32}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    save_weights(folder / "G_AB.safetensors", build_generator(architecture), header)
    return folder


def pictures(folder: Path, count: int) -> None:
    """So many files in folders of 1000, with one content."""
    encoded = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)).save(encoded, "PNG")
    for i in range(count):
        place = folder / f"{i // 1000:04d}"
        if i % 1000 == 0:
            place.mkdir(parents=True)
        (place / f"{i:07d}.png").write_bytes(encoded.getvalue())


def measured(run: Path, source: Path, out: Path, count: int, seconds: float) -> str:
    """A row of the table."""
    command = [sys.executable, "-m", "cyclegan.translate", str(run), str(source), "-o", str(out), "--device", "cpu"]
    begin = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "2"})
    stop = threading.Timer(seconds, process.send_signal, (signal.SIGINT,))
    stop.start()
    _, _, usage = os.wait4(process.pid, 0)
    stop.cancel()
    written = sorted(path.stat().st_mtime for path in out.rglob("*.png"))
    if not written:
        return f"| {count} | not within {seconds:.0f} s | 0 | | | |"
    middle = len(written) // 2
    halves = [(middle, written[0], written[middle]), (len(written) - middle, written[middle], written[-1])]
    first, second = (f"{number / max(end - start, 1e-9):.0f}" for number, start, end in halves)
    memory = f"{usage.ru_maxrss / 1024:.0f} MB"
    return f"| {count} | {written[0] - begin:.1f} s | {len(written)} | {first} | {second} | {memory} |"


if __name__ == "__main__":
    main()
