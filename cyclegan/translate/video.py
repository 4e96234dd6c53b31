"""Video in, video out: frame rate, size and sound stay; what was done before an interruption is kept.

A video is translated in segments of ``SEGMENT`` frames, each a small file in ``.NAME.parts`` beside the result. The
next attempt skips the segments that are there; at the end they are joined without encoding again, and the sound is
copied beside them. Each frame is translated by itself, so that what a network invents may flicker.
"""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cyclegan.networks.dropout import seed_of
from cyclegan.system.errors import UserError, require
from cyclegan.system.files import whole, write_whole
from cyclegan.system.terminal import Progress
from cyclegan.translate.jobs import Job

if TYPE_CHECKING:
    from cyclegan.translate.translator import Translator

SEGMENT = 120  # frames; what an interruption costs at most
BATCH = 4
_BT709, _UNSPECIFIED = 1, 2  # FFmpeg's numbers for the coding of colours


def translate_videos(
    translator: Translator, jobs: list[Job], size: int | None, tile: int | None, progress: Progress
) -> list[tuple[Job, str]]:
    """Does all jobs; returns those that failed, with the reason."""
    failures = []
    for job in jobs:
        try:
            translate_video(translator, job.source, job.target, size=size, tile=tile, progress=progress)
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
) -> None:
    """Translates the first video stream of the file ``source`` frame by frame into ``target``; copies the sound.

    ``size`` and ``tile`` are those of ``Translator``; ``progress`` has ``begin(total, what)`` and ``advance(count)``.
    H.264 in MP4, QuickTime and Matroska, VP9 in WebM. Raises ``UserError``; an interruption (KeyboardInterrupt) passes
    through, and the same call goes on from there.
    """
    require(f"{source}: a video", "video", "av")
    import av

    source, target = Path(source), Path(target)
    parts = target.with_name(f".{target.name}.parts")
    try:
        _prepare(parts, _plan(translator, source, target, size, tile))
        with av.open(str(source)) as container:
            if not container.streams.video:
                raise UserError(f"{source} holds no video")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if progress:
                progress.begin(stream.frames or None, source.name)
            codec = "libvpx-vp9" if target.suffix.lower() == ".webm" else "libx264"
            options = {"size": size, "tile": tile}
            starts = _translate_segments(translator, container, stream, parts, codec, options, progress)
        if not starts:
            raise UserError(f"{source} holds no frame that can be decoded")
        with whole(target) as part:
            os.replace(_joined(parts, starts, source, target.suffix), part)
    except (av.error.FFmpegError, OSError) as error:
        raise UserError(f"{source} could not be translated: {error.strerror or error}") from error
    shutil.rmtree(parts)


def _plan(translator: Translator, source: Path, target: Path, size: int | None, tile: int | None) -> str:
    """What segments depend on: those of another file, translator or option must not be joined to these."""
    if not source.is_file():
        raise UserError(f"there is no video {source} on this machine")
    status = source.stat()
    weights = float(sum(value.double().abs().sum() for value in translator.network.state_dict().values()))
    described = [str(source.resolve()), status.st_size, status.st_mtime, weights, size, tile, target.suffix, SEGMENT]
    described += [seed_of(translator.network)]
    return json.dumps(described)


def _prepare(parts: Path, described: str) -> None:
    plan = parts / "plan.json"
    if plan.is_file() and plan.read_text() == described:
        return
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    write_whole(plan, described)


def _translate_segments(
    translator: Translator,
    container: Any,
    stream: Any,
    parts: Path,
    codec: str,
    options: dict,
    progress: Progress | None,
) -> list[Fraction]:
    """Writes every segment that is not there yet; returns the seconds at which each begins."""
    frames = _timed(container.decode(stream), stream)
    starts: list[Fraction] = []
    while segment := list(islice(frames, SEGMENT)):
        path = parts / f"{len(starts):06}.mp4"
        starts.append(segment[0][0])
        if path.exists():
            if progress:
                progress.advance(len(segment))
            continue
        with whole(path) as part:
            _encode(_translated(translator, segment, options, progress), part, stream, codec)
    return starts


def _timed(frames: Iterable, stream: Any) -> Iterator[tuple[Fraction, Any]]:
    """(seconds, frame); where a file gives no time, one frame's duration after the last."""
    rate = stream.average_rate or Fraction(25)
    now = Fraction(0)
    for frame in frames:
        now = now if frame.pts is None else frame.pts * Fraction(frame.time_base)
        yield now, frame
        now += 1 / rate


def _translated(
    translator: Translator, segment: list, options: dict, progress: Progress | None
) -> Iterator[tuple[Fraction, Any, np.ndarray]]:
    """(seconds since the segment's beginning, original frame, upright translated picture)."""
    for i in range(0, len(segment), BATCH):
        batch = segment[i : i + BATCH]
        # The rotation of a telephone's video counts counter-clockwise, as numpy does.
        pictures = [np.rot90(f.to_ndarray(format="rgb24"), round(f.rotation / 90) % 4) for _, f in batch]
        for (now, frame), result in zip(batch, translator(pictures, **options), strict=True):
            yield now - segment[0][0], frame, result
        if progress:
            progress.advance(len(batch))


def _encode(pictures: Iterable, path: Path, stream: Any, codec: str) -> None:
    import av

    with av.open(str(path), "w", format="mp4") as out:
        encoder: Any = None
        for now, original, picture in pictures:
            if encoder is None:
                encoder = _encoder(out, stream, codec, *picture.shape[:2])
                # Where the source does not say how colours are coded, players guess; let them guess the same again.
                says = original.colorspace != _UNSPECIFIED
                if says:
                    encoder.codec_context.colorspace = _BT709
            shape = "gray" if picture.shape[2] == 1 else "rgb24"
            frame = av.VideoFrame.from_ndarray(picture.squeeze(), format=shape)
            frame = frame.reformat(format=encoder.pix_fmt, dst_colorspace="ITU709" if says else "DEFAULT")
            frame.time_base = encoder.codec_context.time_base
            frame.pts = round(now / frame.time_base)
            out.mux(encoder.encode(frame))
        out.mux(encoder.encode())


def _encoder(out: Any, stream: Any, codec: str, height: int, width: int) -> Any:
    encoder = out.add_stream(codec, rate=stream.average_rate or 25)
    encoder.width, encoder.height = width, height
    # Halved colour resolution needs even sides; few players mind the full one, and none the wrong size.
    encoder.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
    encoder.codec_context.time_base = stream.time_base
    quality = {"crf": "24", "b": "0", "row-mt": "1"} if codec == "libvpx-vp9" else {"crf": "18", "preset": "medium"}
    # Without frames that refer to later ones, packets leave in the order of time and segments join without gaps.
    encoder.options = {**quality, "bf": "0"} if codec == "libx264" else {**quality, "auto-alt-ref": "0"}
    return encoder


def _joined(parts: Path, starts: list[Fraction], source: Path, suffix: str) -> Path:
    """One file from the segments and the sound of the source; ``suffix`` chooses its format."""
    import av

    path = parts / f"whole{suffix}"
    with av.open(str(source)) as original, av.open(str(path), "w") as out:
        with av.open(str(parts / "000000.mp4")) as first:
            video = out.add_stream_from_template(first.streams.video[0])
            video.codec_context.framerate = original.streams.video[0].average_rate or Fraction(25)
        sound = {stream.index: out.add_stream_from_template(stream) for stream in original.streams.audio}
        pictures = _video_packets(parts, starts, video)
        sounds = _audio_packets(original, sound) if sound else iter(())
        for packet in heapq.merge(pictures, sounds, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def _video_packets(parts: Path, starts: list[Fraction], stream: Any) -> Iterator[Any]:
    import av

    for i, start in enumerate(starts):
        with av.open(str(parts / f"{i:06}.mp4")) as segment:
            for packet in segment.demux(video=0):
                if packet.dts is None:  # the end, not a packet
                    continue
                offset = round(start / packet.time_base)
                packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                packet.stream = stream
                yield packet


def _audio_packets(original: Any, streams: dict) -> Iterator[Any]:
    for packet in original.demux(list(original.streams.audio)):
        if packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            yield packet
