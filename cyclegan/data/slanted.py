"""The embedded data set `slanted`: the five faces of the 2 × 2 lesson, bright on one diagonal.

Source: Luis Serrano, "A Friendly Introduction to GANs" (github.com/luisguiserrano/gans). Brightness from 0 to 1, row by
row. The files hold 8 bits, so 0.9 and 0.1 are there to within half a level of 255.
"""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 2
FACES = ((1, 0, 0, 1), (0.9, 0.1, 0.2, 0.8), (0.9, 0.2, 0.1, 0.8), (0.8, 0.1, 0.2, 0.9), (0.8, 0.2, 0.1, 0.9))


def make_slanted(folder: Path) -> None:
    """Writes the faces into ``folder``, which must not exist: 2 × 2 PNG files, grey."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    for i, face in enumerate(FACES):
        levels = np.rint(255 * np.reshape(face, (SIDE, SIDE))).astype(np.uint8)
        Image.fromarray(levels).save(folder / f"{i}.png")
