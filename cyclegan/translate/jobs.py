"""One file to translate, and what can be said of it before it is read. No torch here."""

import os
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from cyclegan.data.scans import is_volume
from cyclegan.system.errors import UserError

VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm"}
KEPT_VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm"}  # that a video can be written as
VIDEOS = KEPT_VIDEOS | {".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".mts", ".3gp"}


@dataclass(frozen=True)
class Job:
    """One file to translate."""

    source: str  # a path or a URL
    target: Path
    masks: tuple[Path, ...] = ()  # what of the picture is translated: their union; () means all

    @property
    def is_video(self) -> bool:
        """Whether it is done frame by frame."""
        return is_video(self.source)

    @property
    def is_volume(self) -> bool:
        """Whether it is a NIfTI volume, which is done slice by slice."""
        return is_volume(self.source)

    @property
    def kind(self) -> str:
        """``pictures``, ``volumes`` or ``videos``."""
        return "volumes" if self.is_volume else "videos" if self.is_video else "pictures"


Failures = list[tuple[Job, str]]  # what could not be translated, and why


@dataclass(frozen=True)
class Clip:
    """Which part of a video is translated, and how. Raises ``UserError`` where it would hold nothing."""

    steady: bool = False  # hold the colours still from frame to frame
    start: float = 0.0  # seconds of the video
    end: float | None = None

    def __post_init__(self) -> None:
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise UserError(f"--start {self.start:g} and --end {self.end} are seconds, the second after the first")


def with_masks(jobs: list[Job], mask: Path) -> list[Job]:
    """The jobs with their masks: one file for a single picture, or those of its name in a folder of masks.

    Raises ``UserError``.
    """
    from cyclegan.data.masks import masks_in

    if any(job.is_video or job.is_volume for job in jobs):
        raise UserError("--mask is for pictures, and there are videos or volumes among them")
    if not mask.is_dir():
        if not mask.is_file():
            raise UserError(f"there is no mask {mask}")
        if len(jobs) > 1:
            raise UserError(f"{mask} is one mask, and there are {len(jobs)} pictures: give a folder with one for each")
        return [replace(jobs[0], masks=(mask,))]
    found = masks_in(mask, {Path(job.source).stem for job in jobs})
    for job in jobs:
        if (stem := Path(job.source).stem) not in found:
            raise UserError(
                f"{mask} holds no mask for {job.source}: it is called {stem}.png, or {stem}_0.png and so on"
            )
    return [replace(job, masks=tuple(found[Path(job.source).stem])) for job in jobs]


def seconds_of(text: str) -> float:
    """A time in seconds: "90", "1:30", "0:01:30.5". Raises ``UserError``."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or not all(0 <= number < inf for number in numbers):
        raise UserError(f"{text!r} is no time: write seconds, or minutes and seconds as 1:30")
    return sum(number * 60**i for i, number in enumerate(reversed(numbers)))


def is_video(source: str) -> bool:
    """Whether a file moves: a video by its name, or a GIF of several frames."""
    suffix = os.path.splitext(source)[1].lower()
    return suffix in VIDEOS or (suffix == ".gif" and _has_frames(source))


def _has_frames(source: str) -> bool:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source) as picture:
            return getattr(picture, "is_animated", False)
    except (OSError, UnidentifiedImageError):
        return False  # as a picture it will get its sentence
