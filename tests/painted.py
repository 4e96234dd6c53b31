"""Small pictures made by the tests, and where real ones lie."""

from pathlib import Path

import numpy as np
from PIL import Image

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


def paint(folder: Path, count: int, color, size: int = 40, seed: int = 0) -> Path:
    """``count`` pictures of one square of ``color`` each on grey, at random places."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(seed)
    for i in range(count):
        picture = np.full((size, size, 3), 128, np.uint8)
        y, x = draw.integers(0, size // 2, 2)
        picture[y : y + size // 2, x : x + size // 2] = color
        Image.fromarray(picture).save(folder / f"{i:03d}.png")
    return folder
