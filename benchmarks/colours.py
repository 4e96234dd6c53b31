"""Whether colours vary and obey: ``colours.py TRANSLATOR [--data sketch2emoji] [--size 64] [--reverse]``.

Without a network that judges: the entropy of hues of filled pixels and the share of yellow among them, against the real
test pictures; the mean distance in Lab between five palettes of one drawing; and obedience, the share of drawings whose
colours are nearer to the palette that was asked for than to any of the other four. ``--pictures`` writes a sheet.
Beside them the colourfulness of Hasler & Süsstrunk 2003.
"""

import argparse
import random
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import torch

from cyclegan import Translator
from cyclegan.data.contact_sheet import sheet
from cyclegan.data.datasets import locate
from cyclegan.data.finding import find_images
from cyclegan.data.pixels import read_square, to_levels, to_picture, to_signed
from cyclegan.networks.palette import palette_distance, palette_of

FIVE = 5
BINS = 36
YELLOW = (35, 65)  # degrees: gold, amber and yellow
NAMES = ("red", "orange", "green", "deepskyblue", "mediumpurple")


def lab(pictures: torch.Tensor) -> np.ndarray:
    """(N, 3, H, W) in [-1, 1] → CIELAB (N, H, W, 3)."""
    unit = to_levels(pictures).permute(0, 2, 3, 1).numpy().astype(np.float32) / 255
    return np.stack([cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB) for picture in unit])


def hues(pictures: torch.Tensor) -> np.ndarray:
    """The hues in degrees of all filled pixels: chroma above 15, neither black nor white."""
    unit = to_levels(pictures).permute(0, 2, 3, 1).numpy().astype(np.float32) / 255
    found = []
    for picture, colours in zip(unit, lab(pictures), strict=True):
        filled = (np.hypot(colours[..., 1], colours[..., 2]) > 15) & (np.abs(colours[..., 0] - 55) < 43)
        found.append(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2HSV)[..., 0][filled])
    return np.concatenate(found)


def spectrum(pictures: torch.Tensor) -> tuple[float, float, float]:
    """Entropy of hues in bits (of log2(36) = 5.17 at most), share of yellow, and share of pixels that are filled."""
    found = hues(pictures)
    shares = np.histogram(found, BINS, (0, 360))[0] / max(1, len(found))
    entropy = -sum(share * np.log2(share) for share in shares if share)
    yellow = ((found >= YELLOW[0]) & (found <= YELLOW[1])).mean() if len(found) else 0.0
    return float(entropy), float(yellow), len(found) / (len(pictures) * pictures[0, 0].numel())


def colourfulness(pictures: torch.Tensor) -> float:
    """M³ of Hasler & Süsstrunk 2003, section 6, the mean of the pictures: 0 for grey, 109 for extremely colourful."""
    red, green, blue = to_levels(pictures).float().unbind(1)
    opponents = torch.stack([red - green, 0.5 * (red + green) - blue]).flatten(2)
    return (opponents.std(2).norm(dim=0) + 0.3 * opponents.mean(2).norm(dim=0)).mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("translator")
    parser.add_argument("--data", default="sketch2emoji")
    parser.add_argument("--size", type=int)
    parser.add_argument("--count", type=int, default=60, help="test pictures, drawn with a fixed seed")
    parser.add_argument("--reverse", action="store_true")
    parser.add_argument("--pictures", type=Path, help="write a sheet: six drawings in five named colours")
    options = parser.parse_args()
    translator = Translator.from_pretrained(options.translator, options.reverse, "cpu")
    size, data = options.size or translator.size, locate(options.data)
    folders = (data.test_A, data.test_B)[:: -1 if options.reverse else 1]
    inputs, real = (read(folder, options.count, size) for folder in folders)
    report("real", real)
    if translator.palettes is None:
        made = torch.cat([translator.run(picture) for picture in inputs.split(1)])
        return report("made", made)
    made = torch.cat([translator.run(picture, i) for i, picture in enumerate(inputs.split(1))])
    report("made", made)
    measure_five(translator, inputs)
    if options.pictures:
        rows = [[p[0], *(translator.run(p, name)[0] for name in NAMES)] for p in inputs[:6].split(1)]
        sheet({", ".join(NAMES): [[to_picture(image) for image in row] for row in rows]}).save(options.pictures)


def read(folder: Path, count: int, size: int) -> torch.Tensor:
    files = find_images(folder)
    chosen = random.Random(0).sample(files, min(count, len(files)))
    return to_signed(torch.stack([read_square(path, size) for path in chosen]))


def report(name: str, pictures: torch.Tensor) -> None:
    entropy, yellow, filled = spectrum(pictures)
    print(f"{name}: entropy of hues {entropy:.2f} bits, yellow {100 * yellow:.1f} %, filled {100 * filled:.1f} %, "
          f"colourfulness {colourfulness(pictures):.1f}")  # fmt: skip


def measure_five(translator: Translator, inputs: torch.Tensor) -> None:
    """How far apart five palettes of one drawing are, and how often the right one is recognised."""
    palettes = translator.palettes[:FIVE]
    five = torch.stack([torch.cat([translator.run(p, i) for p in inputs.split(1)]) for i in range(FIVE)])
    space = [lab(pictures) for pictures in five]
    apart = np.mean([np.linalg.norm(a - b, axis=-1).mean() for a, b in combinations(space, 2)])
    print(f"five palettes of one drawing: {apart:.1f} apart in Lab, as a mean over all pixels, paper too")
    right, wrong = 0.0, []
    for i, pictures in enumerate(five):
        found = palette_of(pictures)
        distances = torch.stack([palette_distance(found, p.expand_as(found)) for p in palettes])
        right += (distances.argmin(0) == i).float().mean().item() / FIVE
        wrong.append(distances[i].mean().item())
    print(f"obedience: {100 * right:.0f} % nearest to the palette asked for (by chance {100 / FIVE:.0f} %), "
          f"{100 * np.mean(wrong):.0f} % of the colour elsewhere")  # fmt: skip


if __name__ == "__main__":
    main()
