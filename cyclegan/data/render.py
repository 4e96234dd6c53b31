"""Pictures of solids: an orthographic camera over cubes, painted from back to front with NumPy alone.

A solid is a boolean array (X, Y, Z) with Z upwards. A picture takes a few milliseconds: training draws one for each
sample, and the sheets of samples are made of them.
"""

from typing import Any

import numpy as np
from PIL import Image

FINE = 3  # pixels are painted FINE times as fine, then averaged: smooth edges
MARGIN = 0.06  # white around the solid, as a share of the picture's side
PAPER = 255
AZIMUTH, ELEVATION = 35.0, 25.0  # degrees: half from the side, a little from above


def render(solid: np.ndarray, pixels: int = 64, azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> np.ndarray:
    """A grey picture of a solid on white: bool (X, Y, Z) → uint8 (pixels, pixels).

    ``azimuth`` and ``elevation`` in degrees say where the camera stands: 0° looks along +X, at the front of the
    chairs of ModelNet, and 90° along -Y; an elevation of 90° looks straight down. The solid fills the picture but for
    a margin, wherever it lies and whatever its size. An empty solid gives a white picture.
    """
    axes = _camera(azimuth, elevation)
    cells = np.argwhere(_visible(solid, axes[2]))
    side = pixels * FINE
    canvas = np.full((side, side), PAPER, np.float32)
    if len(cells):
        seen = (cells - np.array(solid.shape) / 2 + 0.5) @ axes.T  # right, down, towards the camera; in voxels
        reach = np.abs(axes[:2]).sum(1) / 2  # of one cube
        low, high = seen[:, :2].min(0) - reach, seen[:, :2].max(0) + reach
        scale = side * (1 - 2 * MARGIN) / (high - low).max()
        places = np.rint((seen[:, :2] - (low + high) / 2) * scale + side / 2 - 0.5).astype(int)
        offsets, faces = _cube(axes, scale)
        shades = _shades(solid, cells, axes)
        order = np.argsort(seen[:, 2])  # NumPy keeps the last of several values written to one place: the nearest
        painted = places[order, None] + offsets
        canvas[painted[..., 1], painted[..., 0]] = shades[order][:, faces]
    return canvas.reshape(pixels, FINE, pixels, FINE).mean((1, 3)).round().astype(np.uint8)


def _camera(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vectors (3, 3) of the picture's right and down and of the way towards the camera."""
    a, e = np.radians((azimuth, elevation))
    right = np.array([-np.sin(a), -np.cos(a), 0.0])
    towards = np.array([-np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
    return np.stack([right, np.cross(right, towards), towards])


def _visible(solid: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """The cells of which the camera may see a face: not all their three neighbours on its side are filled."""
    room = np.pad(solid, 1)
    buried = solid.copy()
    for axis in range(3):
        buried &= np.roll(room, -1 if towards[axis] > 0 else 1, axis)[1:-1, 1:-1, 1:-1]
    return solid & ~buried


def _cube(axes: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (K, 2) that one cube covers about its middle, and the axis (K,) of the face that each shows."""
    half = 0.5 + 0.6 / scale  # a little larger, so that no gap opens where middles are rounded to pixels
    reach = int(np.ceil(half * np.abs(axes[:2]).sum(1).max() * scale))
    steps = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    from_middle = offsets / scale @ axes[:2]  # where each ray passes the middle's plane
    towards = np.where(np.abs(axes[2]) < 1e-9, 1e-9, axes[2])
    # Along the ray to the camera, the cube ends where the first of its three slabs does.
    ends = (np.sign(towards) * half - from_middle) / towards
    begins = (-np.sign(towards) * half - from_middle) / towards
    hit = begins.max(1) <= ends.min(1)
    return offsets[hit], ends.argmin(1)[hit]


def _shades(solid: np.ndarray, cells: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Grey levels (V, 3) of each cell's faces: half the cube's own, half those of the smoothed surface there."""
    light = axes.T @ np.array([-0.45, -0.7, 0.55])  # from the left, above, behind the camera
    faces = (np.sign(axes[2]) * light).clip(0)
    blurred: Any = np.pad(solid, 2).astype(np.float32)
    for axis in range(3):
        blurred = sum(np.roll(blurred, shift, axis) for shift in (-1, 0, 1)) / 3
    slope = [np.roll(blurred, 1, axis) - np.roll(blurred, -1, axis) for axis in range(3)]
    normals = np.stack([part[tuple((cells + 2).T)] for part in slope], 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-6
    smooth = (normals @ light).clip(0)
    return 70 + 150 * (0.5 * faces + 0.5 * smooth[:, None])


def framed(picture: Image.Image, pixels: int) -> np.ndarray:
    """A picture of a thing on a plain light ground, brought into the form of ``render``: uint8 (pixels, pixels).

    Transparent parts become white; the thing, which is whatever is darker than the ground, is cut out and fitted into
    the square with the margin that rendered solids have. A picture without anything darker is only resized.
    """
    flat = Image.new("RGBA", picture.size, (PAPER, PAPER, PAPER, PAPER))
    flat.alpha_composite(picture.convert("RGBA"))
    grey = np.asarray(flat.convert("L"))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(border))
    rows, columns = (np.flatnonzero((grey < ground - 24).any(axis)) for axis in (1, 0))
    if not len(rows):
        return np.asarray(Image.fromarray(grey).resize((pixels, pixels), Image.Resampling.BOX))
    dark = np.where(grey < ground - 24, grey, PAPER).astype(np.uint8)
    thing = Image.fromarray(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = pixels * (1 - 2 * MARGIN) / max(thing.size)
    size = max(1, round(thing.width * scale)), max(1, round(thing.height * scale))
    canvas = Image.new("L", (pixels, pixels), PAPER)
    canvas.paste(thing.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC),
                 ((pixels - size[0]) // 2, (pixels - size[1]) // 2))  # fmt: skip
    return np.asarray(canvas)
