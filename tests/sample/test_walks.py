"""Walks: pictures that change into one another, as strips and as videos that run in a loop."""

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import save_weights
from cyclegan.sample.__main__ import main as sample
from cyclegan.sample.generator import Generator
from cyclegan.sample.video import BETWEEN, STOPS, walk

ARCHITECTURE = {"name": "dense", "size": 28, "out_channels": 1, "width": 8, "latent": 6}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    header = {"kind": "generator", "architecture": ARCHITECTURE, "domains": ["digit"], "size": 28}
    return str(
        save_weights("g.safetensors", build_generator(ARCHITECTURE), header | {"inputs": [6], "outputs": [1, 28, 28]})
    )


def test_a_walk_is_smooth_and_closed(weights):
    generator = Generator.from_pretrained(weights, "cpu")
    frames = [np.asarray(frame, float) for frame in walk(generator, seed=2)]
    assert len(frames) == STOPS * BETWEEN and frames[0].shape == (280, 280, 3)
    stops = generator(STOPS, seed=2)
    for i, stop in enumerate(stops):
        assert np.array_equal(frames[i * BETWEEN][::10, ::10, 0], np.asarray(stop)), "it passes its four pictures"
    steps = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
    apart = np.abs(frames[0] - frames[BETWEEN]).mean()
    assert max(steps) < apart / 4, "no jump, not even at the end"


def test_the_command_writes_a_video_that_plays(weights, capsys):
    av = pytest.importorskip("av", reason="extra: video")
    assert sample([weights, "--video", "walk.mp4", "-n", "3"]) == 0
    with av.open("walk.mp4") as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == STOPS * BETWEEN and all(side % 2 == 0 and side > 255 for side in frames[0].shape[:2])
    first = np.asarray(next(walk(Generator.from_pretrained(weights, "cpu"), 3)), float)
    assert np.abs(frames[0] - first).mean() < 20, "but for the compression"


def test_a_folder_of_pictures(weights, tmp_path):
    assert sample([weights, "-n", "3", "-o", "digits"]) == 0
    assert [path.name for path in sorted((tmp_path / "digits").iterdir())] == ["0000.png", "0001.png", "0002.png"]
    assert Image.open("digits/0000.png").mode == "L"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--video", "walk.gif"], "walk.gif must end in .mp4"),
        (["--video", "walk.mp4", "-n", "0"], "must be at least 1"),
        (["--video", "walk.mp4", "-o", "x.png"], "leave out -o"),
        ([], "name the file to write"),
    ],
)
def test_mistakes_get_one_sentence(weights, flags, sentence, capsys):
    assert sample([weights, *flags]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and len(said.splitlines()) == 1
