"""How good are solids? From one picture, and from noise, beside controls; for --model gan3d.

    python benchmarks/chairs.py gan3d_chairs --data PATH/TO/voxel_chairs

From a picture: the mean IoU (cells in both / cells in either) with the true solid over the held-out chairs, each seen
from one of four cameras, which are the same for all chairs. Controls: the mean training chair, at the threshold that
suits the training chairs best; the training chair whose picture from that camera is nearest; and, as a ceiling for
copying, the training chair that is nearest to the true solid itself.

From noise: as many samples as there are held-out chairs. Share of full cells in the largest part (26 neighbours);
coverage, the share of held-out chairs that are some sample's nearest; minimum matching distance, the mean distance
(1 - IoU) of a held-out chair to its nearest sample (Achlioptas et al. 2018, arXiv:1707.02392, section 4). Controls:
other real chairs (of the training part), and the mean chair over and over. Needs: pip install scipy.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import label

from cyclegan.data.config import VoxelsConfig
from cyclegan.data.contact_sheet import grid
from cyclegan.data.formats import save_picture
from cyclegan.data.pixels import to_signed
from cyclegan.data.render import render
from cyclegan.data.voxels import open_solids
from cyclegan.networks.library import find_encoder
from cyclegan.networks.weights import load_weights
from cyclegan.sample.generator import Generator
from cyclegan.sample.solid import LOOK

CAMERAS = ((-60.0, 25.0), (-20.0, 15.0), (20.0, 25.0), (60.0, 15.0))  # azimuth, elevation in degrees


def ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """bool (N, …), bool (M, …) → IoU (N, M); 0 where both are empty."""
    a, b = (x.reshape(len(x), -1).astype(np.float32) for x in (a, b))
    both = a @ b.T
    return both / np.maximum(a.sum(1)[:, None] + b.sum(1)[None] - both, 1)


def mean_solid(train: np.ndarray) -> np.ndarray:
    """The cells (X, Y, Z) that at least a share of the training solids fill, at the share with the best mean IoU."""
    share = train.mean(0)
    candidates = np.stack([share > level for level in np.arange(0.05, 0.6, 0.05)])
    return candidates[ious(candidates, train).mean(1).argmax()]


def from_pictures(
    generator: Generator, name: str, train: np.ndarray, test: np.ndarray
) -> tuple[dict[str, float], list[Image.Image]]:
    """Mean IoU of the solids from pictures and of the three controls; and eight examples, evenly chosen.

    An example is a picture, the solid made of it and the true one, as three pictures.
    """
    encoder, header = load_weights(find_encoder(name))
    view = header["inputs"][-1]
    cameras = np.arange(len(test)) % len(CAMERAS)
    pictures = np.stack([render(solid, view, *CAMERAS[c]) for solid, c in zip(test, cameras, strict=True)])
    with torch.inference_mode():
        mean, _ = encoder(to_signed(torch.from_numpy(pictures)[:, None]))
    made = generator.run(mean)[:, 0].numpy() > 0
    nearest = np.zeros(len(test), int)
    for c, camera in enumerate(CAMERAS):
        shown = np.stack([render(solid, view, *camera) for solid in train]).reshape(len(train), -1).astype(np.float32)
        for i in np.flatnonzero(cameras == c):
            nearest[i] = np.square(shown - pictures[i].ravel()).sum(1).argmin()
    with_train = ious(test, train)
    own = np.arange(len(test))
    examples = [
        Image.fromarray(shown)
        for i in np.arange(8) * len(test) // 8
        for shown in (render(test[i], LOOK, *CAMERAS[cameras[i]]), render(made[i], LOOK), render(test[i], LOOK))
    ]
    figures = {
        "made": float(ious(made, test)[own, own].mean()),
        "mean chair": float(ious(mean_solid(train)[None], test).mean()),
        "training chair with the nearest picture": float(with_train[own, nearest].mean()),
        "training chair nearest to the true solid": float(with_train.max(1).mean()),
    }
    return figures, examples


def largest_part(solid: np.ndarray) -> float:
    """The share of the full cells that hang together in the largest part, corners included; 0 of an empty solid."""
    parts, count = label(solid, np.ones((3, 3, 3)))
    return float(np.bincount(parts.ravel())[1:].max() / solid.sum()) if count else 0.0


def as_a_set(samples: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """The figures of a set of samples."""
    near = ious(samples, test)
    return {
        "largest part": float(np.mean([largest_part(solid) for solid in samples])),
        "coverage": len(set(near.argmax(1).tolist())) / len(test),
        "minimum matching distance": float(1 - near.max(0).mean()),
        "full cells": float(samples.reshape(len(samples), -1).sum(1).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a card's name, a run folder or a weights file")
    parser.add_argument("--data", type=Path, required=True, help="the folder or file of the solids")
    parser.add_argument("--pose", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the samples and of the real chairs beside them")
    parser.add_argument("--sheet", type=Path, help="a picture to write: eight chairs as seen, as made and as they are")
    options = parser.parse_args()
    generator = Generator.from_pretrained(options.name, "cpu")
    config = VoxelsConfig(size=generator.header["outputs"][-1], pose=options.pose)
    _, _, train, test = open_solids("chairs", options.data, config)
    made = generator.run(generator.latents(len(test), options.seed))[:, 0].numpy() > 0
    others = np.random.default_rng(options.seed).choice(len(train), len(test), replace=False)
    mean = np.repeat(mean_solid(train.cells)[None], len(test), 0)
    sets = {"samples": made, "real training chairs": train.cells[others], "mean chair": mean}
    figures, examples = from_pictures(generator, options.name, train.cells, test.cells)
    if options.sheet:
        save_picture(grid(examples, 6), options.sheet)
    report = {
        "from a picture, IoU": figures,
        "from noise": {what: as_a_set(cells, test.cells) for what, cells in sets.items()},
        "held-out chairs themselves": as_a_set(test.cells, test.cells),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
