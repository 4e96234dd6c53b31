"""Films as files: segments are encoded, then joined with the sound of the source, or into a GIF."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

_BT709, _UNSPECIFIED = 1, 2  # FFmpeg's numbers for the coding of colours
_HUNDREDTHS = Fraction(1, 100)  # of a second: the times of a GIF


def encode(pictures: Iterable, path: Path, stream: Any, suffix: str) -> None:
    """Writes one segment: (seconds, original frame, uint8 (H, W, C)) of each frame, for a film of that ``suffix``."""
    import av

    with av.open(str(path), "w", format="mp4") as out:
        encoder: Any = None
        for now, original, picture in pictures:
            if encoder is None:
                encoder = _encoder(out, stream, suffix.lower(), *picture.shape[:2])
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


def _encoder(out: Any, stream: Any, suffix: str, height: int, width: int) -> Any:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    encoder = out.add_stream(codec, rate=stream.average_rate or 25)
    encoder.width, encoder.height = width, height
    # Halved colour resolution needs even sides; few players mind the full one, and none the wrong size.
    full = width % 2 or height % 2 or suffix == ".gif"
    encoder.pix_fmt = "yuv444p" if full else "yuv420p"
    encoder.codec_context.time_base = stream.time_base
    quality = {"crf": "24", "b": "0", "row-mt": "1"} if codec == "libvpx-vp9" else {"crf": "18", "preset": "medium"}
    if suffix == ".gif":  # encoded once more, to 256 colours
        quality["crf"] = "8"
    # Without frames that refer to later ones, packets leave in the order of time and segments join without gaps.
    encoder.options = {**quality, "bf": "0"} if codec == "libx264" else {**quality, "auto-alt-ref": "0"}
    return encoder


def joined(
    parts: Path, starts: list[Fraction], source: Path, suffix: str, begin: float = 0.0, end: float | None = None
) -> Path:
    """One file from the segments and the sound of the source from ``begin`` to ``end``, in seconds.

    ``suffix`` chooses its format.
    """
    import av

    path = parts / f"whole{suffix}"
    if suffix.lower() == ".gif":
        _write_gif(parts, starts, path)
        return path
    with av.open(str(source)) as original, av.open(str(path), "w") as out:
        with av.open(str(parts / "000000.mp4")) as first:
            video = out.add_stream_from_template(first.streams.video[0])
            video.codec_context.framerate = original.streams.video[0].average_rate or Fraction(25)
        sound = {stream.index: out.add_stream_from_template(stream) for stream in original.streams.audio}
        pictures = _video_packets(parts, starts, video)
        sounds = _audio_packets(original, sound, begin, end) if sound else iter(())
        for packet in heapq.merge(pictures, sounds, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def _write_gif(parts: Path, starts: list[Fraction], path: Path) -> None:
    """All segments in one palette, the best one for the whole film, so that its colours do not flicker."""
    import av

    graph = av.filter.Graph()
    with av.open(str(parts / "000000.mp4")) as first:
        stream = first.streams.video[0]
        source = graph.add_buffer(template=stream)
        width, height, rate = stream.width, stream.height, stream.average_rate
    split, generate, use, sink = (graph.add(name) for name in ("split", "palettegen", "paletteuse", "buffersink"))
    for link in ((source, split, 0, 0), (split, generate, 0, 0), (split, use, 1, 0), (generate, use, 0, 1)):
        link[0].link_to(link[1], *link[2:])
    use.link_to(sink)
    graph.configure()
    for i, start in enumerate(starts):
        with av.open(str(parts / f"{i:06}.mp4")) as segment:
            for frame in segment.decode(video=0):
                frame.pts += round(start / frame.time_base)
                graph.push(frame)
    graph.push(None)
    with av.open(str(path), "w") as out:
        encoder = out.add_stream("gif", rate=rate)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "pal8"
        encoder.codec_context.time_base = _HUNDREDTHS
        for frame in _pulled(graph):
            frame.pts, frame.time_base = round(frame.pts * frame.time_base / _HUNDREDTHS), _HUNDREDTHS
            out.mux(encoder.encode(frame))
        out.mux(encoder.encode())


def _pulled(graph: Any) -> Iterator[Any]:
    import av

    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


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


def _audio_packets(original: Any, streams: dict, begin: float, end: float | None) -> Iterator[Any]:
    """The packets of the sound between two times, moved so that the first of them is 0."""
    for packet in original.demux(list(original.streams.audio)):
        if packet.dts is None:
            continue
        now, offset = float(packet.dts * packet.time_base), round(begin / packet.time_base)
        if now < begin or (end is not None and now >= end):
            continue
        if offset:
            packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
        packet.stream = streams[packet.stream.index]
        yield packet
