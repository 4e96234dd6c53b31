"""What a file carries besides its pixels comes out again; its colours become sRGB."""

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from profile_files import ink, wide

from cyclegan.data.formats import save_picture
from cyclegan.data.images import load_image, loaded, read_image
from cyclegan.data.metadata import ROOM
from cyclegan.data.profiles import srgb

GRADIENT = np.stack(np.meshgrid(np.arange(0, 240, 6), np.arange(0, 240, 8)), -1).astype(np.uint8)
GRADIENT = np.concatenate([GRADIENT, GRADIENT[..., :1] // 2], 2)  # (30, 40, 3)
DATE, COPYRIGHT, DPI = "2024:05:06 07:08:09", "© J. Doe".encode(), 300
GEO = {33550: (10.0, 10.0, 0.0), 33922: (0.0, 0.0, 0.0, 5e5, 4.6e6, 0.0), 34735: (1, 1, 0, 1, 1024, 0, 1, 1)}
ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif", "AVIF": "avif"}


def exif(orientation=6):
    made = Image.Exif()
    made[0x0112], made[306], made[315], made[33432] = orientation, DATE, "J. Doe", COPYRIGHT
    made[0x8769] = {0x9003: DATE, 0xA002: 40, 0xA003: 30, 0x927C: b"maker's own"}
    made[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    again = Image.Exif()
    again.load(made.tobytes())
    again[33432] = COPYRIGHT  # as bytes, which Pillow leaves alone
    return again


def written(folder, kind, **options):
    path = folder / f"in.{ENDINGS[kind]}"
    options = {"exif": exif(), "dpi": (DPI, DPI), "icc_profile": srgb()} | options
    Image.fromarray(GRADIENT).save(path, kind, quality=95, **options)
    return path


@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize("into", ENDINGS)
def test_all_but_the_orientation_comes_out(kind, into, tmp_path):
    image = load_image(written(tmp_path, kind, xmp=b'<x tiff:Orientation="6"/>'))
    assert image.size == (30, 40), "upright"
    assert save_picture(Image.fromarray(np.asarray(image)), tmp_path / f"out.{ENDINGS[into]}", image.info) is None
    with Image.open(tmp_path / f"out.{ENDINGS[into]}") as out:
        found = out.getexif()
        assert 0x0112 not in found or found[0x0112] == 1
        wanted = COPYRIGHT if kind != "AVIF" else b"?? J. Doe"  # as Pillow reads turned ones
        assert (found[306], found[315], found[33432].encode("latin-1")) == (DATE, "J. Doe", wanted)
        assert found.get_ifd(0x8769)[0x9003] == DATE and 0x927C not in found.get_ifd(0x8769)
        assert found.get_ifd(0x8825)[2] == (52.0, 31.0, 12.0)
        assert out.info["icc_profile"] == srgb()
        if {kind, into} <= {name for name, room in ROOM.items() if "dpi" in room}:
            assert np.allclose([float(value) for value in out.info["dpi"]], DPI, atol=0.1)
        assert b"Orientation" not in (out.info.get("xmp") or b"")
        np.testing.assert_array_equal(np.asarray(out).shape, (40, 30, 3))


def test_an_opened_picture_carries_the_same_as_its_file(tmp_path):
    path = written(tmp_path, "JPEG", comment=b"said")
    info = load_image(path).info
    with Image.open(path) as image:
        again = loaded(image).info
        assert image.size == (40, 30), "the one that was given stays"
    assert info.items() >= again.items() and {"exif", "dpi", "icc_profile", "comment"} <= again.keys()


def test_places_on_a_map_and_words_are_kept(tmp_path):
    geo = Image.Exif()
    for tag, value in GEO.items():
        geo[tag] = value
    for mode in ("RGB", "F"):
        picture = Image.fromarray(GRADIENT if mode == "RGB" else GRADIENT[..., 0].astype(np.float32) / 255)
        picture.save(tmp_path / "in.tif", exif=geo)
        image = load_image(tmp_path / "in.tif")
        save_picture(image, tmp_path / "out.tif")
        with Image.open(tmp_path / "out.tif") as out:
            assert out.mode == mode and all(tuple(out.tag_v2[tag]) == value for tag, value in GEO.items())
    words = PngImagePlugin.PngInfo()
    words.add_text("Copyright", "J. Doe")
    words.add_text("Title", "A view")
    Image.fromarray(GRADIENT).save(tmp_path / "in.png", pnginfo=words)
    image = load_image(tmp_path / "in.png")
    for name in ("out.png", "out.jpg"):
        save_picture(image, tmp_path / name)
    with Image.open(tmp_path / "out.png") as png, Image.open(tmp_path / "out.jpg") as jpeg:
        assert png.text == {"Copyright": "J. Doe", "Title": "A view"} and jpeg.getexif()[33432] == "J. Doe"


def test_bands_stay_where_they_are_on_the_map(tmp_path):
    tifffile = pytest.importorskip("tifffile", reason="extra: bands")
    from cyclegan.data.bands import band_tags, write_bands

    tags = [(33550, 12, 3, GEO[33550], True), (33432, 2, None, "J. Doe", True)]
    values = np.zeros((20, 30, 5), np.uint16)
    tifffile.imwrite(tmp_path / "in.tif", values, photometric="minisblack", planarconfig="contig", extratags=tags)
    with open(tmp_path / "out.tif", "wb") as file:
        write_bands(file, values, band_tags(tmp_path / "in.tif"))
    with tifffile.TiffFile(tmp_path / "out.tif") as out:
        assert out.pages[0].tags[33550].value == GEO[33550] and out.pages[0].tags[33432].value == "J. Doe"


@pytest.mark.parametrize("exif", [b"Exif\0\0" + bytes(70_000), b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_what_cannot_be_kept_costs_no_picture(exif, tmp_path):
    Image.fromarray(GRADIENT).save(tmp_path / "in.png", exif=exif, icc_profile=b"no profile" * 20, dpi=(1e6, 0))
    image = load_image(tmp_path / "in.png")
    image.info["exif"] = exif
    note = save_picture(image, tmp_path / "out.jpg")
    assert note is None or "besides pixels" in note
    assert read_image(tmp_path / "out.jpg").shape == GRADIENT.shape


def test_a_wide_gamut_becomes_srgb(tmp_path):
    """By the profile's own numbers: its green (0, 255, 0) lies outside of sRGB, its greys are the same."""
    colours = np.array([[[0, 255, 0], [255, 0, 0], [128, 128, 128], [200, 120, 60]]], np.uint8)
    for mode in ("RGB", "RGBA", "P"):
        picture = Image.fromarray(colours)
        picture = picture.quantize(8, dither=Image.Dither.NONE) if mode == "P" else picture.convert(mode)
        picture.save(tmp_path / "in.png", icc_profile=wide())
        image = load_image(tmp_path / "in.png")
        found = np.asarray(image)[0, :, :3].astype(int)
        assert found[0].tolist() == [0, 255, 0] and np.abs(found[2] - 128).max() <= 2
        # Adobe's linear (0.586, 0.190, 0.042) in sRGB: red grows, as its red is less pure here.
        assert np.abs(found[3] - [222, 120, 52]).max() <= 4, found[3]
        assert image.info["icc_profile"] == srgb()
        with Image.open(tmp_path / "in.png") as opened:
            np.testing.assert_array_equal(np.asarray(loaded(opened)), np.asarray(image))
    save_picture(image, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as out:
        assert out.info["icc_profile"] == srgb()


def test_inks_become_srgb_by_their_profile(tmp_path):
    colours = Image.new("CMYK", (8, 8), (0, 255, 0, 0))
    colours.save(tmp_path / "plain.tif")
    colours.save(tmp_path / "profiled.tif", icc_profile=ink())
    plain, profiled = (read_image(tmp_path / f"{name}.tif")[4, 4] for name in ("plain", "profiled"))
    assert plain.tolist() == [255, 0, 255]
    lab = ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(lab, ImageCms.createProfile("sRGB"), "LAB", "RGB")
    wanted = transform.apply(Image.new("LAB", (1, 1), (165, 198, 123))).getpixel((0, 0))  # L 65, a 70, b -5
    assert np.abs(profiled.astype(int) - wanted).max() < 25, (profiled, wanted)


def test_a_profile_of_srgb_changes_no_pixel(tmp_path):
    Image.fromarray(GRADIENT).save(tmp_path / "in.png", icc_profile=srgb())
    np.testing.assert_array_equal(read_image(tmp_path / "in.png"), GRADIENT)
