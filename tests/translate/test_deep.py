"""16 bits from file to file: colour, for which Pillow has no mode, and the bands of a map."""

import numpy as np
import pytest
from PIL import Image
from test_ranges import copier

from cyclegan.data.deep import deep_values, encode_png
from cyclegan.data.images import load_image, read_image
from cyclegan.data.profiles import srgb
from cyclegan.system.terminal import Progress
from cyclegan.translate.__main__ import main
from cyclegan.translate.jobs import Job
from cyclegan.translate.pictures import translate_pictures

COLOUR = np.random.default_rng(0).integers(0, 65536, (20, 24, 4)).astype(np.uint16)
SCALE, PLACE = (10.0, 10.0, 0.0), (0.0, 0.0, 0.0, 5e5, 4.6e6, 0.0)


def translated(jobs):
    with Progress("") as progress:
        return translate_pictures(copier(3), jobs, None, None, progress)


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_of_16_bits_comes_out_as_it_went_in(tmp_path, channels, capsys):
    given, info = COLOUR[..., :channels], {"dpi": (300, 300), "icc_profile": srgb(), "text": {"Author": "J. Doe"}}
    (tmp_path / "a.png").write_bytes(encode_png(given, info))
    targets = [tmp_path / "out" / name for name in ("a.png", "a.tif", "a.jpg")]
    try:
        import tifffile
    except ImportError:
        targets.pop(1)
    assert not translated([Job(str(tmp_path / "a.png"), target) for target in targets])
    for target in targets[:-1]:
        assert np.array_equal(deep_values(target), given), target
    with Image.open(targets[0]) as out:
        assert out.text["Author"] == "J. Doe" and round(out.info["dpi"][0]) == 300
        assert out.info["icc_profile"] == srgb()
    said = "cannot hold 16 bits of colour" if channels == 3 else "laid on white"
    assert said in capsys.readouterr().err
    if len(targets) == 3:
        assert tifffile.imread(targets[1]).shape == given.shape


def test_colour_of_12_bits_in_16_keeps_its_levels_in_training_and_its_direction(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # turned
    (tmp_path / "a.png").write_bytes(encode_png(COLOUR[..., :3] // 16, {"exif": exif.tobytes()}))
    pixels = read_image(tmp_path / "a.png", 3, (0, 4095))
    assert pixels.shape == (24, 20, 3) and pixels.max() >= 254
    assert np.array_equal(pixels, read_image((tmp_path / "a.png").read_bytes(), 3, (0, 4095)))
    assert np.array_equal(load_image(tmp_path / "a.png"), np.rot90(COLOUR[..., :3] // 16 // 256, -1)), "the high byte"


def test_a_map_of_five_bands_trains_without_a_card_and_stays_where_it_is(tmp_path, monkeypatch):
    """From one band of 16 bits to five and back, with the real commands."""
    tifffile = pytest.importorskip("tifffile", reason="extra: bands")
    from cyclegan.train.__main__ import main as train

    monkeypatch.chdir(tmp_path)
    tags = [(33550, 12, 3, SCALE, True), (33922, 12, 6, PLACE, True), (42113, "s", 0, "0", True)]
    for side, bands in (("A", 1), ("B", 5)):
        (tmp_path / "fields" / f"train{side}").mkdir(parents=True)
        for i in range(2):
            values = np.random.default_rng(i).integers(0, 4000, (32, 40, bands)).astype(np.uint16).squeeze()
            path = tmp_path / "fields" / f"train{side}" / f"{i}.tif"
            tifffile.imwrite(
                path, values, photometric="minisblack", extratags=tags, planarconfig=1 if bands > 1 else None
            )
    flags = ["--generator", "mobile", "--width", "4", "--blocks", "1", "--size", "32", "--load", "32", "--pool", "0"]
    assert train(["fields", *flags, "--steps", "1"]) == 0
    assert main(["runs/fields", "fields/trainA", "-o", "bands", "--device", "cpu"]) == 0
    assert main(["runs/fields", "fields/trainB", "-o", "grey", "--device", "cpu", "--reverse"]) == 0
    for folder, bands in (("bands", 5), ("grey", 3)):
        with tifffile.TiffFile(tmp_path / folder / "1.tif") as out:
            values, tags = out.pages[0].asarray(), out.pages[0].tags
            assert (tags[33550].value, tags[33922].value, tags[42113].value) == (SCALE, PLACE, "0")
        assert values.shape == (32, 40, bands) and values.dtype == np.uint16 and values.max() > 255
