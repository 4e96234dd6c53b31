"""Levels ↔ what networks see: the only place that scales uint8 [0, 255] to [-1, 1] and back, and that makes squares.

kornia wants [0, 1], the networks want [-1, 1], files hold uint8.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cyclegan.data.images import read_image
from cyclegan.data.masks import with_mask
from cyclegan.data.values import Span

BICUBIC = Image.Resampling.BICUBIC  # Pillow's averages when it shrinks, as the reference does; OpenCV's leaves moiré


def to_unit(images: Tensor, device: torch.device) -> Tensor:
    """uint8 [0, 255] of any shape → float [0, 1] on the device; the copy does not wait where the memory is pinned."""
    if device.type == "cuda" and images.dim() == 4:
        images = images.to(device, non_blocking=True, memory_format=torch.channels_last)
    return images.to(device, non_blocking=True).float().div_(255)


def to_signed(images: Tensor, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [0, 255] of any shape → float [-1, 1] on the device."""
    return to_unit(images, torch.device(device)).mul_(2).sub_(1)


def as_signed(pixels: Tensor, device: torch.device | None = None) -> Tensor:
    """uint8 [0, 255], or float that is in [-1, 1] already → float [-1, 1], on ``device`` if there is one."""
    device = device or pixels.device
    return to_signed(pixels, device) if pixels.dtype == torch.uint8 else pixels.to(device, torch.float32)


def to_levels(images: Tensor) -> Tensor:
    """Float [-1, 1] of any shape → uint8 [0, 255] on the CPU, rounded as a saved picture is; beyond is clipped."""
    return levels_(images.detach().float().clone(), 255).byte().cpu()


def signed_(values: Tensor, low: float, high: float) -> Tensor:
    """Float [``low``, ``high``] → float [-1, 1], in place: large pictures take 12 bytes a pixel."""
    return (values.sub_(low) if low else values).div_(high - low).mul_(2).sub_(1)


def levels_(values: Tensor, largest: int) -> Tensor:
    """Float [-1, 1] → whole numbers in [0, ``largest``] as floats, rounded and clipped, in place."""
    return values.add_(1).mul_(largest / 2).round_().clamp_(0, largest)


def spread_(values: Tensor, low: float, high: float) -> Tensor:
    """Float [-1, 1] → float [``low``, ``high``], clipped, in place."""
    return values.clamp_(-1, 1).add_(1).mul_((high - low) / 2).add_(low)


def as_colour(picture: Tensor) -> Tensor:
    """(C, H, W) → (3, H, W), or the same with leading dimensions: grey thrice; of more bands than 3 the first three."""
    bands = picture.shape[-3]
    return picture[..., : 3 if bands > 2 else 1, :, :].expand(*picture.shape[:-3], 3, -1, -1)


def to_picture(image: Tensor) -> Image.Image:
    """A float (C, H, W) tensor in [-1, 1] → an RGB picture of 8 bits."""
    return Image.fromarray(as_colour(to_levels(image)).permute(1, 2, 0).numpy())


def as_image(pixels: np.ndarray) -> Image.Image:
    """uint8 (H, W, 1 or 3) → a Pillow picture in mode L or RGB."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def read_square(
    path: Path,
    size: int,
    channels: int = 3,
    resize: str = "stretch",
    span: Span | None = None,
    masks: Sequence[Path] | None = None,
) -> Tensor:
    """The picture in a file as uint8 (channels, size, size), by Pillow's bicubic where it has another size.

    ``resize`` is ``stretch`` (to a square) or ``fit`` (keep proportions, crop the longer side in the middle); ``span``
    as for ``read_image``. The picture's ``masks`` become one more channel, see ``with_mask``; None for none. Raises
    ``ImageError``.
    """
    pixels, target = read_image(path, channels, span), (size, size)
    pixels = pixels if masks is None else with_mask(pixels, masks)
    if resize == "fit" and pixels.shape[:2] != target:
        parts = [ImageOps.fit(as_image(part), target, BICUBIC) for part in _images(pixels)]
        return to_tensor(_joined(parts, pixels.shape[2]))
    return to_tensor(resized(pixels, size, size))


def resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 (H, W, C) → uint8 (height, width, C), by Pillow's bicubic; itself where it fits."""
    if pixels.shape[:2] == (height, width):
        return pixels
    parts = [as_image(part).resize((width, height), BICUBIC) for part in _images(pixels)]
    return _joined(parts, pixels.shape[2])


def _images(pixels: np.ndarray) -> list[np.ndarray]:
    """What Pillow takes at once: colour whole, and any other number of channels one by one."""
    return [pixels] if pixels.shape[2] == 3 else np.split(pixels, pixels.shape[2], 2)


def _joined(parts: list[Image.Image], channels: int) -> np.ndarray:
    arrays = [np.asarray(part).reshape(part.height, part.width, -1) for part in parts]
    return np.concatenate(arrays, 2) if len(arrays) > 1 else arrays[0].reshape(*arrays[0].shape[:2], channels)


def resize_square(picture: Tensor, size: int) -> Tensor:
    """uint8 (C, H, W) → uint8 (C, size, size), by Pillow's bicubic as in ``read_square``; itself where it fits."""
    if picture.shape[1:] == (size, size):
        return picture
    channels = [Image.fromarray(channel).resize((size, size), BICUBIC) for channel in picture.numpy()]
    return torch.from_numpy(np.stack([np.asarray(channel) for channel in channels]))


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, C) → uint8 (C, H, W), in memory of its own."""
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())
