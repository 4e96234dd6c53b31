"""Pencil drawings of photos, made by arithmetic: no training, no random numbers, the same result every time.

The contours are drawn as people draw them, in short straight strokes: the gradient of the picture is sorted by the
direction in which it continues best, and each direction is smeared along its own line (Lu, Xu and Jia, "Combining
Sketch and Tone for Pencil Drawing Production", NPAR 2012, section 3.1). Texture has no such direction and fades.
A soft shade beside dark contours comes from dividing the picture by its own blur.
"""

import numpy as np
from PIL import Image, ImageFilter

DIRECTIONS = 12
SHADE = 0.4  # how much of the shading is laid over the strokes, 0…1


def pencil_drawing(photo: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) or (H, W, 1) → uint8 (H, W): dark strokes on white. Strokes scale with the shorter side."""
    grey = Image.fromarray(photo if photo.shape[2] == 3 else photo[..., 0]).convert("L")
    side = min(grey.size)
    clean = grey.filter(ImageFilter.MedianFilter(3))
    strokes = _strokes(_gradient(clean, side), reach=max(2, round(side / 48)))

    # Two limits tie the darkness to the picture's own contrast, two keep a foggy or a noisy one from being overdrawn.
    faintest = max(0.012, float(np.median(strokes)))
    full = np.clip(np.quantile(strokes, 0.97) - faintest, 0.10, 0.30)
    lines = 1 - np.clip((strokes - faintest) / full * 0.85, 0, 1)
    drawing = lines * (1 - SHADE + SHADE * _shading(clean, side))
    return np.floor(drawing * 255 + 0.5).astype(np.uint8)


def _gradient(clean: Image.Image, side: int) -> np.ndarray:
    """How steeply brightness changes, relative to the brightness around: shadows hold contours too. (H, W) ≥ 0."""
    fine = _blurred(clean, side / 260)
    across = np.diff(fine, axis=1, append=fine[:, -1:])
    down = np.diff(fine, axis=0, append=fine[-1:])
    return np.hypot(across, down) / (_blurred(clean, side / 24) + 0.25)


def _strokes(gradient: np.ndarray, reach: int) -> np.ndarray:
    """The gradient (H, W) redrawn with line segments of 2·reach + 1 pixels."""
    angles = np.arange(DIRECTIONS) * np.pi / DIRECTIONS
    responses = np.stack([_along(gradient, angle, reach) for angle in angles])
    best = responses.argmax(axis=0)
    strokes = (_along(np.where(best == i, gradient, 0), angle, reach) for i, angle in enumerate(angles))
    return sum(strokes, np.zeros_like(gradient))


def _along(values: np.ndarray, angle: float, reach: int) -> np.ndarray:
    """The mean of (H, W) along a line segment through each pixel; the border is continued outwards."""
    height, width = values.shape
    padded = np.pad(values, reach, mode="edge")
    total = np.zeros_like(values)
    for step in range(-reach, reach + 1):
        x, y = round(step * np.cos(angle)) + reach, round(step * np.sin(angle)) + reach
        total += padded[y : y + height, x : x + width]
    return total / (2 * reach + 1)


def _shading(clean: Image.Image, side: int) -> np.ndarray:
    """1 where a pixel is as bright as what surrounds it, less where it is darker. (H, W) in 0…1."""
    dark = 8 / 255  # keeps the noise of black areas out
    ratio = (_blurred(clean, 0) + dark) / (_blurred(clean, side / 64) + dark)
    return np.clip(ratio, 0, 1) ** 1.5


def _blurred(image: Image.Image, radius: float) -> np.ndarray:
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
