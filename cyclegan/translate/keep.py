"""A translation inside a mask, and the picture's own pixels outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.masks import fitted, read_mask
from cyclegan.data.values import is_wide
from cyclegan.system.errors import ImageError


def keep_outside(picture: Any, result: Any, mask: Any) -> Any:
    """``result`` where the mask is white and ``picture`` where it is black, exactly; between them where it is grey.

    Both are Pillow images, arrays (H, W[, C]) or tensors (C, H, W) of one height and width; where only one of them has
    colour, what comes out has it. ``mask`` is whatever ``read_mask`` takes. Raises ``ImageError``.
    """
    if isinstance(result, Image.Image):
        if result.mode != picture.mode:
            if is_wide(picture.mode):
                raise ImageError("a mask keeps pixels of more than 8 bits only where range says what they mean")
            mode = max(result.mode, picture.mode, key=lambda m: (m.startswith("RGB"), len(m)))
            result, picture = result.convert(mode), picture.convert(mode)
        made = Image.fromarray(_array(np.array(picture), np.array(result), mask))
        made.info |= result.info
        return made
    if isinstance(result, Tensor):
        inner, outer = (x.permute(1, 2, 0).numpy(force=True) for x in (result, picture))
        masks = mask if isinstance(mask, list) else [mask]
        mixed = _array(outer, inner, [m.numpy(force=True) if isinstance(m, Tensor) else m for m in masks])
        return torch.from_numpy(mixed).permute(2, 0, 1).to(result.device)
    return _array(picture, result, mask)


def _array(picture: np.ndarray, result: np.ndarray, mask: Any) -> np.ndarray:
    share = fitted(read_mask(mask), *result.shape[:2])
    if picture.ndim != result.ndim or picture.shape != result.shape:
        picture, result = _alike(picture), _alike(result)
        colours = max(picture.shape[2], result.shape[2])
        if {picture.shape[2], result.shape[2]} - {1, colours}:
            raise ImageError(f"a mask mixes picture and translation, and they have {picture.shape} and {result.shape}")
        picture, result = (np.broadcast_to(x, (*x.shape[:2], colours)) for x in (result, picture))
    inside = share if result.ndim == 2 else share[:, :, None]
    part = inside / np.float32(255)
    mixed = picture + part * (result.astype(np.float32) - picture)
    mixed = mixed if np.issubdtype(result.dtype, np.floating) else np.rint(mixed)
    return np.where(inside == 0, picture, np.where(inside == 255, result, mixed)).astype(result.dtype)


def _alike(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
