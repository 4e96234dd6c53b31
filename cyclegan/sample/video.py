"""A video of a walk through the latents that ends where it began, so that it can run in a loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from cyclegan.data.contact_sheet import grid
from cyclegan.system.errors import MissingPackage, UserError
from cyclegan.system.files import whole

if TYPE_CHECKING:
    from cyclegan.sample.generator import Generator

STOPS, BETWEEN, RATE = 4, 36, 24  # pictures that the walk passes, frames from one to the next, frames a second
SIDE = 256  # frames are enlarged to at least this: players smooth what is smaller


def save_walk(
    generator: Generator, path: str | os.PathLike, count: int = 1, seed: int = 0, truncation: float = 1.0
) -> None:
    """Writes a video (.mp4) of ``count`` pictures side by side that change into one another and back; 6 seconds.

    Raises ``UserError`` for another ending and for a count below 1, ``MissingPackage`` where there is no package av.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise UserError(f"{path} must end in .mp4")
    try:
        import av
    except ImportError as error:
        raise MissingPackage(f"the video {path}", "av", "video") from error
    frames = walk(generator, count, seed, truncation)
    first = next(frames)
    with whole(path) as part, av.open(str(part), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *first.size, "yuv420p"
        for picture in (first, *frames):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        out.mux(stream.encode())


def walk(generator: Generator, count: int = 1, seed: int = 0, truncation: float = 1.0) -> Iterator[Image.Image]:
    """The frames, RGB with even sides: from each of four latents a picture to the next, and back to the first."""
    stops = generator.latents(count * STOPS, seed, truncation).unflatten(0, (count, STOPS))
    for start in range(STOPS):
        ends = stops[:, start], stops[:, (start + 1) % STOPS]
        for i in range(BETWEEN):
            share = i / BETWEEN
            pairs = zip(*ends, strict=True)
            yield _enlarged(generator.images(torch.stack([generator.network.between(a, b, share) for a, b in pairs])))


def _enlarged(pictures: list[Image.Image]) -> Image.Image:
    """The pictures as one, its pixels repeated where they are few, cut to even sides: H.264 halves them for colour."""
    frame = grid(pictures) if len(pictures) > 1 else pictures[0].convert("RGB")
    times = -(-SIDE // max(frame.size))
    frame = frame.resize((frame.width * times, frame.height * times), Image.Resampling.NEAREST)
    return frame.crop((0, 0, frame.width // 2 * 2, frame.height // 2 * 2))
