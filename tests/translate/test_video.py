"""Video in, video out: sizes, times and sound stay, and an interruption costs little."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from cyclegan.networks.build import build_generator
from cyclegan.translate import video
from cyclegan.translate.__main__ import main
from cyclegan.translate.translator import Translator

av = pytest.importorskip("av", reason="videos need the package av")


def translator(folder=None):
    """Inverts colours, exactly: the residual network's own part is silenced to -2 x."""
    architecture = {"name": "resnet", "width": 4, "blocks": 1}
    torch.manual_seed(0)
    header = {"architecture": architecture, "domains": ["horse", "zebra"], "size": 64, "provenance": {}}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    made = Translator(build_generator(architecture), header, "cpu")
    if folder:
        made.save_pretrained(folder)
    return made


class Inverted:
    """A translator whose result is known."""

    def __init__(self, stop_after=None):
        self.network, self.frames, self.stop_after = torch.nn.Identity(), 0, stop_after

    def __call__(self, pictures, size=None, tile=None):
        self.frames += len(pictures)
        if self.stop_after and self.frames > self.stop_after:
            raise KeyboardInterrupt
        return [255 - picture for picture in pictures]


def film(path, frames=20, size=(64, 48), rate=Fraction(30000, 1001), sound=True, colorspace=None, codec="libx264"):
    """Frames of one grey level that rises; a tone beside it."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p" if size[0] % 2 == 0 else "yuv444p"
        if colorspace:
            stream.codec_context.colorspace = 1  # BT.709
        track = out.add_stream("libopus" if str(path).endswith(".webm") else "aac", rate=48000) if sound else None
        for i in range(frames):
            array = np.full((size[1], size[0], 3), (40 + 5 * i, 60, 200), np.uint8)
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            if colorspace:
                frame = frame.reformat(format=stream.pix_fmt, dst_colorspace=colorspace)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if track:
            tone = (np.sin(np.arange(48000 * frames // 30) / 20) * 9000).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            frame.sample_rate = 48000
            out.mux(track.encode(frame))
            out.mux(track.encode())
    return path


def contents(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate, audio = stream.average_rate, len(container.streams.audio)
        frames = container.decode(video=0)
        decoded = [(frame.pts * frame.time_base, frame.to_ndarray(format="rgb24")) for frame in frames]
    sound = []
    if audio:
        with av.open(str(path)) as container:
            sound = [bytes(packet) for packet in container.demux(audio=0) if packet.dts is not None]
    return [t for t, _ in decoded], [f for _, f in decoded], rate, sound


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mkv", {"rate": Fraction(25)}),
        ("a.mov", {"sound": False}),
        ("odd.mp4", {"size": (63, 49)}),
        ("a.webm", {"codec": "libvpx-vp9", "frames": 12}),
        ("hd.mp4", {"colorspace": "ITU709"}),
    ],
)
def test_sizes_times_and_sound_stay(tmp_path, monkeypatch, name, options):
    monkeypatch.setattr(video, "SEGMENT", 7)
    source = film(tmp_path / name, **options)
    target = tmp_path / "out" / name
    target.parent.mkdir()
    video.translate_video(Inverted(), source, target)
    times, frames, rate, sound = contents(source)
    new_times, new_frames, new_rate, new_sound = contents(target)
    assert len(new_frames) == len(frames) == options.get("frames", 20) and new_rate == rate
    assert max(abs(a - b) for a, b in zip(times, new_times, strict=True)) <= Fraction(1, 1000)
    assert new_sound == sound and bool(sound) == options.get("sound", True)
    for old, new in zip(frames, new_frames, strict=True):
        assert new.shape == old.shape
        assert np.abs(255 - old.astype(int) - new).mean() < 4  # lossy, twice
    assert sorted(path.name for path in target.parent.iterdir()) == [name]


def test_an_interrupted_video_goes_on_with_the_next_segment(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "SEGMENT", 8)
    source, target = film(tmp_path / "a.mp4", frames=30), tmp_path / "b.mp4"
    with pytest.raises(KeyboardInterrupt):
        video.translate_video(Inverted(stop_after=20), source, target)
    assert not target.exists()
    second = Inverted()
    video.translate_video(second, source, target)
    assert second.frames == 30 - 16
    assert len(contents(target)[1]) == 30
    third = Inverted()
    with pytest.raises(KeyboardInterrupt):
        video.translate_video(Inverted(stop_after=20), source, tmp_path / "c.mp4")
    video.translate_video(third, source, tmp_path / "c.mp4", size=32)  # other options: nothing may be reused
    assert third.frames == 30


def test_videos_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    translator("mine")
    (tmp_path / "in").mkdir()
    film("in/a.mp4", frames=5)
    (tmp_path / "in" / "broken.mp4").write_bytes((tmp_path / "in" / "a.mp4").read_bytes()[:300])
    (tmp_path / "in" / "text.avi").write_text("no video")
    assert main(["mine", "in", "-o", "out", "--device", "cpu"]) == 1
    said = capsys.readouterr()
    assert "broken.mp4" in said.err and "text.avi" in said.err and "Traceback" not in said.err
    assert len(contents("out/a.mp4")[1]) == 5
