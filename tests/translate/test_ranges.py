"""Pictures of more than 8 bits, floating point and more bands: what goes in comes out in the same type and range."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cyclegan import Translator
from cyclegan.system.errors import ImageError
from cyclegan.translate.__main__ import main


class Copy(nn.Module):
    """Gives back what it gets, so that only the way in and out can change a value."""

    multiple = 1

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        return x.clone()


def copier(channels=1, spans=None):
    preprocessing = {"range": [-1, 1], "channels": [channels, channels]} | ({"spans": spans} if spans else {})
    header = {"architecture": {"name": "copy"}, "domains": ["a", "b"], "size": None, "preprocessing": preprocessing}
    return Translator(Copy(), header, "cpu")


RAMP = np.tile(np.arange(40), (20, 1))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floats_in_0_to_1_come_back_in_0_to_1(kind):
    given = (RAMP / 39).astype(kind)[..., None]
    given[0, 0] = 1.5
    out = copier()(given, range=(0, 1))
    assert out.dtype == kind and out.max() == 1 and np.allclose(out, given.clip(0, 1), atol=1e-6)
    assert given[0, 0] == 1.5, "the caller's own picture stays"
    tensor = torch.from_numpy(given.copy()).permute(2, 0, 1)
    assert torch.equal(copier()(tensor, range=(0, 1)), torch.from_numpy(out).permute(2, 0, 1))


def test_a_float_picture_with_nothing_below_0_warns_and_others_do_not():
    with pytest.warns(UserWarning, match=r"nothing below 0.*range=\(0, 1\)"):
        copier()(torch.rand(1, 20, 20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copier()(torch.rand(1, 20, 20), range=(0, 1))
        copier()(torch.rand(1, 20, 20) - 0.5)
        copier()(torch.zeros(1, 20, 20))


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64])
def test_whole_numbers_with_a_sign_need_a_range_once(kind):
    given = (RAMP * 100 - 1000).astype(kind)
    with pytest.raises(ImageError, match="range"):
        copier()(given)
    for out in (copier()(given, range=(-1000, 2900)), copier(spans=[[-1000, 2900]] * 2)(given)):
        assert out.dtype == kind and np.array_equal(out, given)
    assert np.array_equal(copier(spans=[[-1000, 2900], [0, 39]])(given), RAMP), "the target's range"


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_files_come_back_in_their_type_and_the_trained_range(tmp_path, mode):
    low = 0 if mode == "I;16" else -1000
    given = (RAMP * 100 + low).astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode])
    Image.fromarray(given).save(tmp_path / "a.tif")
    for channels in (1, 3):
        out = copier(channels, [[low, low + 3900]] * 2)(tmp_path / "a.tif")
        assert out.mode == mode and np.allclose(np.asarray(out), given, atol=0.5 if mode != "F" else 1e-2)
    beyond = copier(1, [[0, 100]] * 2)(tmp_path / "a.tif")
    assert (np.asarray(beyond).min(), np.asarray(beyond).max()) == (0, 100), "clipped"


def test_a_translator_of_8_bits_gives_8_bits_and_does_not_guess(tmp_path):
    Image.fromarray((RAMP * 1000).astype(np.uint16)).save(tmp_path / "a.png")
    assert copier()(tmp_path / "a.png").mode == "L"
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="from 0 to 39"):
        copier()(tmp_path / "a.tif")
    assert np.allclose(np.asarray(copier()(tmp_path / "a.tif", range=(0, 39))), RAMP, atol=1e-4)


def test_8_bits_stay_8_bits_whatever_the_range():
    given = RAMP.astype(np.uint8)
    for translator, options in ((copier(), {"range": (0, 1)}), (copier(spans=[[0, 4095]] * 2), {})):
        assert np.array_equal(translator(given, **options), given)
        assert np.array_equal(np.asarray(translator(Image.fromarray(given), **options)), given)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A step of training on signed and floating-point files, and the run's folder."""
    from cyclegan.train.__main__ import main as train

    monkeypatch.chdir(tmp_path)
    for side, low, kind in (("A", -1000, np.int32), ("B", 0, np.float32)):
        folder = tmp_path / "scans" / f"train{side}"
        folder.mkdir(parents=True)
        for i in range(2):
            Image.fromarray((RAMP * 100 + low).astype(kind)).save(folder / f"{i}.tif")
    flags = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32"]
    flags += ["--load", "32", "--pool", "0"]
    assert train(["scans", *flags, "--steps", "1"]) == 0
    return tmp_path / "runs" / "scans"


def test_the_range_travels_from_training_to_translating(trained, tmp_path, capsys):
    there, back = (Translator.from_pretrained(trained, reverse, "cpu") for reverse in (False, True))
    assert there.spans == ((-1000, 2900), (0, 3900)) and back.spans == there.spans[::-1]
    assert main(["runs/scans", "scans/trainA/0.tif", "-o", "out", "--device", "cpu"]) == 0
    out = np.asarray(Image.open("out/0.tif"))
    assert out.dtype == np.int32 and 0 <= out.min() < out.max() <= 3900
    assert main(["runs/scans", "scans/trainA/0.tif", "-o", "small.jpg", "--device", "cpu"]) == 0
    said = capsys.readouterr().err
    assert "written with 8 bits" in said and Image.open("small.jpg").mode == "L"


def test_transparency_that_a_format_cannot_hold_is_laid_on_white_and_said_once(trained, capsys):
    for i in range(4):
        pixels = np.random.default_rng(i).integers(0, 256, (20, 20, 4), dtype=np.uint8)
        pixels[:10, :, 3] = 0
        Image.fromarray(pixels).save(f"{i}.png")
        (trained.parents[1] / f"{i}.png").rename(f"{i}.jpg")  # PNG files whose name says something else
    assert main(["runs/scans", *[f"{i}.jpg" for i in range(4)], "-o", "out", "--device", "cpu"]) == 0
    said = capsys.readouterr().err
    assert said.count("laid on white") == 1
    for i in range(4):
        assert np.asarray(Image.open(f"out/{i}.jpg"))[:8].min() > 240
