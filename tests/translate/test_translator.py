"""Any picture in, the same kind and size out."""

import http.server
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from cyclegan import Translator
from cyclegan.networks.build import build_generator
from cyclegan.system.errors import ImageError
from cyclegan.translate.sizes import pad_to_multiple

NETWORKS = {
    "resnet": {"name": "resnet", "width": 4, "blocks": 1},
    "mobile": {"name": "mobile", "width": 4, "blocks": 3},
    "unet": {"name": "unet", "width": 4, "levels": 5},
    "residual": {"name": "resnet", "width": 4, "blocks": 1, "residual": 0.5},
    "residual to grey": {"name": "resnet", "width": 4, "blocks": 1, "out_channels": 1, "residual": 0.5},
    "grey to colour": {"name": "resnet", "width": 4, "blocks": 1, "in_channels": 1, "out_channels": 3},
    "colour to grey": {"name": "resnet", "width": 4, "blocks": 1, "in_channels": 3, "out_channels": 1},
}


def translator(name="resnet"):
    torch.manual_seed(0)
    architecture = NETWORKS[name]
    channels = [architecture.get("in_channels", 3), architecture.get("out_channels", 3)]
    header = {"format": 1, "architecture": architecture, "domains": ["horse", "zebra"], "size": 64}
    header |= {"preprocessing": {"range": [-1, 1], "channels": channels}, "provenance": {}}
    return Translator(build_generator(architecture), header, device="cpu")


def noise(*shape, seed=0, high=256, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (500, 3), (17, 31), (32, 32), (65, 130)])
@pytest.mark.parametrize("name", ["resnet", "mobile", "unet", "residual"])
def test_every_size_comes_back_as_it_went_in(name, size):
    picture = Image.fromarray(noise(size[1], size[0], 3))
    out = translator(name)(picture)
    assert out.size == size and out.mode == "RGB"
    flat = np.array(translator(name)(np.full((*size, 3), 7, np.uint8)))
    assert flat.shape == (*size, 3)


@pytest.mark.parametrize("name", ["resnet", "mobile", "unet"])
def test_a_size_that_fits_is_the_networks_own_output(name):
    t = translator(name)
    x = torch.rand(2, 3, 32, 64) * 2 - 1
    assert torch.equal(t.run(x), t.network(x))


def test_padding_is_reflection_and_is_cropped_off():
    t = translator()
    x = torch.rand(1, 3, 18, 21) * 2 - 1
    padded = torch.nn.functional.pad(x, (0, 3, 0, 2), mode="reflect")
    assert torch.equal(t.run(x), t.network(padded)[..., :18, :21])


KINDS = {
    "uint8": noise(20, 30, 3),
    "uint16": noise(20, 30, 3, high=65536, dtype=np.uint16),
    "float32": noise(20, 30, 3).astype(np.float32) / 127.5 - 1,
    "float64": noise(20, 30, 3).astype(np.float64) / 127.5 - 1,
    "big-endian": noise(20, 30, 3, high=65536, dtype=np.uint16).astype(">u2"),
    "flipped view": noise(20, 30, 3)[::-1, ::-1],
}


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_tensors_keep_type_and_range_and_agree(kind):
    picture = KINDS[kind]
    before = picture.copy()
    t = translator()
    out = t(picture)
    assert isinstance(out, np.ndarray) and out.shape == picture.shape and out.dtype == picture.dtype.newbyteorder("=")
    assert np.array_equal(picture, before)  # the caller's own picture stays
    tensor = torch.from_numpy(np.ascontiguousarray(picture, dtype=picture.dtype.newbyteorder("="))).permute(2, 0, 1)
    result = t(tensor)
    assert result.dtype == tensor.dtype and np.array_equal(result.permute(1, 2, 0).numpy(), out)


def test_sixteen_bits_mean_the_same_as_eight_and_carry_more():
    t = translator()
    small, large = t(noise(20, 30, 3)), t(noise(20, 30, 3).astype(np.uint16) * 257)
    assert np.array_equal(np.round(large / 257).astype(np.uint8), small)
    assert (large % 257 != 0).any()


def test_the_way_in_does_not_change_the_result(tmp_path):
    array = noise(40, 24, 3)
    image = Image.fromarray(array)
    image.save(tmp_path / "a.png")
    t = translator()
    expected = t(array)
    for picture in (image, tmp_path / "a.png", str(tmp_path / "a.png")):
        assert isinstance(t(picture), Image.Image) and np.array_equal(np.asarray(t(picture)), expected)


@pytest.fixture
def server(tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_picture_from_a_url(tmp_path, server):
    array = noise(20, 20, 3)
    Image.fromarray(array).save(tmp_path / "a.png")
    t = translator()
    assert np.array_equal(np.asarray(t(f"{server}/a.png")), t(array))
    with pytest.raises(ImageError, match="could not be fetched"):
        t(f"{server}/absent.png")


def test_exif_rotation_is_applied(tmp_path):
    array = noise(20, 36, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    Image.fromarray(array).save(tmp_path / "turned.png", exif=exif)
    upright = np.ascontiguousarray(np.rot90(array, -1))
    t = translator()
    expected = t(upright)
    for picture in (tmp_path / "turned.png", Image.open(tmp_path / "turned.png")):
        assert np.array_equal(np.asarray(t(picture)), expected)


def test_transparency_is_kept_and_what_it_hides_does_not_matter():
    array = noise(24, 24, 4)
    array[:12, :, 3] = 0
    other = array.copy()
    other[:12, :, :3] = 99
    t = translator()
    out = np.asarray(t(Image.fromarray(array)))
    assert out.shape == (24, 24, 4) and np.array_equal(out[..., 3], array[..., 3])
    assert np.array_equal(t(array), out) and np.array_equal(t(other), out)
    palette = Image.fromarray(array).convert("LA")
    assert t(palette).mode == "RGBA"


def test_greyscale_goes_in_and_out_where_the_domains_are_of_different_channels():
    grey = noise(20, 24)
    assert t_shape("resnet", grey) == (20, 24, 3)
    assert t_shape("grey to colour", grey) == (20, 24, 3)
    assert t_shape("colour to grey", grey) == (20, 24)
    assert t_shape("colour to grey", noise(20, 24, 3)) == (20, 24, 1)
    assert translator("colour to grey")(Image.fromarray(noise(20, 24, 3))).mode == "L"
    assert translator("colour to grey")(Image.fromarray(noise(20, 24, 4))).mode == "LA"
    colour = noise(20, 24, 3)
    luminance = np.asarray(Image.fromarray(colour).convert("L"))
    difference = translator("grey to colour")(colour).astype(int) - translator("grey to colour")(luminance)
    assert np.abs(difference).max() <= 2  # Pillow rounds the luminance to 8 bits


def t_shape(name, array):
    return translator(name)(array).shape


def test_a_list_of_mixed_sizes_and_kinds_equals_one_by_one():
    pictures = [noise(20, 30, 3), Image.fromarray(noise(33, 20, 3, seed=1)), noise(20, 30, 3, seed=2), noise(20, 30)]
    t = translator("mobile")
    together = t(pictures)
    assert isinstance(together, list) and len(together) == 4
    for picture, out in zip(pictures, together, strict=True):
        assert type(out) is type(picture)
        # The convolutions of a batch may add up in another order, hence one level of 255.
        assert np.abs(np.asarray(out).astype(int) - np.asarray(t(picture))).max() <= 1
    stack = np.stack([pictures[0], pictures[2]])
    assert np.array_equal(t(stack), np.stack(t([pictures[0], pictures[2]])))
    assert t(torch.from_numpy(stack).permute(0, 3, 1, 2)).shape == (2, 3, 20, 30)
    assert t([]) == []


def test_size_scales_inside_and_comes_back_to_the_pictures_own_size():
    t = translator()
    seen = []
    t.network.register_forward_hook(lambda module, args, out: seen.append(tuple(args[0].shape[-2:])))
    assert t(Image.fromarray(noise(100, 200, 3)), size=32).size == (200, 100)
    assert seen == [(32, 64)]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_residual_translator_that_sees_a_picture_small_keeps_its_detail(dtype):
    """What it leaves alone is the picture's own pixel, however small it saw it."""
    t = translator("residual")
    picture = noise(100, 200, 3)
    picture = picture if dtype == np.uint8 else picture.astype(dtype) / 127.5 - 1
    assert not np.array_equal(t(picture, size=32), picture)
    t.network.start_as_copy()
    assert np.array_equal(t(picture, size=32), picture)


@pytest.mark.parametrize("name", ["residual", "residual to grey"])
def test_gain_and_offset_of_the_small_picture_are_scaled_up_and_applied(name):
    t = translator(name)
    x = torch.from_numpy(noise(2, 3, 45, 90)) / 127.5 - 1
    small = F.interpolate(x, (15, 30), mode="bicubic", antialias=True).clamp(-1, 1)
    with torch.no_grad():
        change = t.network.network(pad_to_multiple(small, 4))[..., :15, :30]
        change = F.interpolate(change, (45, 90), mode="bicubic", antialias=True).clamp(-1, 1)
        assert torch.allclose(t(x, size=15), t.network.combine(x, change), atol=1e-5)


def test_size_never_enlarges():
    t = translator()
    seen = []
    t.network.register_forward_hook(lambda module, args, out: seen.append(tuple(args[0].shape[-2:])))
    narrow = noise(2, 160, 3)
    assert np.array_equal(t(narrow, size=64), t(narrow)) and seen == [(16, 160)] * 2, "padded to 16, as without size"


def test_what_one_picture_may_cost_is_bounded_and_said(monkeypatch):
    monkeypatch.setattr("cyclegan.translate.forward.LARGEST", 40 * 40)
    with pytest.raises(ImageError, match=r"80 × 50 pixels are more than.*size=31 "):
        translator()(noise(50, 80, 3))
    assert translator()(noise(50, 80, 3), size=31).shape == (50, 80, 3)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "JPEG", "WEBP"])
def test_what_is_too_large_is_refused_before_it_is_decoded(kind, tmp_path, monkeypatch):
    """The file is cut off behind its head: decoding it would say so."""
    monkeypatch.setattr("cyclegan.translate.kinds.LARGEST", 10**6)
    path = tmp_path / f"a.{kind.lower()}"
    Image.new("RGB", (2000, 700)).save(path)
    data = path.read_bytes()
    path.write_bytes(data if kind in ("TIFF", "WEBP") else data[: len(data) * 3 // 4])  # those are opened whole
    for picture in (path, Image.open(path)):
        with pytest.raises(ImageError, match=r"2000 × 700 pixels, more than the 1 million.*scale it down") as error:
            translator()(picture)
        assert str(path) in str(error.value)


def test_a_line_of_pixels_is_little_work():
    t = translator()
    seen = []
    t.network.register_forward_hook(lambda module, args, out: seen.append(tuple(args[0].shape[-2:])))
    for shape in ((1, 2000, 3), (3000, 1, 3), (1, 1, 3)):
        assert t(np.full(shape, 200, np.uint8)).shape == shape
    assert seen == [(8, 2000), (3000, 8), (16, 16)]


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (noise(8, 8, 5), "5 channels, and this translator takes 3"),
        (noise(8), r"\(H, W\)"),
        (np.zeros((8, 8, 3), np.int64), "not int64"),
        (np.zeros((0, 8, 3), np.uint8), "at least one pixel"),
        (np.full((8, 8, 3), 255.0), r"in \[-1, 1\], and this one goes from 255 to 255"),
        (np.full((8, 8, 3), np.nan), r"in \[-1, 1\]"),
        (torch.zeros(8, 8), r"\(C, H, W\)"),
        (torch.zeros(3, 8, 8, dtype=torch.bool), "not bool"),
        (7, "not int"),
        ("absent.jpg", "no file absent.jpg"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(picture, sentence):
    with pytest.raises(ImageError, match=sentence) as error:
        translator()(picture)
    assert "\n" not in str(error.value)


def test_run_refuses_what_is_no_batch():
    with pytest.raises(ImageError, match=r"float \(N, 3, H, W\)"):
        translator().run(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ImageError, match="uint8"):
        translator().run(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


def test_results_are_ordinary_tensors_that_may_be_trained_on():
    out = translator()(torch.zeros(3, 16, 16))
    weight = torch.ones((), requires_grad=True)
    (out * weight).sum().backward()


def test_translating_needs_none_of_the_libraries_of_training(tmp_path):
    translator().save_pretrained(tmp_path)
    code = f"""
import sys, numpy
from cyclegan import Translator
Translator.from_pretrained({str(tmp_path)!r})(numpy.zeros((20, 20, 3), "uint8"))
unwanted = ("kornia", "albumentations", "gradio", "tyro", "torchvision", "matplotlib", "cyclegan.train.run")
unwanted += ("cyclegan.data.samples", "cyclegan.data.augment")
print([module for module in unwanted if module in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
