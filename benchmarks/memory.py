"""The peak memory and the processor time of one large picture, from its file to a Pillow image. Linux only.

    python benchmarks/memory.py NAME [--width 6000] [--height 4000] [--picture FILE] [--until 1.0]

The whole process is measured, PyTorch included. Without a file it makes a JPEG of smooth noise: neither memory nor time
depend on what a picture shows. ``--until 0.27`` ends at that share of the work: by then ``horse2zebra`` has had both
kinds of its blocks, which keep the most. The results are in docs/translate.md.
"""

import argparse
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from cyclegan import Translator


class Enough(Exception):
    """The share of the work that was asked for is done."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("translator")
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--height", type=int, default=4000)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--until", type=float, default=1.0)
    options = parser.parse_args()
    translator = Translator.from_pretrained(options.translator, device="cpu")
    translator(Image.new("RGB", (64, 64)))
    with tempfile.TemporaryDirectory() as folder:
        file = options.picture or made_up(Path(folder) / "picture.jpg", (options.width, options.height))
        before, begun, shown = gigabytes("VmHWM"), time.process_time(), 0

        def watch(share: float) -> None:
            nonlocal shown
            if share >= shown / 10:
                shown += 1
                print(f"{share:4.0%}  now {gigabytes('VmRSS'):.2f} GB, peak {gigabytes('VmHWM'):.2f} GB", flush=True)
            if share >= options.until < 1:
                raise Enough

        with suppress(Enough):
            translator(file, watch=watch)
    took = time.process_time() - begun
    print(f"{options.until:.0%} of the work: {took:.0f} s of the processor; {before:.2f} GB before it, peak "
          f"{gigabytes('VmHWM'):.2f} GB")  # fmt: skip


def made_up(path: Path, size: tuple[int, int]) -> Path:
    """A JPEG of smooth noise; returns its path."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(path, quality=92)
    return path


def gigabytes(what: str) -> float:
    """The kernel's own count for this process."""
    return int(re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e6


if __name__ == "__main__":
    main()
