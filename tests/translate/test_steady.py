"""Colours that hold still over a clip, parts of clips, and GIFs."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from pairs import make
from PIL import Image
from test_video import contents, film

from cyclegan.networks.build import build_generator
from cyclegan.system.errors import UserError
from cyclegan.translate import video
from cyclegan.translate.__main__ import main
from cyclegan.translate.jobs import Clip, seconds_of
from cyclegan.translate.steady import CUT, Steady, colours_of, difference
from cyclegan.translate.translator import Translator

pytest.importorskip("av", reason="videos need the package av")


def frames_with_a_lamp(count=16):
    """A still scene beside a lamp that blinks: the rest is the same thing in all frames."""
    draw = np.random.default_rng(0)
    scene = draw.integers(60, 180, (48, 64, 3), np.uint8)
    frames = []
    for level in draw.integers(0, 255, count):
        frame = scene.copy()
        frame[:, :16] = level
        frames.append(frame)
    return frames


def steadily(translator, frames, rate=10.0, **options):
    steady = Steady(translator)
    for i, frame in enumerate(frames):
        steady.observe(frame, i / rate, **options)
    return steady, [steady(frame, i / rate, **options) for i, frame in enumerate(frames)]


def pumping(frames):
    """How much the right end, which is out of the lamp's sight, changes from frame to frame."""
    ends = [frame[:, -16:].astype(float) for frame in frames]
    return np.mean([np.abs(b - a).mean() for a, b in pairwise(ends)])


@pytest.mark.parametrize("tile", [0, 32])
def test_what_does_not_change_keeps_its_colours(tile):
    translator, frames = make(), frames_with_a_lamp()
    alone = [translator(frame, tile=tile) for frame in frames]
    _, steady = steadily(translator, frames, tile=tile)
    assert pumping(alone) > 0.5, "frame by frame it pumps"
    assert pumping(steady) < 0.4 * pumping(alone)


def test_a_clip_of_one_picture_is_that_picture():
    translator = make()
    picture = np.random.default_rng(1).integers(0, 255, (32, 40, 3), np.uint8)
    _, results = steadily(translator, [picture] * 8)
    for result in results:
        assert np.abs(result.astype(int) - translator(picture)).max() <= 1


def test_nothing_is_averaged_across_a_cut():
    translator = make()
    red, blue = (np.full((32, 32, 3), colour, np.uint8) for colour in ((200, 30, 30), (30, 30, 200)))
    for picture in (red, blue):
        picture[8:20, 8:20] += 40
    assert difference(colours_of(red), colours_of(blue)) > CUT
    _, results = steadily(translator, [red] * 6 + [blue] * 6)
    for result, picture in ((results[5], red), (results[6], blue)):
        assert np.abs(result.astype(int) - translator(picture)).max() <= 1


def test_statistics_survive_as_arrays_and_networks_without_norms_translate_as_ever(tmp_path):
    translator, frames = make(), frames_with_a_lamp(6)
    steady, results = steadily(translator, frames)
    np.savez(tmp_path / "s.npz", **steady.state())
    again = Steady(translator)
    with np.load(tmp_path / "s.npz") as state:
        again.load_state(state)
    assert np.array_equal(again(frames[3], 0.3), results[3])
    architecture = {"name": "resnet", "width": 4, "blocks": 1, "norm": "none"}
    header = translator.header | {"architecture": architecture}
    bare = Translator(build_generator(architecture), header, "cpu")
    assert np.array_equal(steadily(bare, frames)[1][2], bare(frames[2]))


def test_a_steady_film_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "SEGMENT", 8)
    source, translator = film(tmp_path / "a.mp4", frames=20), make()
    clip = Clip(steady=True)
    video.translate_video(translator, source, tmp_path / "whole.mp4", clip=clip)
    encode, calls = video.encode, []

    def stops(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(*arguments)

    monkeypatch.setattr(video, "encode", stops)
    with pytest.raises(KeyboardInterrupt):
        video.translate_video(translator, source, tmp_path / "parts.mp4", clip=clip)
    video.translate_video(translator, source, tmp_path / "parts.mp4", clip=clip)
    assert len(calls) == 4
    whole, parts = (contents(tmp_path / name) for name in ("whole.mp4", "parts.mp4"))
    assert all(np.array_equal(a, b) for a, b in zip(whole[1], parts[1], strict=True))


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_a_part_of_a_film_begins_at_nought_with_its_sound(tmp_path, suffix):
    source = film(tmp_path / f"a.{suffix}", frames=60, rate=30, codec="libvpx-vp9" if suffix == "webm" else "libx264")
    target = tmp_path / f"b.{suffix}"
    video.translate_video(make(), source, target, clip=Clip(start=0.5, end=1.5))
    times, frames, _, sound = contents(target)
    assert len(frames) == 30 and float(times[0]) < 0.02 and 0.9 < float(times[-1]) < 1.0
    whole = contents(source)[3]
    assert 0.4 < len(sound) / len(whole) < 0.6 and set(sound) <= set(whole)


def test_films_become_gifs_and_gifs_stay_gifs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make().save_pretrained("mine")
    film("a.mp4", frames=12, rate=20)
    assert main(["mine", "a.mp4", "-o", "a.gif", "--start", "0.2"]) == 0
    with Image.open("a.gif") as made:
        assert made.n_frames == 8 and made.size == (64, 48) and made.info["duration"] == 50
        last = np.array(made.convert("RGB"))
    video.translate_video(make(), "a.mp4", "a.mkv", clip=Clip(start=0.2))
    assert np.abs(contents("a.mkv")[1][0].astype(int) - last).mean() < 12  # two encodings and 256 colours
    Image.new("RGB", (40, 30), "red").save("still.gif")
    assert main(["mine", "a.gif", "still.gif", "-o", "out", "--steady"]) == 0
    with Image.open("out/a.gif") as made:
        assert made.n_frames == 8
    assert Image.open("out/still.png").size == (40, 30)
    capsys.readouterr()
    assert main(["mine", "still.gif", "-o", "b.gif"]) == 2
    assert main(["mine", "still.gif", "-o", "out2", "--steady"]) == 2
    assert "are for videos, and there is none" in capsys.readouterr().err


def test_times_are_seconds_or_minutes():
    assert [seconds_of(text) for text in ("90", "1:30", "0:01:30.5", "0")] == [90, 90, 90.5, 0]
    for text in ("soon", "1:2:3:4", "-1", "", "nan:3"):
        with pytest.raises(UserError, match="is no time"):
            seconds_of(text)
    with pytest.raises(UserError, match="--start 2 and --end 1"):
        Clip(start=2, end=1)


def test_a_part_beyond_the_end_says_so(tmp_path):
    source = film(tmp_path / "a.mp4", frames=6)
    with pytest.raises(UserError, match="holds no frame that can be decoded from 9 s on"):
        video.translate_video(make(), source, tmp_path / "b.mp4", clip=Clip(start=9))
    assert torch.is_grad_enabled()
