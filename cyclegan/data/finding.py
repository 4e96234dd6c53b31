"""Which files below a folder are pictures, in the order people count."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cyclegan.data.scans import DICOM, is_volume, slices
from cyclegan.system.errors import ImageError

_COMMON = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
_RARE = {".tga", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"}
# Pillow alone cannot read HEIC: listed, so that a folder of them is refused by name and does not look empty.
_APPLE = {".heic", ".heif"}
SUFFIXES = frozenset(_COMMON | _RARE | _APPLE | DICOM)

# Folders of archives packed on a Mac, of network drives, of Windows and of picture viewers.
DEBRIS = {"__macosx", "@eadir", "#recycle", "@recycle", "@recently-snapshot", "#snapshot", "lost+found"}
DEBRIS |= {"$recycle.bin", "system volume information", "thumbs", "thumbnails", "_thumbnails", "__pycache__"}


def find_images(folder: str | os.PathLike) -> list[Path]:
    """All pictures below `folder`, by suffix, in the order people count (2.png before 10.png).

    Of a NIfTI volume those are its slices, see ``data.scans``.

    Hidden files and folders are left out, and so is what other programs leave (`DEBRIS`). Links to folders are
    followed, each folder once. Raises `ImageError` if the folder does not exist or cannot be listed; an empty folder
    gives an empty list.
    """
    files = find_files(folder)
    return [part for path in files for part in (slices(path) if is_volume(path) else [path])]


def find_files(folder: str | os.PathLike) -> list[Path]:
    """As `find_images`, but a volume is one file."""
    folder = Path(folder)
    found = [path for path in walk(folder) if is_picture(path)]
    return sorted(found, key=lambda path: counting_order(path.relative_to(folder)))


def is_picture(path: str | os.PathLike) -> bool:
    """Whether a file is a picture or a volume of pictures, by its name."""
    return os.path.splitext(path)[1].lower() in SUFFIXES or is_volume(path)


def walk(folder: Path) -> Iterator[Path]:
    """All files below `folder`, in no order, by the rules of `find_images`."""
    return (parent / name for parent, names in folders(folder) for name in names)


def folders(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """`folder` and all below it, each with the names of its files, by the rules of `find_images`."""
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder" if folder.exists() else f"there is no folder {folder}")
    seen = {os.path.realpath(folder)}
    for parent, below, files in os.walk(folder, onerror=_cannot_list, followlinks=True):
        kept = []
        for name in sorted(below, key=lambda name: os.path.islink(os.path.join(parent, name))):
            real = os.path.realpath(os.path.join(parent, name))
            if not is_debris(name) and real not in seen:  # a link may lead back up
                seen.add(real)
                kept.append(name)
        below[:] = kept
        yield Path(parent), [name for name in files if not name.startswith(".")]


def is_debris(name: str) -> bool:
    """Whether a folder of that name is hidden, or one that other programs leave."""
    return name.startswith(".") or name.lower() in DEBRIS


def _cannot_list(error: OSError) -> None:
    raise ImageError(f"The folder {error.filename} cannot be listed: {error.strerror}") from error


def counting_order(path: str | Path) -> tuple:
    """Sort key for paths: runs of digits compare as numbers, letters without case; the plain path settles ties."""

    def key(run: str) -> tuple:
        return (0, int(run), "") if run.isdecimal() else (1, 0, run.casefold())

    path = Path(path)
    parts = [tuple(key(run) for run in re.split(r"(\d+)", part) if run) for part in path.parts]
    return parts, path.as_posix()
