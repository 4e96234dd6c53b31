"""How much of a picture's structure a translation keeps: ``structure.py TRANSLATOR PICTURES [--size 256]``.

Of the edges that Canny (OpenCV) finds in a picture, the share that has an edge within ``--near`` pixels in its
translation, and, for scale, in another picture of the folder: there the two meet by chance. Means over all pictures.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cyclegan import Translator
from cyclegan.data.finding import find_images


def edges(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) → bool (H, W)."""
    return cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 100, 200) > 0


def recalled(true: np.ndarray, found: np.ndarray, near: int) -> float:
    """The share of the edges ``true`` with one of ``found`` at most ``near`` pixels away."""
    around = cv2.dilate(found.astype(np.uint8), np.ones((2 * near + 1, 2 * near + 1), np.uint8)) > 0
    return float((true & around).sum() / max(true.sum(), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("translator")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--size", type=int, default=256, help="pixels, to which every picture is stretched")
    parser.add_argument("--near", type=int, default=1, help="pixels that an edge may move")
    parser.add_argument("--reverse", action="store_true")
    options = parser.parse_args()
    translator = Translator.from_pretrained(options.translator, options.reverse)
    pictures = []
    for file in find_images(options.pictures):
        with Image.open(file) as image:
            pictures.append(image.convert("RGB").resize((options.size, options.size), Image.Resampling.BICUBIC))
    true = [edges(np.asarray(picture)) for picture in pictures]
    made = [edges(np.asarray(translator(picture).convert("RGB"))) for picture in pictures]
    rows = {"its translation": made, "another picture": true[1:] + true[:1]}
    for name, found in rows.items():
        shares = [recalled(t, f, options.near) for t, f in zip(true, found, strict=True)]
        print(f"{name}: {np.mean(shares):.1%} of the edges recalled")


if __name__ == "__main__":
    main()
