"""Any kind of picture → what a generator takes, and back to the kind that it was.

Networks take float (C, H, W) in [-1, 1]. A picture comes as a path, a file's URL, Pillow, numpy (H, W) or (H, W, C), or
torch (C, H, W); as uint8, as wider whole numbers, or as floating point, in [-1, 1] unless a span says otherwise.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.images import as_8bit, load_image, loaded, read_values
from cyclegan.data.metadata import Info
from cyclegan.data.pixels import as_signed, levels_, signed_, spread_
from cyclegan.data.scans import Slice, is_volume
from cyclegan.data.values import Span, is_wide, narrowed, own_span, type_of
from cyclegan.system.download import NotFetched, fetch
from cyclegan.system.errors import ImageError

LARGEST = 100_000_000  # pixels of one picture; the maps that networks keep of it take up to about 64 bytes each
LARGEST_DOWNLOAD = 200_000_000  # bytes
_INTEGERS = (torch.uint16, torch.int16, torch.int32, torch.int64, torch.uint32)
_LUMINANCE = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow has it

Restore = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Values:
    """What the numbers of pictures of more than 8 bits mean; see ``data.values``."""

    source: Span | None = None  # from the translator's training
    target: Span | None = None
    given: Span | None = None  # by the caller, for both


def take(picture: Any, channels: int, values: Values = Values()) -> tuple[Tensor, Restore]:
    """``(pixels, restore)``: float (channels, H, W) in [-1, 1] or the levels of 8 bits as they are, and the way back.

    ``restore`` turns a translated (C, H, W) of the same height and width into the kind that ``picture`` is: its type,
    value range and transparency; it may overwrite what it is given. Of a picture of 8 bits it takes levels, too. Raises
    ``ImageError``.

    Files and Pillow images come back as Pillow images, upright where EXIF says that they are turned: of 8 bits, or of
    the wider type that they have where the translator was trained on such, or ``values.given`` says what it means.
    Greyscale goes into colour networks as three equal channels; colour goes into greyscale networks as luminance.
    """
    if isinstance(picture, (str, os.PathLike)):
        file = fetch_picture(picture)
        if is_volume(picture) and not isinstance(picture, Slice):
            raise ImageError(f"{picture} is a volume: python -m cyclegan.translate takes it, and here its slices do")
        if channels not in (1, 3):
            return _take_array(read_values(file, channels), channels, values, is_file=True)
        return _take_pillow(load_image(file, LARGEST, values.given or values.source), channels, values)
    if isinstance(picture, Image.Image):
        return _take_pillow(loaded(picture, LARGEST), channels, values)
    if isinstance(picture, np.ndarray):
        return _take_array(picture, channels, values)
    if isinstance(picture, Tensor):
        if picture.dim() != 3:
            raise ImageError(f"a picture as a tensor has the shape (C, H, W), not {list(picture.shape)}")
        return _take_tensor(picture, channels, values)
    raise ImageError(f"a picture is a path, a URL, a Pillow image, an array or a tensor, not {type(picture).__name__}")


def _take_pillow(picture: Image.Image, channels: int, values: Values) -> tuple[Tensor, Restore]:
    if is_wide(picture.mode):
        return _take_wide(picture, channels, values)
    array = np.array(as_8bit(picture))
    pixels, restore = _take_array(array, channels, Values())
    carries = picture.info

    def finish(result: Tensor) -> Image.Image:
        shaped = restore(result)
        if shaped.ndim == 3 and shaped.shape[2] not in (2, 3, 4):
            if shaped.shape[2] != 1:
                raise ImageError(f"a picture of {len(result)} channels cannot be a Pillow image: give an array instead")
            shaped = shaped[:, :, 0]
        return _carrying(Image.fromarray(shaped), carries)

    return pixels, finish


def _take_wide(picture: Image.Image, channels: int, values: Values) -> tuple[Tensor, Restore]:
    """Grey of 16 or 32 bits or floating point. Comes back as the same, or as 8 bits where nobody said what is white."""
    array, kind = np.array(picture), type_of(picture)
    source = values.given or values.source
    target = values.given or values.target
    try:
        span = source or picture.info.get("window") or own_span(array, kind)
        if target is None:
            return _take_pillow(_carrying(Image.fromarray(narrowed(array, span)), picture.info), channels, values)
    except ImageError as error:
        raise ImageError(f"this picture {error}") from error
    pixels, restore = _take_array(array, channels, Values(span, target), is_file=True)
    carries = picture.info

    def finish(result: Tensor) -> Image.Image:
        shaped = restore(_luminance(result) if len(result) == 3 else result[:1])
        return _carrying(Image.fromarray(shaped), carries)

    return pixels, finish


def _carrying(picture: Image.Image, carries: Info) -> Image.Image:
    """``picture`` with what the one that it was made from carries besides pixels."""
    picture.info |= {key: value for key, value in carries.items() if key not in ("several", "transparency", "window")}
    return picture


def _take_array(picture: np.ndarray, channels: int, values: Values, is_file: bool = False) -> tuple[Tensor, Restore]:
    if picture.ndim not in (2, 3):
        raise ImageError(f"a picture as an array has the shape (H, W) or (H, W, channels), not {list(picture.shape)}")
    flat = picture.ndim == 2
    # A copy where strides are negative, bytes are swapped or memory is read-only, which torch does not take.
    native = np.require(picture, picture.dtype.newbyteorder("="), ["C", "W"])
    try:
        tensor = torch.from_numpy(native[:, :, None] if flat else native).permute(2, 0, 1)
    except TypeError:
        raise ImageError(_wrong_type(picture.dtype)) from None
    pixels, restore = _take_tensor(tensor, channels, values, is_file)

    def finish(result: Tensor) -> np.ndarray:
        array = np.ascontiguousarray(restore(result).permute(1, 2, 0).numpy())
        return array[:, :, 0] if flat and array.shape[2] == 1 else array

    return pixels, finish


def _take_tensor(picture: Tensor, channels: int, values: Values, is_file: bool = False) -> tuple[Tensor, Restore]:
    if 0 in picture.shape:
        raise ImageError(f"a picture has at least one pixel, and this one has the shape {list(picture.shape)}")
    source, target = _spans_of(picture, values, is_file)
    pixels = picture.detach().cpu()
    if picture.dtype != torch.uint8:  # whose levels stay as they are: large pictures take 3 bytes a pixel and not 12
        pixels = pixels.float()
        if source is None:
            _require_signed(pixels)
        else:
            pixels = pixels.clone() if pixels.data_ptr() == picture.data_ptr() else pixels
            signed_(pixels.clamp_(*source), *source)
    colour, alpha = _split_alpha(pixels, picture, channels)
    dtype, device = picture.dtype, picture.device  # and not the picture, which would stay in memory with them

    def finish(result: Tensor) -> Tensor:
        if result.dtype == torch.uint8:
            pass  # levels already
        elif target and target[0] == 0 and not dtype.is_floating_point:
            result = levels_(result, int(target[1]))
        elif target:
            result = spread_(result, *target)
            result = result if dtype.is_floating_point else result.round_()
        result = result.to(dtype).to(device)
        return result if alpha is None else torch.cat([result, alpha])

    return colour, finish


def _spans_of(picture: Tensor, values: Values, is_file: bool) -> tuple[Span | None, Span | None]:
    """The spans of what comes in and goes out; None for floating point in [-1, 1]."""
    if picture.dtype == torch.uint8:
        return (0, 255), (0, 255)
    if values.given:
        span = values.given
        if picture.dtype not in _INTEGERS and not picture.is_floating_point():
            raise ImageError(_wrong_type(picture.dtype))
        return span, span
    if picture.is_floating_point() and not is_file:
        return None, None
    own = (0, 65535) if picture.dtype == torch.uint16 else None
    source = values.source or own
    if source is None or (picture.dtype not in _INTEGERS and not picture.is_floating_point()):
        raise ImageError(_wrong_type(picture.dtype))
    return source, values.target or source


def _require_signed(pixels: Tensor) -> None:
    """Raises ``ImageError`` unless all is in [-1, 1]; warns where it seems to be in [0, 1]."""
    low, high = pixels.min().item(), pixels.max().item()
    if not max(-low, high) <= 1.001:  # written so that NaN is caught too
        said = f"floating-point pictures are in [-1, 1], and this one goes from {low:g} to {high:g}"
        raise ImageError(f"{said}: say with range=(low, high) which values are black and white")
    if low >= 0 and high > 0:
        said = "this floating-point picture has nothing below 0, and is taken to be in [-1, 1] all the same"
        warnings.warn(f"{said}: give range=(0, 1) where 0 is black", stacklevel=2)


def _split_alpha(pixels: Tensor, picture: Tensor, channels: int) -> tuple[Tensor, Tensor | None]:
    """The channels that the network takes, and the transparency as it came, if there is one."""
    count = len(pixels)
    if count == channels:
        return pixels, None
    if channels not in (1, 3) or count > 4:
        said = f"this picture has {count} channels, and this translator takes {channels}"
        raise ImageError(f"{said} (tensors are (C, H, W), arrays (H, W, C))")
    colour = pixels[:1] if count <= 2 else pixels[:3]
    if count in (2, 4):
        # What is wholly transparent has no colour of its own; programs leave black or rubbish there.
        nothing, white = (0, 255) if pixels.dtype == torch.uint8 else (-1, 1)
        colour = torch.where(pixels[-1:] <= nothing, torch.tensor(white, dtype=pixels.dtype), colour)
    if channels == 3:
        colour = colour.expand(3, -1, -1)
    elif len(colour) == 3:
        colour = _luminance(colour)
    return colour, picture[-1:].clone() if count in (2, 4) else None


def _luminance(colour: Tensor) -> Tensor:
    return (as_signed(colour) * _LUMINANCE[:, None, None]).sum(0, keepdim=True)


def _wrong_type(dtype: Any) -> str:
    name = str(dtype).removeprefix("torch.")
    hint = "" if name == "bool" else ", or whole numbers with range=(low, high), which are black and white"
    return f"a picture holds uint8, uint16 or floating point in [-1, 1], not {name}{hint}"


def fetch_picture(source):
    """The bytes behind a URL; anything else as it is. Raises ``ImageError``."""
    if not (isinstance(source, str) and source.lower().startswith(("http://", "https://"))):
        return source
    try:
        return fetch(source, LARGEST_DOWNLOAD)
    except NotFetched as error:
        raise ImageError(f"{source} could not be fetched ({error}): check the address") from error
