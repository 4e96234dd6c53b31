"""What the command line was given → which file becomes which. No torch here, so that mistakes are told at once."""

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from cyclegan.system.errors import UserError

# Formats that hold any result; the others lose colour, transparency or detail, and are written as PNG or Matroska.
_KEPT = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".tga", ".jp2", ".ppm", ".avif"}
_KEPT_VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm"}
VIDEOS = _KEPT_VIDEOS | {".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".mts", ".3gp"}


@dataclass(frozen=True)
class Job:
    """One file to translate."""

    source: str  # a path or a URL
    target: Path

    @property
    def is_video(self) -> bool:
        return Path(self.source).suffix.lower() in VIDEOS


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
        if jobs[0].is_video != (output.suffix.lower() in VIDEOS):
            raise UserError(f"{found[0][0]} cannot become {output}: a picture becomes a picture and a video a video")
    else:
        if output.exists() and not output.is_dir():
            raise UserError(f"{output} is a file and no folder")
        jobs = [Job(source, output / _written_as(relative)) for source, relative in found]
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
    from cyclegan.data.images import find_images, walk

    files = find_images(folder) + sorted(path for path in walk(folder) if path.suffix.lower() in VIDEOS)
    if output.resolve() == folder.resolve():
        return files  # told apart, and refused, below
    return [file for file in files if output.resolve() not in file.resolve().parents]


def _names_a_file(output: Path) -> bool:
    return output.suffix.lower() in _KEPT | _KEPT_VIDEOS and not output.is_dir()


def _written_as(relative: Path) -> Path:
    suffix = relative.suffix.lower()
    if suffix in VIDEOS:
        return relative if suffix in _KEPT_VIDEOS else relative.with_suffix(".mkv")
    return relative if suffix in _KEPT else relative.with_suffix(".png")


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
