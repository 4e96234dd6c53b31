"""Every kind of result goes into every format: what comes back is the same, or a sentence says what was lost."""

import numpy as np
import pytest
from PIL import Image

from cyclegan.data.formats import HOLDS, save_picture
from cyclegan.data.images import load_image, read_image

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "TIFF": "tif", "TGA": "tga", "JPEG2000": "jp2"}
SUFFIXES |= {"PPM": "ppm", "AVIF": "avif"}
RAMP = np.tile(np.linspace(0, 1, 32), (24, 1))
GREY = (RAMP * 255).round().astype(np.uint8)
COLOUR = np.stack([GREY, GREY[:, ::-1], GREY], 2)
CLEAR = np.where(np.arange(24)[:, None] < 12, 0, 255).astype(np.uint8) * np.ones_like(GREY)
RESULTS = {
    "L": GREY,
    "LA": np.stack([GREY, CLEAR], 2),
    "RGB": COLOUR,
    "RGBA": np.concatenate([COLOUR, CLEAR[..., None]], 2),
    "I;16": (RAMP * 4000).astype(np.uint16),
    "I": (RAMP * 4000 - 1000).astype(np.int32),
    "F": (RAMP * 4000 - 1000).astype(np.float32),
}
SPANS = {"I;16": (0, 4000), "I": (-1000, 3000), "F": (-1000, 3000)}


@pytest.mark.parametrize("mode", RESULTS)
@pytest.mark.parametrize("kind", HOLDS)
def test_every_mode_in_every_format(tmp_path, kind, mode):
    path = tmp_path / f"a.{SUFFIXES[kind]}"
    picture = Image.fromarray(RESULTS[mode])
    assert picture.mode == mode
    note = save_picture(picture, path, span=SPANS.get(mode))
    back = load_image(path)
    assert Image.open(path).format == kind and back.size == picture.size
    transparent, wide = mode.endswith("A"), mode in SPANS
    assert bool(note) == (mode not in HOLDS[kind]), note
    if transparent and not note:
        assert np.abs(np.asarray(back.getchannel("A")).astype(int) - CLEAR).max() == 0
    if transparent:
        assert "laid on white" in (note or "laid on white")
        assert np.abs(read_image(path)[:10].astype(int) - 255).max() <= 8, "white where it is transparent"
    if wide and not note:
        assert np.array_equal(np.asarray(back), RESULTS[mode])
    elif wide:
        assert "8 bits" in note
        assert np.abs(read_image(path, 1)[..., 0].astype(int) - GREY).max() <= 8
    else:
        solid = slice(14, None) if transparent else slice(None)
        expected = COLOUR if mode.startswith("RGB") else np.repeat(GREY[..., None], 3, 2)
        assert np.abs(read_image(path)[solid].astype(int) - expected[solid]).mean() < 6


def test_a_signed_result_that_fits_16_bits_without_sign_loses_nothing(tmp_path):
    values = (RAMP * 4000).astype(np.int32)
    assert save_picture(Image.fromarray(values), tmp_path / "a.png", span=(0, 4000)) is None
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), values)
