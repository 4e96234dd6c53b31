"""Many pictures, a zip of them or a video in; a zip or a video out, with progress and a way to stop. No gradio here."""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from cyclegan.data.archives import DAMAGED
from cyclegan.data.finding import SUFFIXES
from cyclegan.page import one_picture
from cyclegan.page.background import Stopped, in_background
from cyclegan.page.choices import Way
from cyclegan.system.errors import ImageError
from cyclegan.translate.jobs import VIDEOS, Job

PICTURES = 200  # in one go
UNPACKED = 400 * 10**6  # bytes that a zip may hold
MEGAPIXELS = 24  # of each picture: several are in memory at once
VIDEO_SECONDS = 60


@dataclass
class Report:
    """How far a job is; the last one has ``file``."""

    done: int = 0
    total: int = 0
    file: Path | None = None
    results: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # one sentence for each file
    stopped: bool = False  # before all were done


class Counter:
    """Takes the place of the command line's progress line, see ``cyclegan.system.terminal.Progress``."""

    def __init__(self, tell: Callable[[Report], None]):
        self.tell, self.done, self.total = tell, 0, 0

    def begin(self, total: int, what: str, done: int = 0) -> None:
        self.done, self.total = done, total or 0
        self.advance(0)

    def advance(self, count: int = 1) -> None:
        self.done += count
        self.tell(Report(self.done, self.total))

    def reach(self, done: float) -> None:
        """Within a picture, of which the page shows no part; who is told may stop there."""
        self.advance(0)


def videos_work() -> bool:
    return find_spec("av") is not None and find_spec("cyclegan.translate.video") is not None


def translate_files(
    files: list[str], way: Way, detail: str, work: Path, stop: threading.Event, palette: Any = None
) -> Iterator[Report]:
    """Translates uploaded ``files`` inside the folder ``work``; the last report has the file to take away.

    ``palette`` is that of ``Translator(...)``.

    Raises ``ImageError`` where nothing can be done. After ``stop`` was set the last report has what was finished until
    then; it raises ``Stopped`` where that is nothing. The work ends soon after the caller closes the generator.
    """
    sources, left_out = gather([Path(file) for file in files], work / "in")
    if not sources:
        raise ImageError(" ".join(left_out) or "There are no pictures or videos in what you gave.")
    translator = one_picture.warm.translator(way)
    if translator.palettes is not None:
        translator = translator.with_palette(palette)  # one palette for all pictures and frames
    size = one_picture.shorter_side(translator.size, detail)
    jobs = [Job(str(path), _target(path, work / "out", way)) for path in sources]
    failures = []
    try:
        steps = in_background(lambda tell: _work(translator, jobs, size, Counter(tell)), stop, every=0.2)
        failures = yield from steps
    except Stopped:
        if not any(job.target.is_file() for job in jobs):
            raise
    left_out += [f"{Path(job.source).name}: {reason.replace(job.source, 'it')}" for job, reason in failures]
    results = [job.target for job in jobs if job.target.is_file()]
    if not results:
        raise ImageError(" ".join(left_out))
    yield Report(len(results), len(jobs), _packed(results, work, way), results, left_out, stop.is_set())


def _work(translator, jobs: list[Job], size: int | None, counter: Counter) -> list:
    """All jobs; returns those that failed, with the reason."""
    from cyclegan.translate.pictures import translate_pictures

    failures = translate_pictures(translator, [job for job in jobs if not job.is_video], size, None, counter)
    if videos := [job for job in jobs if job.is_video]:
        from cyclegan.translate.video import translate_videos

        failures += translate_videos(translator, videos, size, None, counter)
    return failures


def gather(files: list[Path], folder: Path) -> tuple[list[Path], list[str]]:
    """The pictures and videos among ``files`` and in the zips among them, and what was left out and why."""
    folder.mkdir(parents=True)
    found, left_out = [], []
    for file in files:
        suffix = file.suffix.lower()
        try:
            if suffix == ".zip":
                found += _unzipped(file, folder, PICTURES - len(found))
            elif suffix in VIDEOS and videos_work():
                check_video(file)
                found.append(shutil.copy(file, _free(folder, file.name)))
            elif suffix in SUFFIXES:
                found.append(shutil.copy(file, _free(folder, file.name)))
            else:
                raise ImageError("this kind of file cannot be translated")
        except ImageError as error:
            left_out.append(f"{file.name}: {error}.")
    good = []
    for path in map(Path, found):
        if len(good) == PICTURES:
            left_out.append(f"Only the first {PICTURES} files were taken.")
            break
        problem = None if path.suffix.lower() in VIDEOS else _problem(path)
        good += [] if problem else [path]
        left_out += [f"{path.name}: {problem}."] if problem else []
    return good, left_out


def check_video(file: Path) -> None:
    """Raises ``ImageError`` for what is no video or lasts too long."""
    import av

    try:
        with av.open(str(file)) as video:
            long = (video.duration or 0) / 1e6
            if not video.streams.video:
                raise ImageError("there is no picture in this video")
    except (av.FFmpegError, OSError) as error:
        raise ImageError("this video cannot be read, or is damaged") from error
    if long > VIDEO_SECONDS:
        raise ImageError(f"the video lasts {long:.0f} s, and this page takes {VIDEO_SECONDS} s at most")


def _problem(path: Path) -> str | None:
    try:
        with Image.open(path) as image:
            width, height = image.size
    except Exception:  # on damaged files Pillow raises nearly anything
        return "this is not a picture that can be read here"
    return f"it has more than {MEGAPIXELS} megapixels" if width * height > MEGAPIXELS * 10**6 else None


def _unzipped(file: Path, folder: Path, room: int) -> list[Path]:
    """The pictures in a zip, flat in ``folder``: the names and sizes that it states are not believed."""
    found, left = [], UNPACKED
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                name = Path(entry.filename.replace("\\", "/")).name
                if entry.is_dir() or name.startswith(".") or Path(name).suffix.lower() not in SUFFIXES:
                    continue
                if "__MACOSX" in entry.filename:
                    continue
                if len(found) >= room + 1:
                    break
                with archive.open(entry) as packed:
                    data = packed.read(one_picture.MEGABYTES * 10**6 + 1)
                if len(data) > one_picture.MEGABYTES * 10**6:
                    raise ImageError(f"{name} in it has more than {one_picture.MEGABYTES} MB")
                if len(data) > left:
                    raise ImageError(f"it holds more than {UNPACKED // 10**6} MB")
                left -= len(data)
                target = _free(folder, name)
                target.write_bytes(data)
                found.append(target)
    except (*DAMAGED, OSError) as error:
        locked = isinstance(error, RuntimeError) and "password" in str(error)
        raise ImageError("it is locked with a password" if locked else "it is damaged or no zip file") from error
    if not found:
        raise ImageError("there are no pictures in it")
    return found


def _free(folder: Path, name: str) -> Path:
    """A path for that name in ``folder``, numbered where it is taken."""
    path, n = folder / name, 2
    while path.exists():
        path, n = folder / f"{Path(name).stem}_{n}{Path(name).suffix}", n + 1
    return path


def _target(source: Path, folder: Path, way: Way) -> Path:
    """Where a result goes: with another ending where it cannot be written in the source's format.

    Pictures keep their names, by which those who gave many find them again; a video gets one of its own.
    """
    video = source.suffix.lower() in VIDEOS
    kept = {".mp4", ".m4v", ".mov", ".mkv", ".webm"} if video else {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
    suffix = "" if source.suffix.lower() in kept else ".mkv" if video else ".png"
    if video:
        return folder / f"{source.stem}_{way.target}{suffix or source.suffix}".replace(" ", "_").replace("/", "_")
    return folder / (source.name + suffix)


def _packed(results: list[Path], work: Path, way: Way) -> Path:
    """The one result, or all of them in a zip."""
    if len(results) == 1:
        return results[0]
    target = work / f"{way.source}_to_{way.target}.zip".replace(" ", "_").replace("/", "_")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in results:
            archive.write(path, path.name)
    return target
