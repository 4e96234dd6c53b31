"""What the command line was given → which file becomes which. No torch here, so that mistakes are told at once.

The files are walked folder by folder each time somebody asks, and not remembered: a million take no more room than the
names in their largest folder.
"""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from cyclegan.data.finding import counting_order, folders, is_picture
from cyclegan.data.scans import DICOM, is_volume
from cyclegan.system.errors import UserError
from cyclegan.translate.jobs import KEPT_VIDEOS, VIDEOS, Job, is_video

# Formats that hold any result; the others lose colour, transparency or detail, and are written as PNG or Matroska.
_KEPT = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".tga", ".jp2", ".ppm", ".avif"}
MOVING = KEPT_VIDEOS | {".gif"}  # what a video can be written as

Part = list[tuple[str, str]]  # (source, path below the output folder) of neighbours


@dataclass(frozen=True)
class Plan:
    """The jobs for what the command line was given, checked; they are found anew each time it is gone through."""

    inputs: tuple[str, ...]
    output: Path
    counts: Counter[str]  # of each ``Job.kind``

    def __iter__(self) -> Iterator[Job]:
        for part in _parts(self.inputs, self.output):
            yield from _jobs(part, self.output)

    def __len__(self) -> int:
        return self.counts.total()


@dataclass
class Share:
    """The jobs of one of several processes: every ``processes``-th."""

    jobs: Iterable[Job]  # of all
    counts: Counter[str]  # of all, by their kind
    rank: int
    processes: int
    overwrite: bool  # also those whose results are there
    begun: int = 0
    there: int = 0  # results that were there already

    def __iter__(self) -> Iterator[Job]:
        return islice(self.jobs, self.rank, None, self.processes)

    def count(self, kind: str) -> int:
        """About how many of a kind this process has; 0 where there are none at all."""
        return -(-self.counts[kind] // self.processes)

    def waiting(self, kind: str, passed: Callable[[], object] = lambda: None) -> Iterator[Job]:
        """Those of a kind that are to be done, one by one; ``passed`` is called for each whose result is there."""
        for job in self if self.counts[kind] else ():
            if job.kind != kind:
                continue
            if self.overwrite or not job.target.exists():
                self.begun += 1
                yield job
            else:
                self.there += 1
                passed()


def plan(inputs: tuple[str, ...], output: Path) -> Plan:
    """The jobs for files, folders (with all below them), patterns and URLs; raises ``UserError``.

    A file goes to ``output``/NAME.EXT, a file in a folder to the same place below ``output``; a single file may also go
    to a file: ``output`` is one where it has the suffix of a picture or a video and is no folder.
    """
    _real_folder.cache_clear()  # the working folder and its links may be others now
    counts: Counter[str] = Counter()
    seen: tuple[dict[str, str], dict[str, str]] = {}, {}
    # In one folder only neighbours can get in each other's way.
    alone = len(inputs) == 1 and Path(inputs[0]).expanduser().is_dir()
    if output.exists() and not output.is_dir() and not _names_a_file(output):
        raise UserError(f"{output} is a file and no folder")
    for part in _parts(inputs, output):
        jobs = _jobs(part, output)
        if not _names_a_file(output):
            _check(jobs, *(({}, {}) if alone else seen))
        counts.update(job.kind for job in jobs)
        first = jobs[0]
    if not counts:
        raise UserError(f"no pictures or videos in {', '.join(inputs)}")
    if _names_a_file(output):
        if counts.total() > 1:
            raise UserError(
                f"{output} is one file, and there are {counts.total()} to translate: give a folder after -o"
            )
        moves = output.suffix.lower() in VIDEOS | {".gif"}
        if first.kind != ("volumes" if is_volume(output) else "videos" if moves else "pictures"):
            like = "a picture becomes a picture, a video a video and a volume a volume"
            raise UserError(f"{first.source} cannot become {output}: {like}")
        _check([first], {}, {})
    return Plan(inputs, output, counts)


def _jobs(part: Part, output: Path) -> list[Job]:
    if _names_a_file(output):
        return [Job(source, output) for source, _ in part]
    return [Job(source, output / _written_as(source, relative)) for source, relative in part]


def _parts(inputs: tuple[str, ...], output: Path) -> Iterator[Part]:
    return (part for given in inputs for part in _expand(given, output) if part)


def _expand(given: str, output: Path) -> Iterator[Part]:
    """Every file that one argument stands for, folder by folder."""
    if given.lower().startswith(("http://", "https://")):
        yield [(given, Path(given.split("?")[0]).name or "picture.png")]
        return
    path = Path(given).expanduser()
    if path.is_dir():
        yield from _below(path, output)
    elif path.exists():
        yield [(str(path), path.name)]
    else:
        matches = sorted(glob.glob(_pattern(path), recursive=True))
        if not matches:
            raise UserError(f"there is no file or folder {given}")
        for match in matches:
            yield from _expand(match, output)


def _pattern(path: Path) -> str:
    """For glob: what is there as it is spelt is meant so, such as a folder called "best [1]"."""
    base, parts = Path(path.anchor), path.parts[len(Path(path.anchor).parts) :]
    spelt = []
    for part in parts:
        spelt.append(glob.escape(part) if (base / part).exists() else part)
        base = base / part
    return os.path.join(glob.escape(path.anchor), *spelt)


def _below(folder: Path, output: Path) -> Iterator[Part]:
    """Pictures, volumes and videos in a folder; without earlier results, where these lie inside it."""
    results = output.resolve()
    if results == folder.resolve():
        results = Path(os.devnull)  # all are inputs; told apart, and refused, later
    for parent, names in folders(folder):
        if results == (real := parent.resolve()) or results in real.parents:
            continue
        inside = "" if parent == folder else str(parent.relative_to(folder))
        kept = [name for name in names if is_picture(name) or os.path.splitext(name)[1].lower() in VIDEOS]
        found = [(os.path.join(parent, name), os.path.join(inside, name)) for name in sorted(kept, key=counting_order)]
        yield [pair for pair in found if not os.path.islink(pair[0]) or results not in Path(pair[0]).resolve().parents]


def _names_a_file(output: Path) -> bool:
    return (output.suffix.lower() in _KEPT | MOVING or is_volume(output)) and not output.is_dir()


def _written_as(source: str, relative: str) -> str:
    stem, ending = os.path.splitext(relative)
    suffix = ending.lower()
    if is_video(source):
        return relative if suffix in MOVING else stem + ".mkv"
    if suffix in DICOM:
        return stem + ".tif"  # a translation is no examination; the values stay
    return relative if suffix in _KEPT or is_volume(relative) else stem + ".png"


def _check(jobs: list[Job], sources: dict[str, str], targets: dict[str, str]) -> None:
    """No two results in one file, and none in the place of an input; with those ``sources`` and ``targets`` before."""
    sources.update((_real(job.source), job.source) for job in jobs)
    for job in jobs:
        target = _real(job.target)
        if target in targets:
            raise UserError(f"{targets[target]} and {job.source} would both become {job.target}: translate them apart")
        targets[target] = job.source
    # Of earlier ones, too: their results may stand in the place of an input that comes later.
    for target in targets.keys() & sources.keys():
        said = f"the result for {targets[target]} would replace the input {sources[target]}"
        raise UserError(f"{said}: choose another -o")


def _real(path: str | os.PathLike) -> str:
    """The path without links, of which only the last part may be new for each file."""
    if os.path.islink(path):
        return os.path.realpath(path)
    parent, name = os.path.split(os.fspath(path))
    return os.path.join(_real_folder(parent), name)


@lru_cache(64)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)
