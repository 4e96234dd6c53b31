"""Any kind of picture → what a generator takes, and back to the kind that it was.

Networks take float (C, H, W) in [-1, 1]. A picture comes as a path, a file's URL, Pillow, numpy (H, W) or (H, W, C), or
torch (C, H, W); as uint8, as uint16 (numpy and torch), or as floating point in [-1, 1].
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from cyclegan.data.images import as_8bit, open_image
from cyclegan.data.pixels import levels_, signed_
from cyclegan.system.errors import ImageError

LARGEST = {torch.uint8: 255, torch.uint16: 65535}
LARGEST_DOWNLOAD = 200_000_000  # bytes
_LUMINANCE = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow has it

Restore = Callable[[Tensor], object]


def take(picture, channels: int) -> tuple[Tensor, Restore]:
    """``(pixels, restore)``: float (channels, H, W) in [-1, 1], and the way back.

    ``restore`` turns a translated (C, H, W) of the same height and width into the kind that ``picture`` is: its type,
    value range and transparency; it may overwrite what it is given. Raises ``ImageError``.

    Files and Pillow images come back as Pillow images of 8 bits, upright where EXIF says that they are turned.
    Greyscale goes into colour networks as three equal channels; colour goes into greyscale networks as luminance.
    """
    if isinstance(picture, (str, os.PathLike)):
        picture = open_image(fetch_picture(picture))
    if isinstance(picture, Image.Image):
        return _take_pillow(picture, channels)
    if isinstance(picture, np.ndarray):
        return _take_array(picture, channels)
    if isinstance(picture, Tensor):
        if picture.dim() != 3:
            raise ImageError(f"a picture as a tensor has the shape (C, H, W), not {list(picture.shape)}")
        return _take_tensor(picture, channels)
    raise ImageError(f"a picture is a path, a URL, a Pillow image, an array or a tensor, not {type(picture).__name__}")


def _take_pillow(picture: Image.Image, channels: int) -> tuple[Tensor, Restore]:
    array = np.array(as_8bit(ImageOps.exif_transpose(picture)))
    pixels, restore = _take_array(array, channels)

    def finish(result: Tensor) -> Image.Image:
        shaped = restore(result)
        if shaped.ndim == 3 and shaped.shape[2] not in (2, 3, 4):
            if shaped.shape[2] != 1:
                raise ImageError(f"a picture of {len(result)} channels cannot be a Pillow image: give an array instead")
            shaped = shaped[:, :, 0]
        return Image.fromarray(shaped)

    return pixels, finish


def _take_array(picture: np.ndarray, channels: int) -> tuple[Tensor, Restore]:
    if picture.ndim not in (2, 3):
        raise ImageError(f"a picture as an array has the shape (H, W) or (H, W, channels), not {list(picture.shape)}")
    flat = picture.ndim == 2
    # A copy where strides are negative, bytes are swapped or memory is read-only, which torch does not take.
    native = np.require(picture, picture.dtype.newbyteorder("="), ["C", "W"])
    try:
        tensor = torch.from_numpy(native[:, :, None] if flat else native).permute(2, 0, 1)
    except TypeError:
        raise ImageError(_wrong_type(picture.dtype)) from None
    pixels, restore = _take_tensor(tensor, channels)

    def finish(result: Tensor) -> np.ndarray:
        array = np.ascontiguousarray(restore(result).permute(1, 2, 0).numpy())
        return array[:, :, 0] if flat and array.shape[2] == 1 else array

    return pixels, finish


def _take_tensor(picture: Tensor, channels: int) -> tuple[Tensor, Restore]:
    if 0 in picture.shape:
        raise ImageError(f"a picture has at least one pixel, and this one has the shape {list(picture.shape)}")
    largest = LARGEST.get(picture.dtype)
    if largest is None and not picture.is_floating_point():
        raise ImageError(_wrong_type(picture.dtype))
    pixels = picture.detach().to("cpu", torch.float32)
    if largest:
        signed_(pixels, largest)
    elif not pixels.abs().max() <= 1.001:  # written so that NaN is caught too
        low, high = pixels.min().item(), pixels.max().item()
        raise ImageError(f"floating-point pictures are in [-1, 1], and this one goes from {low:g} to {high:g}")
    colour, alpha = _split_alpha(pixels, picture, channels)
    dtype, device = picture.dtype, picture.device  # and not the picture, which would stay in memory with them

    def finish(result: Tensor) -> Tensor:
        if largest:
            result = levels_(result, largest)
        result = result.to(dtype).to(device)
        return result if alpha is None else torch.cat([result, alpha])

    return colour, finish


def _split_alpha(pixels: Tensor, picture: Tensor, channels: int) -> tuple[Tensor, Tensor | None]:
    """The channels that the network takes, and the transparency as it came, if there is one."""
    count = len(pixels)
    if count == channels:
        return pixels, None
    if channels not in (1, 3) or count > 4:
        raise ImageError(f"this picture has {count} channels, and this translator takes {channels}")
    colour = pixels[:1] if count <= 2 else pixels[:3]
    if count in (2, 4):
        # What is wholly transparent has no colour of its own; programs leave black or rubbish there.
        colour = torch.where(pixels[-1:] <= -1, torch.ones(()), colour)
    if channels == 3:
        colour = colour.expand(3, -1, -1)
    elif len(colour) == 3:
        colour = (colour * _LUMINANCE[:, None, None]).sum(0, keepdim=True)
    return colour, picture[-1:].clone() if count in (2, 4) else None


def _wrong_type(dtype) -> str:
    return f"a picture holds uint8, uint16 or floating point in [-1, 1], not {str(dtype).removeprefix('torch.')}"


def fetch_picture(source):
    """The bytes behind a URL; anything else as it is. Raises ``ImageError``."""
    if not (isinstance(source, str) and source.lower().startswith(("http://", "https://"))):
        return source
    return _download(source)


def _download(url: str) -> bytes:
    import requests

    try:
        with requests.get(url, timeout=30, stream=True) as response:
            response.raise_for_status()
            data = bytearray()
            for chunk in response.iter_content(1 << 16):
                data += chunk
                if len(data) > LARGEST_DOWNLOAD:
                    raise ImageError(f"{url} has more than {LARGEST_DOWNLOAD // 10**6} MB and is not fetched")
    except requests.RequestException as error:
        raise ImageError(f"{url} could not be fetched ({type(error).__name__}): check the address") from error
    return bytes(data)
