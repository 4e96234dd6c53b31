"""Video in, video out: frame rate, size and sound stay; what was done before an interruption is kept.

A video is translated in segments of ``SEGMENT`` frames, each a small file in ``.NAME.parts`` beside the result. The
next attempt skips the segments that are there; at the end they are joined without encoding again, and the sound is
copied beside them. Each frame is translated by itself, so that what a network invents may flicker; ``steady`` lessens
that, see ``cyclegan.translate.steady``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cyclegan.system.errors import UserError, require
from cyclegan.system.files import whole, write_whole
from cyclegan.system.terminal import Progress
from cyclegan.translate.film import encode, joined
from cyclegan.translate.jobs import Clip, Job

if TYPE_CHECKING:
    from cyclegan.translate.translator import Translator

SEGMENT = 120  # frames; what an interruption costs at most
BATCH = 4
WHOLE = Clip()

Make = Callable[[Sequence[Fraction], list[np.ndarray]], Iterable[np.ndarray]]  # seconds, frames → translated frames


def translate_videos(
    translator: Translator,
    jobs: list[Job],
    size: int | None,
    tile: int | None,
    progress: Progress,
    clip: Clip = WHOLE,
) -> list[tuple[Job, str]]:
    """Does all jobs; returns those that failed, with the reason."""
    failures = []
    for job in jobs:
        try:
            translate_video(translator, job.source, job.target, size=size, tile=tile, progress=progress, clip=clip)
        except UserError as error:
            failures.append((job, str(error)))
    return failures


def translate_video(
    translator: Translator,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    size: int | None = None,
    tile: int | None = None,
    progress: Progress | None = None,
    clip: Clip = WHOLE,
) -> None:
    """Translates the first video stream of the file ``source`` frame by frame into ``target``; copies the sound.

    ``size`` and ``tile`` are those of ``Translator``; ``progress`` has ``begin(total, what)`` and ``advance(count)``.
    H.264 in MP4, QuickTime and Matroska, VP9 in WebM; a GIF has 256 colours and no sound. Raises ``UserError``; an
    interruption (KeyboardInterrupt) passes through, and the same call goes on from there.
    """
    require(f"{source}: a video", "video", "av")
    import av

    source, target = Path(source), Path(target)
    parts = target.with_name(f".{target.name}.parts")
    options: dict[str, Any] = {"size": size, "tile": tile}
    try:
        _prepare(parts, _plan(translator, source, target, options, clip))
        make: Make = lambda _, pictures: translator(pictures, **options)  # noqa: E731
        if clip.steady:
            make = _steady(translator, source, parts, options, progress, clip)
        with av.open(str(source)) as container:
            stream = _stream(container, source)
            if progress:
                progress.begin(_count(stream, clip), source.name)
            frames = _frames(container, stream, clip)
            starts = _translate_segments(make, frames, stream, parts, target.suffix, progress)
        if not starts:
            at = f" from {clip.start:g} s on" if clip.start else ""
            raise UserError(f"{source} holds no frame that can be decoded{at}")
        with whole(target) as part:
            os.replace(joined(parts, starts, source, target.suffix, clip.start, clip.end), part)
    except (av.error.FFmpegError, OSError) as error:
        raise UserError(f"{source} could not be translated: {error.strerror or error}") from error
    shutil.rmtree(parts)


def _plan(translator: Translator, source: Path, target: Path, options: dict, clip: Clip) -> str:
    """What segments depend on: those of another file, translator or option must not be joined to these."""
    if not source.is_file():
        raise UserError(f"there is no video {source} on this machine")
    status = source.stat()
    weights = float(sum(value.double().abs().sum() for value in translator.network.state_dict().values()))
    described = [str(source.resolve()), status.st_size, status.st_mtime, weights, options, asdict(clip)]
    return json.dumps([*described, target.suffix, SEGMENT])


def _prepare(parts: Path, described: str) -> None:
    plan = parts / "plan.json"
    if plan.is_file() and plan.read_text() == described:
        return
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    write_whole(plan, described)


def _stream(container: Any, source: Path) -> Any:
    if not container.streams.video:
        raise UserError(f"{source} holds no video")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _count(stream: Any, clip: Clip) -> int | None:
    """How many frames there will be, where the file says so."""
    return None if clip.start or clip.end else stream.frames or None


def _frames(container: Any, stream: Any, clip: Clip) -> Iterator[tuple[Fraction, Any]]:
    """(seconds after ``clip.start``, frame) of the clip; without a time in the file, one duration after the last frame.

    Begins to decode at the last frame before the clip that can be decoded by itself.
    """
    if clip.start:
        container.seek(round(clip.start / stream.time_base), stream=stream)
    start, length = Fraction(clip.start).limit_denominator(10**6), 1 / (stream.average_rate or Fraction(25))
    now = Fraction(0)
    for frame in container.decode(stream):
        now = now if frame.pts is None else frame.pts * Fraction(frame.time_base)
        if clip.end is not None and float(now) >= clip.end:
            return
        if now >= start:
            yield now - start, frame
        now += length


def _steady(
    translator: Translator, source: Path, parts: Path, options: dict, progress: Progress | None, clip: Clip
) -> Make:
    """Goes through the clip for its statistics, or reads what an earlier attempt found; returns what uses them."""
    import av

    from cyclegan.translate.steady import Steady

    steady, path = Steady(translator), parts / "statistics.npz"
    if path.exists():
        with np.load(path) as state:
            steady.load_state(state)
    else:
        with av.open(str(source)) as container:
            stream = _stream(container, source)
            if progress:
                progress.begin(_count(stream, clip), f"{source.name}, looking")
            for now, frame in _frames(container, stream, clip):
                steady.observe(_upright(frame), float(now), **options)
                if progress:
                    progress.advance()
        with whole(path) as part, open(part, "wb") as file:
            arrays: Any = steady.state()
            np.savez(file, **arrays)
    return lambda times, pictures: [steady(p, float(t), **options) for t, p in zip(times, pictures, strict=True)]


def _translate_segments(
    make: Make,
    frames: Iterator[tuple[Fraction, Any]],
    stream: Any,
    parts: Path,
    suffix: str,
    progress: Progress | None,
) -> list[Fraction]:
    """Writes every segment that is not there yet; returns the seconds at which each begins."""
    starts: list[Fraction] = []
    while segment := list(islice(frames, SEGMENT)):
        path = parts / f"{len(starts):06}.mp4"
        starts.append(segment[0][0])
        if path.exists():
            if progress:
                progress.advance(len(segment))
            continue
        with whole(path) as part:
            encode(_translated(make, segment, progress), part, stream, suffix)
    return starts


def _translated(
    make: Make, segment: list[tuple[Fraction, Any]], progress: Progress | None
) -> Iterator[tuple[Fraction, Any, np.ndarray]]:
    """(seconds since the segment's beginning, original frame, upright translated picture)."""
    for i in range(0, len(segment), BATCH):
        times, frames = zip(*segment[i : i + BATCH], strict=True)
        results = make(times, [_upright(frame) for frame in frames])
        for now, frame, result in zip(times, frames, results, strict=True):
            yield now - segment[0][0], frame, result
        if progress:
            progress.advance(len(times))


def _upright(frame: Any) -> np.ndarray:
    """uint8 (H, W, 3). The rotation of a telephone's video counts counter-clockwise, as numpy does."""
    return np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
