"""Where a translation changes a picture, and the colours of the thing: ``coats.py TRANSLATOR PICTURES MASKS``.

MASKS holds a mask of each picture's thing under the picture's name, white inside. Means over all pictures with a mask:
the change in levels of 255 inside, outside, and in the outer 24 pixels, which are mostly background, and the CIELAB
chroma inside. ``--others PICTURES MASKS`` gives that chroma of real pictures of the other domain too.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from colours import lab

from cyclegan import Translator
from cyclegan.data.finding import find_images
from cyclegan.data.masks import masks_in
from cyclegan.data.pixels import as_signed
from cyclegan.evaluate.measure import Framing

FRAME = 24
COLUMNS = ("inside", "outside", "frame", "chroma")


def with_masks(folder: Path, masks: Path, size: int) -> list[tuple[torch.Tensor, np.ndarray]]:
    """Pictures, uint8 (3, size, size), and where their things are, bool (size, size); those with no thing, or nothing
    else, are left out."""
    framing, pictures = Framing(size), {file.stem: file for file in find_images(folder)}
    found = sorted(masks_in(masks, pictures).items())
    read = [framing.read(pictures[name], masks=of_it) for name, of_it in found]
    pairs = [(pixels[:3], pixels[3].numpy() > 127) for pixels in read]
    return [(picture, inside) for picture, inside in pairs if 0 < inside.mean() < 1]


def chroma(picture: torch.Tensor, inside: np.ndarray) -> float:
    """Mean CIELAB chroma of the inside of a uint8 (3, H, W) picture."""
    return float(np.hypot(*lab(as_signed(picture[None]))[0, inside, 1:].T).mean())


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
        result = translator(picture, size=options.work)
        change = (result.float() - picture.float()).abs().mean(0).numpy()
        rows.append([change[inside].mean(), change[~inside].mean(), change[frame].mean(), chroma(result, inside)])
    print(f"{len(rows)} pictures: " + ", ".join(f"{n} {v:.2f}" for n, v in zip(COLUMNS, np.mean(rows, 0), strict=True)))
    if options.others:
        others = [chroma(*pair) for pair in with_masks(*options.others, options.size)]
        print(f"{len(others)} real ones of the other domain: chroma {np.mean(others):.2f}")


if __name__ == "__main__":
    main()
