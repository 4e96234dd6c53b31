"""Every kind of picture file comes out as the same 8-bit pixels, or as one clear sentence."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cyclegan.data.finding import find_images
from cyclegan.data.images import as_array, open_image, read_image
from cyclegan.system.errors import ImageError

SCENE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
GREY = SCENE[..., 0]


def png(width: int, height: int, bits: int, kind: int, rows: list[bytes], *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file from its raw rows, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", body), (b"IEND", b"")]
    packed = (struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def saved(tmp_path, name, image, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "ppm", "tga", "jp2"])
def test_colour_is_exact_in_lossless_formats(tmp_path, suffix):
    options = {"webp": {"lossless": True}, "jp2": {"irreversible": False}}.get(suffix, {})
    pixels = read_image(saved(tmp_path, f"a.{suffix}", Image.fromarray(SCENE), **options))
    assert pixels.dtype == np.uint8 and pixels.flags.writeable and pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, SCENE)


def test_jpeg_gives_what_pillow_decodes(tmp_path):
    path = saved(tmp_path, "a.jpg", Image.fromarray(SCENE), quality=80)
    np.testing.assert_array_equal(read_image(path), np.asarray(Image.open(path)))


def test_grey_becomes_three_equal_channels_and_colour_becomes_luminance(tmp_path):
    grey = read_image(saved(tmp_path, "grey.png", Image.fromarray(GREY)))
    np.testing.assert_array_equal(grey, np.repeat(GREY[..., None], 3, axis=2))
    one = read_image(saved(tmp_path, "colour.png", Image.fromarray(SCENE)), channels=1)
    assert one.shape == (24, 40, 1)
    assert np.abs(one[..., 0] - SCENE @ [0.299, 0.587, 0.114]).max() <= 1


def test_grey_jpeg_stays_one_channel_until_asked(tmp_path):
    path = saved(tmp_path, "grey.jpg", Image.fromarray(GREY))
    assert open_image(path).mode == "L"
    assert read_image(path, 1).shape == (24, 40, 1) and read_image(path, 3).shape == (24, 40, 3)


def test_transparency_is_kept_by_open_and_laid_on_white_by_read(tmp_path):
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[:, 0], pixels[:, 1], pixels[:, 2] = (200, 0, 0, 255), (0, 0, 0, 0), (0, 0, 0, 128)
    path = saved(tmp_path, "a.png", Image.fromarray(pixels))
    np.testing.assert_array_equal(np.asarray(open_image(path)), pixels)
    np.testing.assert_array_equal(read_image(path)[0], [[200, 0, 0], [255] * 3, [127] * 3])
    assert read_image(path, channels=1)[0, 1, 0] == 255


def test_grey_with_alpha(tmp_path):
    image = Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (40, 24), 0)])
    assert (read_image(saved(tmp_path, "a.png", image)) == 255).all()


def test_palette_with_and_without_transparency(tmp_path):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((0, 0), 0)
    assert open_image(saved(tmp_path, "solid.png", image)).mode == "RGB"
    pixels = read_image(saved(tmp_path, "clear.png", image, transparency=0))
    assert pixels[0, 0].tolist() == [255, 255, 255] and pixels[1, 1].tolist() == [0, 0, 255]
    assert open_image(tmp_path / "clear.png").mode == "RGBA"


def test_one_transparent_colour_in_an_rgb_png(tmp_path):
    image = Image.new("RGB", (4, 4), (0, 128, 0))
    image.putpixel((0, 0), (9, 9, 9))
    pixels = read_image(saved(tmp_path, "a.png", image, transparency=(9, 9, 9)))
    assert pixels[0, 0].tolist() == [255] * 3 and pixels[1, 1].tolist() == [0, 128, 0]


def test_one_bit(tmp_path):
    path = saved(tmp_path, "a.png", Image.fromarray(GREY > 127))
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], np.where(GREY > 127, 255, 0))


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_keeps_its_colours(tmp_path, suffix):
    for colour in [(255, 255, 255), (220, 30, 40), (20, 60, 200), (0, 0, 0)]:
        path = saved(tmp_path, f"a.{suffix}", Image.new("RGB", (16, 16), colour).convert("CMYK"))
        assert Image.open(path).mode == "CMYK"
        assert np.abs(read_image(path).astype(int) - colour).max() <= 4


WIDE = np.array([[0, 128, 129, 256, 4095], [32768, 65278, 65279, 65407, 65535]], np.uint16)
NARROW = [[0, 0, 1, 1, 16], [128, 254, 254, 255, 255]]  # the nearest to WIDE / 257


def test_16_bit_png_is_scaled_not_clipped(tmp_path):
    path = saved(tmp_path, "a.png", Image.fromarray(WIDE))
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], NARROW)
    assert read_image(path).shape == (2, 5, 3)


@pytest.mark.parametrize(("mode", "kind"), [("I;16", "<u2"), ("I;16B", ">u2")])
def test_16_bit_tiff_of_either_byte_order(tmp_path, mode, kind):
    path = saved(tmp_path, "a.tif", Image.frombytes(mode, (5, 2), WIDE.astype(kind).tobytes()))
    assert Image.open(path).mode == mode
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], NARROW)


def test_16_bit_colour_and_grey_with_alpha_png(tmp_path):
    rows = [np.stack([row, row, row], axis=1).astype(">u2").tobytes() for row in WIDE]
    (tmp_path / "rgb.png").write_bytes(png(5, 2, 16, 2, rows))
    assert np.abs(read_image(tmp_path / "rgb.png")[..., 1].astype(int) - NARROW).max() <= 1
    rows = [np.stack([row, np.full(5, 65535)], axis=1).astype(">u2").tobytes() for row in WIDE]
    (tmp_path / "la.png").write_bytes(png(5, 2, 16, 4, rows))
    assert np.abs(read_image(tmp_path / "la.png", 1)[..., 0].astype(int) - NARROW).max() <= 1


def test_float_tiff_with_nan_is_refused(tmp_path):
    path = saved(tmp_path, "a.tif", Image.fromarray(np.array([[0, np.nan]], np.float32)))
    with pytest.raises(ImageError, match=r"a\.tif.*NaN"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_rotation_is_applied_once(tmp_path, orientation, suffix):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = 255  # a white quarter top left tells all eight apart
    inverse = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    turned = Image.fromarray(upright)
    if inverse is not None:
        turned = turned.transpose(Image.Transpose(inverse))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, f"a.{suffix}", turned, exif=exif, quality=95, lossless=True)
    pixels = read_image(path)
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).max() < 30
    again = saved(tmp_path, f"b.{suffix}", open_image(path))
    assert read_image(again).shape == upright.shape


def test_damaged_exif_does_not_cost_the_picture(tmp_path):
    path = saved(tmp_path, "a.jpg", Image.fromarray(SCENE), exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 20)
    assert read_image(path).shape == SCENE.shape


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_an_animation_gives_its_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    path = saved(tmp_path, f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:], lossless=True)
    image = open_image(path)
    assert np.asarray(image)[4, 4, :3].tolist() == [255, 0, 0]
    assert image.copy().resize((4, 4)).size == (4, 4)  # usable after its file is closed


def test_bytes_and_open_files_are_read_too(tmp_path):
    path = saved(tmp_path, "a.png", Image.fromarray(SCENE))
    data = path.read_bytes()
    np.testing.assert_array_equal(read_image(data), SCENE)
    np.testing.assert_array_equal(read_image(io.BytesIO(data)), SCENE)
    with path.open("rb") as file:
        np.testing.assert_array_equal(read_image(file), SCENE)
        assert not file.closed
    with pytest.raises(ImageError, match=r"^the file is not a picture"):
        read_image(b"not a picture")


def test_as_array_takes_any_pillow_image():
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "F", "I;16"):
        image = Image.new(mode, (3, 2))
        assert as_array(image).shape == (2, 3, 3) and as_array(image, 1).shape == (2, 3, 1), mode
    with pytest.raises(ValueError, match="1 or 3 channels, not 4"):
        as_array(Image.new("RGB", (3, 2)), 4)


def test_every_truncation_of_a_file_is_named(tmp_path):
    path = tmp_path / "cut.bin"
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        file = io.BytesIO()
        Image.fromarray(SCENE).save(file, kind)
        whole = file.getvalue()
        for length in (0, 1, 8, 30, len(whole) // 2, int(len(whole) * 0.9)):
            path.write_bytes(whole[:length])
            with pytest.raises(ImageError, match=r"cut\.bin (is not a picture|is damaged)"):
                read_image(path)


def test_what_is_not_a_picture_is_named_in_one_sentence(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>404</html>")
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(60000, 60000, 8, 0, [b""]))
    for path, words in [
        (tmp_path / "page.jpg", "is not a picture that can be read here"),
        (tmp_path / "absent.jpg", "there is no file"),
        (tmp_path, "is a folder"),
        (bomb, "has more than .* pixels"),
    ]:
        with pytest.raises(ImageError, match=words) as caught:
            read_image(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read(tmp_path):
    path = saved(tmp_path, "a.png", Image.fromarray(SCENE))
    path.chmod(0)
    with pytest.raises(ImageError, match="permissions"):
        read_image(path)


def test_find_images_counts_like_people_and_skips_what_is_hidden(tmp_path):
    wanted = ["1.png", "2.JPG", "10.png", "a1.jpeg", "A2.webp", "a10.tiff", "sub/3.bmp", "sub/20.gif", "x.heic"]
    extra = [".hidden.png", "._1.png", ".cache/1.png", "__MACOSX/1.png", "notes.txt", "noext", "sub/Thumbs.db"]
    extra += ["@eaDir/1.png", "a/Thumbs/1.png"]
    for name in wanted + extra:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)] == wanted
    assert find_images(str(tmp_path / "folder.png")) == []


def test_find_images_follows_links_to_folders_and_ends(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "1.png").touch()
    (tmp_path / "near" / "sub").mkdir(parents=True)
    (tmp_path / "near" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "near" / "sub" / "up").symlink_to(tmp_path / "near")
    assert find_images(tmp_path / "near") == [tmp_path / "near" / "link" / "1.png"]


def test_find_images_without_a_folder(tmp_path):
    with pytest.raises(ImageError, match="there is no folder"):
        find_images(tmp_path / "absent")
    (tmp_path / "a.png").touch()
    with pytest.raises(ImageError, match="is not a folder"):
        find_images(tmp_path / "a.png")
