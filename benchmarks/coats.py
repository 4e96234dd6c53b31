"""Where a translation changes a picture, and the colours of the thing: ``coats.py TRANSLATOR PICTURES MASKS``.

MASKS holds a mask of each picture's thing under the picture's name, white inside. Means over all pictures with a mask:
the change in levels of 255 inside, outside, and in the outer 24 pixels, which are mostly background, and the CIELAB
chroma inside. ``--others PICTURES MASKS`` gives that chroma of real pictures of the other domain too.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cyclegan import Translator
from cyclegan.data.finding import find_images

FRAME = 24
COLUMNS = ("inside", "outside", "frame", "chroma")


def read(file: Path, size: int) -> np.ndarray:
    """RGB, uint8 (size, size, 3)."""
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))


def with_masks(pictures: Path, masks: Path, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures, uint8 (size, size, 3), and where their things are, bool (size, size); those with no thing, or nothing
    else, are left out."""
    found = {file.stem: file for file in find_images(masks)}
    pairs = [(read(f, size), read(found[f.stem], size)[..., 0] > 127) for f in find_images(pictures) if f.stem in found]
    return [(picture, inside) for picture, inside in pairs if 0 < inside.mean() < 1]


def chroma(picture: np.ndarray, inside: np.ndarray) -> float:
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.hypot(lab[..., 1], lab[..., 2])[inside].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("translator")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--others", type=Path, nargs=2, metavar=("PICTURES", "MASKS"))
    parser.add_argument("--size", type=int, default=256, help="pixels, to which every picture is stretched")
    parser.add_argument("--work", type=int, help="pixels that the network works on; default: all")
    parser.add_argument("--reverse", action="store_true")
    options = parser.parse_args()
    translator = Translator.from_pretrained(options.translator, options.reverse)
    frame = np.ones((options.size, options.size), bool)
    frame[FRAME:-FRAME, FRAME:-FRAME] = False
    rows = []
    for picture, inside in with_masks(options.pictures, options.masks, options.size):
        result = np.asarray(translator(Image.fromarray(picture), size=options.work))
        change = np.abs(result.astype(int) - picture).mean(2)
        rows.append([change[inside].mean(), change[~inside].mean(), change[frame].mean(), chroma(result, inside)])
    print(f"{len(rows)} pictures: " + ", ".join(f"{n} {v:.2f}" for n, v in zip(COLUMNS, np.mean(rows, 0), strict=True)))
    if options.others:
        others = [chroma(*pair) for pair in with_masks(*options.others, options.size)]
        print(f"{len(others)} real ones of the other domain: chroma {np.mean(others):.2f}")


if __name__ == "__main__":
    main()
