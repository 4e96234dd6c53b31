"""What mixing styles changes: ``mixing.py stylegan_emoji [-n 500] [--at 2 3 4]``.

Of pairs of pictures, one takes the other's fine styles, or its coarse ones. Each mixture is held against the picture
it came from: how far the colours moved, and how far the shapes did. The control, another picture altogether, is what
taking all of its styles would change. Backgrounds must be light, as they are behind emoji.
"""

import argparse

import numpy as np
import torch

from cyclegan.sample.generator import Generator
from cyclegan.sample.mixing import COARSE

BACKGROUND = 230  # levels: a pixel with all channels above is none of the silhouette
EDGE = 60  # levels between neighbours that make an edge
BINS = 6  # of the histogram, for each channel


def silhouette(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) → bool (H, W): what is not background."""
    return picture.min(-1) < BACKGROUND


def edges(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) → bool (H - 1, W - 1): where luminance changes by more than ``EDGE`` to the right or below."""
    grey = picture.astype(float) @ (0.299, 0.587, 0.114)
    return np.maximum(abs(np.diff(grey, axis=0))[:, 1:], abs(np.diff(grey, axis=1))[1:]) > EDGE


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks; 1 where both are empty."""
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 1.0


def colour_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Half the L1 distance of the colour histograms within the silhouettes: 0 equal, 1 no colour in common."""
    shares = []
    for picture in (one, other):
        inside = picture[silhouette(picture)]
        counts, _ = np.histogramdd(inside, BINS, [(0, 256)] * 3)
        shares.append(counts / max(1, counts.sum()))
    return float(abs(shares[0] - shares[1]).sum() / 2)


def changes(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """How far colours, silhouette and edges moved, each from 0 (not at all) to 1."""
    return (
        colour_distance(before, after),
        1 - overlap(silhouette(before), silhouette(after)),
        1 - overlap(edges(before), edges(after)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="a StyleGAN: a card's name, a run folder or a weights file")
    parser.add_argument("-n", "--pairs", type=int, default=500)
    parser.add_argument("--at", type=int, nargs="+", default=[COARSE], help="layers at which the style changes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truncation", type=float, default=1.0)
    options = parser.parse_args()
    generator = Generator.from_pretrained(options.name, "cpu")
    a, b = generator.latents(2 * options.pairs, options.seed, options.truncation).chunk(2)
    before = [np.asarray(picture.convert("RGB")) for picture in generator.images(a)]

    def measured(what: str, pictures: list) -> np.ndarray:
        moved = [changes(x, np.asarray(y.convert("RGB"))) for x, y in zip(before, pictures, strict=True)]
        mean, error = np.mean(moved, 0), np.std(moved, 0) / np.sqrt(len(moved))
        figures = "   ".join(f"{m:.3f} ± {e:.3f}" for m, e in zip(mean, error, strict=True))
        print(f"{what:28}{figures}")
        return mean

    print(f"{options.pairs} pairs, seed {options.seed}: mean change ± its standard error")
    print(f"{'another one’s':28}colours         silhouette      edges")
    all_styles = measured("styles, all (the control)", generator.images(b))
    with torch.inference_mode():
        for at in options.at:
            fine = measured(f"styles from layer {at} on", generator.mix(a, b, at)) / all_styles
            coarse = measured(f"styles before layer {at}", generator.mix(b, a, at)) / all_styles
            for kind, shares in (("fine", fine), ("coarse", coarse)):
                said = "{:.0%} of the control's colours, {:.0%} of its silhouette, {:.0%} of its edges"
                print(f"  {kind}: {said.format(*shares)}")


if __name__ == "__main__":
    main()
