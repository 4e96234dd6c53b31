"""Large pictures in parts: the result is that of the whole picture, and the memory stays bounded."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cyclegan.data.pixels import to_levels, to_signed
from cyclegan.networks.build import build_generator
from cyclegan.translate import large, strips
from cyclegan.translate.sizes import pad_to_multiple
from cyclegan.translate.translator import Translator

NETWORKS = {
    "resnet": {"name": "resnet", "width": 8, "blocks": 3},
    "affine, dropout, resize": {
        **{"name": "resnet", "width": 8, "blocks": 2, "norm": "instance_affine", "up": "resize", "dropout": 0.5},
    },
    "mobile": {"name": "mobile", "width": 8, "blocks": 4},
    "mobile of unequal widths": {"name": "mobile", "channels": [4, 4, 4, 2, 4, 8, 4, 4], "blocks": 3},
    "no norm": {"name": "resnet", "width": 8, "blocks": 2, "norm": "none"},
    "no blocks": {"name": "resnet", "width": 4, "blocks": 0},
    "residual": {"name": "mobile", "width": 4, "blocks": 2, "residual": 0.7},
    "grey to colour": {"name": "resnet", "width": 4, "blocks": 1, "in_channels": 1},
    "unet": {"name": "unet", "levels": 5, "width": 8},
    "pix2pix": {"name": "unet", "levels": 7, "width": 4, "norm": "batch_statistics", "noise": 0.5},
    "painted": {"name": "mobile", "width": 4, "blocks": 2, "residual": 0.7, "palette": 27},
    "painted unet": {"name": "unet", "levels": 5, "width": 4, "palette": 27},
    "affine unet": {"name": "unet", "levels": 6, "width": 4, "norm": "instance_affine", "out_channels": 1},
}


def uneven(channels, height, width):
    """A picture whose halves differ, so that parts translated one by one would disagree."""
    torch.manual_seed(1)
    x = torch.rand(1, channels, height, width) * 0.4
    x[..., : height // 2, :] -= 0.8
    x[..., width // 2 :] += 0.4
    return x


def translator(name):
    torch.manual_seed(0)
    architecture = NETWORKS[name]
    network = build_generator(architecture)
    for parameter in network.parameters():
        if parameter.dim() == 1:  # biases, and scales of affine norms, that do something
            torch.nn.init.normal_(parameter, 0.3, 0.5)
        if parameter.shape[1:] == (27,):
            torch.nn.init.normal_(parameter, 0.0, 0.02)
    channels = [architecture.get("in_channels", 3), architecture.get("out_channels", 3)]
    header = {"architecture": architecture, "domains": ["a", "b"], "preprocessing": {"channels": channels}}
    if "palette" in architecture:
        header["palettes"] = torch.eye(27)[:3].tolist()
    made = Translator(network, header, "cpu")
    return made.with_palette(1) if "palette" in architecture else made


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(256, 192), (131, 322)])
def test_parts_give_what_the_whole_picture_gives_up_to_the_rounding_of_kept_maps(name, size, monkeypatch):
    """In double precision to the last digits. With maps that are kept in 11 bits, off by what those bits bring about:
    by an eighth of what 8 bits do, which is this network's own measure of how much it amplifies rounding."""
    t = translator(name)
    x = uneven(t.channels[0], *size)
    with torch.no_grad():
        network, padded = t.network.double(), pad_to_multiple(x.double(), t.network.multiple)
        monkeypatch.setattr(strips, "KEPT", torch.float64)
        whole = network(padded)
        torch.testing.assert_close(large.translate(network, padded, 48), whole, rtol=0, atol=1e-10)
    network.float()
    whole = whole[0, :, : size[0], : size[1]]
    off = {}
    for kept in (torch.float16, torch.bfloat16):
        monkeypatch.setattr(strips, "KEPT", kept)
        parts = t(x[0], tile=48)
        assert parts.shape == whole.shape
        off[kept] = (parts - whole).square().mean().sqrt()
    assert 0 < off[torch.float16] < 2 * off[torch.bfloat16] / 8
    alone = torch.cat([t(half.contiguous(), tile=0) for half in x[0].split(size[0] // 2, 1)], 1)
    if name != "no norm":
        assert (whole - alone).abs().max() > 0.05  # what this is for


def test_large_pictures_are_done_in_parts_without_being_asked(monkeypatch):
    t = translator("resnet")
    monkeypatch.setattr(large, "_BUDGET", 8 * 100 * 100)
    seen = []
    t.network.register_forward_hook(lambda module, args, out: seen.append(args[0].shape))
    pictures = [np.zeros((100, 100, 3), np.uint8), np.zeros((100, 104, 3), np.uint8)]
    assert [out.shape for out in t(pictures)] == [(100, 100, 3), (100, 104, 3)]
    assert seen == [(1, 3, 100, 100)]  # the second went strip by strip, never through the network as a whole


def test_parts_need_less_memory():
    code = """
import re, sys, torch
from cyclegan.translate import large
from cyclegan.data.pixels import to_levels, to_signed
from cyclegan.networks.build import build_generator
torch.set_num_threads(1)
network = build_generator({"name": "resnet", "width": 16, "blocks": 1}).eval()
network(torch.zeros(1, 3, 128, 128))
# The kernel's own count: resource's would begin with the peak of the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
with torch.no_grad():
    x = torch.zeros(1, 3, 1024, 1024)
    large.translate(network, x, 128) if sys.argv[1] == "parts" else network(x)
print(peak() - before)
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak memory of a process is read from /proc, which is Linux's")
    whole, parts = (
        int(subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout)
        for how in ("whole", "parts")
    )
    assert parts < whole / 2


@pytest.mark.parametrize("name", ["resnet", "residual", "unet", "pix2pix", "affine unet", "no blocks", "painted"])
@pytest.mark.parametrize("tile", [0, 48])
def test_a_watch_hears_a_share_that_rises_to_one_and_changes_nothing(name, tile):
    t, heard = translator(name), []
    pictures = [uneven(t.channels[0], *size)[0] for size in ((96, 80), (320, 64))]
    watched = t(pictures, tile=tile, watch=heard.append)
    assert heard == sorted(heard) and 0 < heard[0] < 0.5 and heard[-1] == pytest.approx(1, abs=0.05)
    assert len(heard) > 10
    assert all(torch.equal(*pair) for pair in zip(watched, t(pictures, tile=tile), strict=True))


@pytest.mark.parametrize("tile", [0, 48])
def test_what_a_watch_raises_ends_the_work_and_passes_through(tile):
    class Left(Exception):
        pass

    heard = []

    def watch(share):
        heard.append(share)
        if share > 0.3:
            raise Left

    t = translator("resnet")
    with pytest.raises(Left):
        t(uneven(3, 200, 64)[0], tile=tile, watch=watch)
    assert heard[-1] < 0.5
    t(uneven(3, 64, 64)[0], tile=tile)  # goes on, and tells nobody
    assert heard[-1] < 0.5


def test_a_line_of_pixels_is_translated_in_strips_too():
    network = build_generator({"name": "resnet", "width": 4, "blocks": 1})
    header = {"architecture": {"name": "resnet"}, "preprocessing": {"channels": [3, 3]}, "domains": ["a", "b"]}
    line = np.random.default_rng(0).integers(0, 255, (3, 4000, 3), dtype=np.uint8)
    whole, parts = (Translator(network, header, "cpu")(line, tile=tile).astype(int) for tile in (0, 64))
    assert whole.shape == line.shape and np.abs(whole - parts).max() <= 2


def test_levels_give_the_levels_that_whole_numbers_of_the_result_would_be():
    """A large picture of 8 bits is never kept in more: scaled, and rounded, strip by strip."""
    t = translator("residual")
    levels = torch.randint(0, 256, (1, 3, 96, 52), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    made = large.translate(t.network, levels, 32)
    assert made.dtype == torch.uint8
    assert torch.equal(made, to_levels(large.translate(t.network, to_signed(levels), 32)))
