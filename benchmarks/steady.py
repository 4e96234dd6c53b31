"""How much a translated clip flickers: frame by frame, and with --steady.

    python benchmarks/steady.py horse2zebra PICTURE...        a window pans over each picture, 4 pixels a frame
    python benchmarks/steady.py horse2zebra clip.mp4          a clip as it is

Prints, in levels of 255: the mean change from frame to frame of the output minus that of the input; and for pans the
change of what is the same thing in both frames, which is nothing in the input, pixel by pixel and of squares of 16 × 16
pixels, whose texture averages out: that is how colours pump. The window moves by what the network's strides divide, so
that these do not flicker by themselves.
"""

import argparse
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
from machine import describe
from PIL import Image

from cyclegan import Translator
from cyclegan.translate.steady import Steady

RATE = 25.0
STEP = 4
BLOCK = 16


def pan(picture: Image.Image, window: int, frames: int) -> list[np.ndarray]:
    """Frames of a window that moves over a picture from left to right."""
    way = STEP * (frames - 1)
    scale = max(window / picture.height, (window + way) / picture.width)
    whole = np.array(picture.convert("RGB").resize((round(picture.width * scale), round(picture.height * scale))))
    top = (whole.shape[0] - window) // 2
    return [whole[top : top + window, x : x + window] for x in range(0, way + 1, STEP)]


def clip(path: Path, frames: int) -> list[np.ndarray]:
    """The first frames of a video."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), frames)]


def changes(frames: list[np.ndarray]) -> float:
    """The mean difference of neighbours, in levels."""
    return float(np.mean([np.abs(b.astype(int) - a).mean() for a, b in pairwise(frames)]))


def of_same_things(frames: list[np.ndarray]) -> tuple[float, float]:
    """The same, of what both frames of a pan show: of pixels and of squares."""
    pixels, squares = [], []
    for a, b in pairwise(frames):
        difference = b[:, :-STEP].astype(float) - a[:, STEP:]
        pixels.append(np.abs(difference).mean())
        rows, columns = (side // BLOCK for side in difference.shape[:2])
        blocks = difference[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, -1)
        squares.append(np.abs(blocks.mean((1, 3))).mean())
    return float(np.mean(pixels)), float(np.mean(squares))


def steadily(translator: Translator, frames: list[np.ndarray]) -> list[np.ndarray]:
    """The frames as ``--steady`` translates them."""
    steady = Steady(translator)
    for i, frame in enumerate(frames):
        steady.observe(frame, i / RATE)
    return [steady(frame, i / RATE) for i, frame in enumerate(frames)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--reverse", action="store_true")
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--frames", type=int, default=75)
    o = parser.parse_args()
    translator = Translator.from_pretrained(o.name, o.reverse, "cpu")
    if translator.palettes is not None:
        translator = translator.with_palette(0)
    print(f"{o.name}, {' → '.join(translator.domains)}; {describe()}\n")
    print("| clip | way | output - input | same pixels | same squares |\n|---|---|---|---|---|")
    for path in o.pictures:
        panned = path.suffix != ".mp4"
        frames = pan(Image.open(path), o.window, o.frames) if panned else clip(path, o.frames)
        made = {"frame by frame": map(translator, frames), "--steady": steadily(translator, frames)}
        for way, results in made.items():
            found = list(results)
            same = " | ".join(f"{value:.2f}" for value in of_same_things(found)) if panned else "– | –"
            print(f"| {path.stem} | {way} | {changes(found) - changes(frames):+.2f} | {same} |", flush=True)


if __name__ == "__main__":
    main()
