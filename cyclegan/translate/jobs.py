"""What the command line was given → which file becomes which. No torch here, so that mistakes are told at once."""

import glob
import os
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from cyclegan.data.scans import DICOM, is_volume
from cyclegan.system.errors import UserError

# Formats that hold any result; the others lose colour, transparency or detail, and are written as PNG or Matroska.
_KEPT = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".tga", ".jp2", ".ppm", ".avif"}
_KEPT_VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm"}
_MOVING = _KEPT_VIDEOS | {".gif"}  # what a video can be written as
VIDEOS = _KEPT_VIDEOS | {".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".mts", ".3gp"}


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
    suffix = Path(source).suffix.lower()
    return suffix in VIDEOS or (suffix == ".gif" and _has_frames(source))


def _has_frames(source: str) -> bool:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source) as picture:
            return getattr(picture, "is_animated", False)
    except (OSError, UnidentifiedImageError):
        return False  # as a picture it will get its sentence


def plan(inputs: tuple[str, ...], output: Path) -> list[Job]:
    """The jobs for files, folders (with all below them), patterns and URLs; raises ``UserError``.

    A file goes to ``output``/NAME.EXT, a file in a folder to the same place below ``output``; a single file may also go
    to a file: ``output`` is one where it has the suffix of a picture or a video and is no folder.
    """
    found = [pair for given in inputs for pair in _expand(given, output)]
    if not found:
        raise UserError(f"no pictures or videos in {', '.join(inputs)}")
    if _names_a_file(output):
        if len(found) > 1:
            raise UserError(f"{output} is one file, and there are {len(found)} to translate: give a folder after -o")
        jobs = [Job(found[0][0], output)]
        if (jobs[0].is_video, jobs[0].is_volume) != (output.suffix.lower() in VIDEOS | {".gif"}, is_volume(output)):
            like = "a picture becomes a picture, a video a video and a volume a volume"
            raise UserError(f"{found[0][0]} cannot become {output}: {like}")
    else:
        if output.exists() and not output.is_dir():
            raise UserError(f"{output} is a file and no folder")
        jobs = [Job(source, output / _written_as(source, relative)) for source, relative in found]
    _check(jobs)
    return jobs


def _expand(given: str, output: Path) -> list[tuple[str, Path]]:
    """(source, path below the output folder) of every file that one argument stands for."""
    if given.lower().startswith(("http://", "https://")):
        return [(given, Path(Path(given.split("?")[0]).name or "picture.png"))]
    path = Path(given).expanduser()
    if path.is_dir():
        return [(str(file), file.relative_to(path)) for file in _below(path, output)]
    if path.exists():
        return [(str(path), Path(path.name))]
    matches = sorted(glob.glob(_pattern(path), recursive=True))
    if not matches:
        raise UserError(f"there is no file or folder {given}")
    return [pair for match in matches for pair in _expand(match, output)]


def _pattern(path: Path) -> str:
    """For glob: what is there as it is spelt is meant so, such as a folder called "best [1]"."""
    base, parts = Path(path.anchor), path.parts[len(Path(path.anchor).parts) :]
    spelt = []
    for part in parts:
        spelt.append(glob.escape(part) if (base / part).exists() else part)
        base = base / part
    return os.path.join(glob.escape(path.anchor), *spelt)


def _below(folder: Path, output: Path) -> list[Path]:
    """Pictures and videos in a folder; without earlier results, where these lie inside it."""
    from cyclegan.data.finding import find_files, walk

    files = find_files(folder) + sorted(path for path in walk(folder) if path.suffix.lower() in VIDEOS)
    if output.resolve() == folder.resolve():
        return files  # told apart, and refused, below
    return [file for file in files if output.resolve() not in file.resolve().parents]


def _names_a_file(output: Path) -> bool:
    return (output.suffix.lower() in _KEPT | _MOVING or is_volume(output)) and not output.is_dir()


def _written_as(source: str, relative: Path) -> Path:
    suffix = relative.suffix.lower()
    if is_video(source):
        return relative if suffix in _MOVING else relative.with_suffix(".mkv")
    if suffix in DICOM:
        return relative.with_suffix(".tif")  # a translation is no examination; the values stay
    return relative if suffix in _KEPT or is_volume(relative) else relative.with_suffix(".png")


def _check(jobs: list[Job]) -> None:
    """No two results in one file, and none in the place of an input."""
    sources = {Path(job.source).resolve(): job.source for job in jobs}
    targets: dict[Path, str] = {}
    for job in jobs:
        target = job.target.resolve()
        if target in sources:
            raise UserError(f"the result for {job.source} would replace the input {sources[target]}: choose another -o")
        if target in targets:
            raise UserError(f"{targets[target]} and {job.source} would both become {job.target}: translate them apart")
        targets[target] = job.source
