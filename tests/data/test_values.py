"""One value means one grey in all pictures of a data set; only what a file calls transparency is transparency."""

import struct

import numpy as np
import pytest
from PIL import Image

from cyclegan.data.check import check_bodies, check_heads, find_spans
from cyclegan.data.config import PicturesConfig
from cyclegan.data.images import open_image, read_image
from cyclegan.data.reading import Reading
from cyclegan.data.source import unpaired
from cyclegan.system.errors import ImageError, UserError

RAMP = np.tile(np.arange(64), (48, 1))


def tiff(path, pixels, *, signed=False, extra=None):
    """An uncompressed TIFF of whole numbers, as Pillow does not write them: signed, and with any bands."""
    height, width, bands = pixels.shape
    size, raw = pixels.dtype.itemsize, pixels.tobytes()
    lists, at = b"", 8 + len(raw)

    def values(numbers):
        nonlocal lists
        if len(numbers) <= 2:
            return struct.pack("<2H", *numbers, *[0] * (2 - len(numbers)))
        lists += struct.pack(f"<{len(numbers)}H", *numbers)
        return struct.pack("<I", at + len(lists) - 2 * len(numbers))

    colour = 2 if bands > 2 else 1
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, bands, values([8 * size] * bands)), (259, 3, 1, 1)]
    tags += [(262, 3, 1, colour), (273, 4, 1, 8), (277, 3, 1, bands), (278, 4, 1, height), (279, 4, 1, len(raw))]
    tags += [(284, 3, 1, 1)] + ([(338, 3, len(extra), values(extra))] if extra else [])
    tags += [(339, 3, bands, values([1 + signed] * bands))]
    entries = b"".join(
        struct.pack("<HHI", *tag[:3]) + (tag[3] if isinstance(tag[3], bytes) else struct.pack("<I", tag[3]))
        for tag in tags
    )
    start = at + len(lists)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"II*\0" + struct.pack("<I", start) + raw + lists + struct.pack("<H", len(tags)) + entries + bytes(4)
    )
    return path


def slices(folder):
    """Three slices of one body: without air, with air, with metal. 900 is the same tissue in all."""
    paths = []
    for name, corner in (("tissue", []), ("air", [-1000]), ("metal", [-1000, 3000])):
        values = (RAMP * 30).astype("<i2")[..., None]
        values[0, : len(corner), 0] = corner
        paths.append(tiff(folder / f"{name}.tif", values, signed=True))
    return paths


def test_the_same_tissue_is_the_same_grey_in_every_slice(tmp_path):
    paths = slices(tmp_path)
    (span,) = find_spans([paths], [1], skip_bad=False)
    assert span == (-1000, 3000)
    assert [read_image(path, 1, span)[20, 30, 0] for path in paths] == [round(1900 / 4000 * 255)] * 3
    assert read_image(paths[2], 1, (0, 1000))[0, :2, 0].tolist() == [0, 255], "clipped beyond"


def test_a_signed_picture_by_itself_is_not_guessed(tmp_path):
    for path in slices(tmp_path):
        with pytest.raises(ImageError, match=rf"{path.name} holds numbers from .* give --range LOW HIGH"):
            read_image(path, 1)


@pytest.mark.parametrize("beyond", [None, 1.02, -0.02])
def test_one_pixel_beyond_does_not_change_the_others(tmp_path, beyond):
    values = (RAMP / 63).astype(np.float32)
    if beyond is not None:
        values[0, 0] = beyond
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", 1)[20, 30, 0] == round(30 / 63 * 255)


def test_floats_far_from_0_to_1_need_a_range(tmp_path):
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="from 0 to 63"):
        open_image(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", 1, (0, 51))[0, :3, 0].tolist() == [0, 5, 10]


def test_twelve_bits_in_sixteen_keep_their_levels(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray((RAMP * 64).astype(np.uint16)).save(path)
    (span,) = find_spans([[path]], [1], skip_bad=False)
    assert span == (0, 4095)
    assert len(np.unique(read_image(path, 1, span))) == 64


def two_domains(folder, of_A, of_B):
    for side, array in (("A", of_A), ("B", of_B)):
        (folder / f"train{side}").mkdir(parents=True)
        for i in range(2):
            Image.fromarray(array).save(folder / f"train{side}" / f"{i}.tif")
    return folder


SMALL = PicturesConfig(size=32, load=32, flip=False)


def opened(folder, config=SMALL, **reading):
    lines = []
    return unpaired(str(folder), None, config, Reading(say=lines.append, **reading)), "\n".join(lines)


def test_domains_of_one_type_share_a_span_and_others_do_not(tmp_path):
    ramp = np.tile(np.arange(32), (32, 1))
    low, high = (ramp * 10).astype(np.uint16), (ramp * 100).astype(np.uint16)
    source, said = opened(two_domains(tmp_path / "same", low, high))
    assert source.record["spans"] == [(0, 4095), (0, 4095)] and "0 to 4095" in said and "--range" in said
    assert source.samples.sample(0)[1][0, 0, 31] == round(3100 / 4095 * 255)
    source, _ = opened(two_domains(tmp_path / "mixed", low, (ramp / 31).astype(np.float32)))
    assert source.record["spans"] == [(0, 511), (0, 1)]
    source, said = opened(two_domains(tmp_path / "eight", low.astype(np.uint8), high))
    assert source.record["spans"] == [None, (0, 4095)] and "of B" not in said


def test_a_range_comes_from_the_flag_the_card_the_run_or_the_pictures(tmp_path):
    ramp = (np.tile(np.arange(32), (32, 1)) * 10).astype(np.uint16)
    folder = two_domains(tmp_path / "set", ramp, ramp)
    before = {"before": lambda name: {"spans": [[0, 620], [0, 620]]} if name == "set" else {}}
    source, said = opened(folder, **before)
    assert source.samples.sample(0)[0].max() == round(310 / 620 * 255) and "when this run began" in said
    (folder / "card.toml").write_text("range = [[0, 310], [0, 3100]]\n")
    source, said = opened(folder, **before)
    assert [part.max() for part in source.samples.sample(0)] == [255, round(310 / 3100 * 255)] and "the card" in said
    assert [part.max() for part in source.fixed(1, "stretch")] == [255, round(310 / 3100 * 255)]
    source, _ = opened(folder, PicturesConfig(size=32, load=32, range=(0.0, 155.0)), **before)
    assert source.samples.sample(0)[0][0, 0, :16].tolist() == [round(i * 10 / 155 * 255) for i in range(16)]


@pytest.mark.parametrize("values", [(5.0, 5.0), (2.0, 1.0), (0.0, float("inf")), (1.0,)])
def test_a_range_is_two_numbers_in_order(values):
    with pytest.raises(UserError, match="--range takes two numbers"):
        PicturesConfig(range=values).check()


COLOUR = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def with_bands(path, count, extra):
    further = np.stack([np.full(COLOUR.shape[:2], 40 + i, np.uint8) for i in range(count)], 2)
    return tiff(path, np.concatenate([COLOUR, further], 2), extra=extra)


@pytest.mark.parametrize("extra", [[1], [2]])
def test_what_is_called_transparency_is(tmp_path, extra):
    assert open_image(with_bands(tmp_path / "a.tif", 1, extra)).mode == "RGBA"


@pytest.mark.parametrize(("count", "extra"), [(1, None), (1, [0]), (2, [0, 0]), (2, [2, 0])])
def test_other_bands_are_neither_transparency_nor_dropped(tmp_path, count, extra):
    path = with_bands(tmp_path / "a.tif", count, extra)
    if count == 2 and extra is None:
        pytest.skip("Pillow cannot open it")
    with pytest.raises(ImageError, match=rf"a\.tif has {3 + count} bands.*channels = \[{3 + count}"):
        read_image(path)
    pytest.importorskip("tifffile")
    pixels = read_image(path, 3 + count)
    assert np.array_equal(pixels[..., :3], COLOUR) and pixels[0, 0, 3:].tolist() == [40, 41][:count]
    with pytest.raises(ImageError, match=f"has {3 + count} channels, and the data set or the translator has 7"):
        read_image(path, 7)


def test_a_data_set_of_four_bands_and_sixteen_bits(tmp_path):
    pytest.importorskip("tifffile")
    for side in "AB":
        for i in range(2):
            values = np.stack([np.tile(np.arange(40) * scale, (40, 1)) for scale in (1, 2, 3, 100)], 2)
            tiff(tmp_path / f"set/train{side}/{i}.tif", values.astype("<u2"), extra=[0])
    (tmp_path / "set" / "card.toml").write_text("channels = [4, 4]\n")
    source, _ = opened(tmp_path / "set", PicturesConfig(size=32, load=40, zoom=1.25, flip=False))
    assert source.channels == (4, 4) and source.record["spans"][0] == (0, 4095)
    assert source.samples.sample(0)[0].shape == (4, 32, 32) and source.fixed(1, "fit")[0].shape == (1, 4, 32, 32)


def test_transparency_is_a_band_where_the_card_says_so(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png", 4), pixels)
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression="tiff_lzw")
    for source in (tmp_path / "a.tif", (tmp_path / "a.tif").read_bytes()):
        assert np.array_equal(read_image(source, 4), pixels)


def test_several_pages_or_frames_are_noticed(tmp_path):
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1])]
    for name in ("a.gif", "b.tif", "c.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "d.tif")
    frames[0].save(tmp_path / "e.jpg", "MPO", save_all=True, append_images=frames[1:])  # as phones write it
    found = check_heads(sorted(tmp_path.iterdir()), skip_bad=False)
    assert [path.name for path in found.several] == ["a.gif", "b.tif", "c.webp"] and len(found.files) == 5


def test_a_body_that_is_cut_off_is_found_before_training(tmp_path):
    for i in range(3):
        Image.fromarray(COLOUR).save(tmp_path / f"{i}.png")
    data = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(data[: len(data) // 2])
    files, lines = sorted(tmp_path.iterdir()), []
    assert len(check_heads(files, skip_bad=False).files) == 3
    with pytest.raises(ImageError, match=r"1\.png is damaged"):
        check_bodies([(files, 3, None)], False, lines.append)
    check_bodies([(files, 3, None)], True, lines.append)
    assert len(lines) == 1 and "1.png" in lines[0] and "the next picture" in lines[0]
