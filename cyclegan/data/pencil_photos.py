"""A sketch → photo data set out of any folder of photos.

Domain A is pencil drawings of one half of the photos, domain B the photos of the other half, so that training is
unpaired; or in pairs, every photo is drawn and is the partner of its drawing, under the same name. A share is kept for
the test, always in pairs.
"""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cyclegan.system.errors import UserError
from cyclegan.system.files import filled, place
from cyclegan.system.terminal import say, track

FEWEST = 10  # photos: below this not even a trial run has anything to learn from
WORKERS = min(8, os.cpu_count() or 1)  # a thread holds a whole photo, so their number bounds the memory


def make_sketch2photo(
    photos: Path, folder: Path, size: int = 286, test: float = 0.1, skip_bad: bool = False, pairs: bool = False
) -> dict[str, int]:
    """Make `folder` with trainA, trainB, testA, testB and card.toml; returns how many pictures each one has.

    With `pairs` the training pictures are pairs too, for models that learn from them.
    RGB and grey PNG files of `size` × `size`. The parts follow from a hash of each file's bytes: the same photos give
    the same data set, and a photo that is there twice is used once. `folder` appears whole or not at all. Raises
    `UserError`; unreadable photos are named in it, or on standard error with `skip_bad`.
    """
    from cyclegan.data.finding import find_images

    photos, folder = Path(photos), Path(folder)
    if size < 32:
        raise UserError(f"--size must be at least 32, not {size}")
    if not 0 < test <= 0.5:
        raise UserError(f"--test is a share above 0 and up to 0.5, not {test:g}")
    if filled(folder) or folder.is_file():
        raise UserError(f"{folder} exists already: choose another folder with -o, or remove it first")
    files = find_images(photos)
    _require_enough(len(files), photos)

    counts: dict[str, int] = {}

    def build(work: Path) -> Path:
        squares = _cut_squares(files, photos, work / "squares", size, skip_bad)
        _require_enough(len(squares), photos)
        counts.update(_share_out(squares, work, test, pairs))
        (work / "squares").rmdir()
        (work / "card.toml").write_text(_card(folder.name, size), "utf-8")
        return work

    place(folder.absolute(), build)
    return counts


def _require_enough(count: int, photos: Path) -> None:
    if count < FEWEST:
        raise UserError(f"{photos} holds {count} usable photos and at least {FEWEST} are needed: add more")


def _cut_squares(files: list[Path], photos: Path, folder: Path, size: int, skip_bad: bool) -> list[Path]:
    """Cut and store every photo as PNG; returns the files in the order of the photos' hashes, without duplicates."""
    from PIL import Image, ImageOps

    from cyclegan.data.images import read_image
    from cyclegan.system.errors import ImageError

    folder.mkdir(parents=True)
    names = _names(files, photos)

    def cut(path: Path) -> str | ImageError:
        try:
            image = Image.fromarray(read_image(path))
        except ImageError as error:
            return error
        square = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
        square.save(folder / names[path])
        return hashlib.sha256(path.read_bytes()).hexdigest()

    found: dict[str, Path] = {}
    problems = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for path, result in zip(files, track(pool.map(cut, files), "Reading photos", len(files)), strict=True):
            if isinstance(result, ImageError):
                problems.append(result)
            elif result in found:
                (folder / names[path]).unlink()
            else:
                found[result] = folder / names[path]
    if problems and not skip_bad:
        more = f" (and {len(problems) - 1} more photos)" if len(problems) > 1 else ""
        raise UserError(f"{problems[0]}{more}; --skip-bad goes on without")
    for problem in problems:
        say(f"Left out: {problem}")
    twice = len(files) - len(problems) - len(found)
    if twice:
        say(f"Left out: {twice} photos that are there twice")
    return [found[digest] for digest in sorted(found)]


def _names(files: list[Path], photos: Path) -> dict[Path, str]:
    """A file name for each photo: its own with the folders it lies in; a number where two would be the same."""
    names: dict[Path, str] = {}
    taken = set()
    for path in files:
        plain = name = "_".join(path.relative_to(photos).with_suffix("").parts)
        number = 2
        while name.casefold() in taken:  # not every disk tells a.png from A.png
            name, number = f"{plain}_{number}", number + 1
        taken.add(name.casefold())
        names[path] = f"{name}.png"
    return names


def _share_out(squares: list[Path], work: Path, test: float, pairs: bool) -> dict[str, int]:
    """Move the photos to their parts and draw the sketches; returns how many pictures each part has."""
    from PIL import Image

    from cyclegan.data.images import read_image
    from cyclegan.data.pencil import pencil_drawing

    kept = max(1, round(len(squares) * test))
    training = squares[kept:]
    drawn, photos = (training, training) if pairs else (training[::2], training[1::2])
    parts = {"testA": squares[:kept], "testB": squares[:kept], "trainA": drawn, "trainB": photos}
    for part in parts:
        (work / part).mkdir()

    def sketch(job: tuple[str, Path]) -> None:
        part, path = job
        Image.fromarray(pencil_drawing(read_image(path))).save(work / part / path.name)

    jobs = [(part, path) for part in ("testA", "trainA") for path in parts[part]]
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in track(pool.map(sketch, jobs), "Drawing sketches", len(jobs)):
            pass
    for path in set(drawn) - set(photos):
        path.unlink()
    for part in ("testB", "trainB"):
        for path in parts[part]:
            path.rename(work / part / path.name)
    return {part: len(paths) for part, paths in parts.items()}


def _card(name: str, size: int) -> str:
    crop = max(32, round(size * 256 / 286) // 4 * 4)
    return f"""\
title = {json.dumps(f"Pencil sketch and photo: {name}", ensure_ascii=False)}
domains = ["sketch", "photo"]
channels = [3, 3]
paired_test = true
licence = "that of the photos it was made from"
source = "made by python -m cyclegan.sketch2photo"

[train]
size = {crop}
"""
