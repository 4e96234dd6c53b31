"""Weights files describe themselves, appear whole or not at all, and refuse what does not fit."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import load_weights, read_header, save_weights
from cyclegan.system.errors import WeightsError

ARCHITECTURES = [
    {"name": "resnet", "width": 4, "blocks": 2},
    {"name": "resnet", "width": 4, "blocks": 1, "norm": "instance_affine", "up": "resize", "dropout": 0.5},
    {"name": "mobile", "channels": [4, 4, 4, 2, 4, 4, 4, 4], "in_channels": 1},
    {"name": "mobile", "width": 4, "residual": 0.5},
    {"name": "unet", "width": 4, "levels": 5, "out_channels": 1},
]


def header(architecture):
    return {"architecture": architecture, "domains": ["horse", "zebra"], "size": 64, "provenance": {"by": "a test"}}


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: "-".join(map(str, a.values())))
def test_what_is_saved_comes_back_and_computes_the_same(tmp_path, architecture):
    torch.manual_seed(0)
    network = build_generator(architecture).eval()
    path = save_weights(tmp_path / "new folder" / "G.safetensors", network, header(architecture))
    loaded, read = load_weights(path)
    x = torch.rand(1, architecture.get("in_channels", 3), 64, 64) * 2 - 1
    assert torch.equal(loaded(x), network(x))
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert read == read_header(path)
    assert read["format"] == 1 and read["domains"] == ["horse", "zebra"] and read["size"] == 64
    assert read["architecture"] == architecture and read["provenance"] == {"by": "a test"}
    channels = [architecture.get("in_channels", 3), architecture.get("out_channels", 3)]
    assert read["preprocessing"] == {"range": [-1, 1], "channels": channels}


def test_half_precision_is_loaded_as_float32(tmp_path):
    network = build_generator(ARCHITECTURES[0]).half()
    loaded, _ = load_weights(save_weights(tmp_path / "G.safetensors", network, header(ARCHITECTURES[0])))
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}


def test_reading_the_header_does_not_import_torch(tmp_path):
    path = save_weights(tmp_path / "G.safetensors", build_generator(ARCHITECTURES[0]), header(ARCHITECTURES[0]))
    imported = "import sys; from cyclegan.networks.weights import read_header"
    code = f"{imported}; read_header({str(path)!r}); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_save_that_the_disk_cuts_short_leaves_the_old_file_and_nothing_else(tmp_path):
    resource = pytest.importorskip("resource")
    path = save_weights(tmp_path / "G.safetensors", build_generator(ARCHITECTURES[0]), header(ARCHITECTURES[0]))
    before = path.read_bytes()

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_weights(path, build_generator(ARCHITECTURES[0]), header(ARCHITECTURES[0]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["G.safetensors"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architecture": {"name": "resnet", "width": 8, "blocks": 2}}, "shape"),
        ({"architecture": {"name": "resnet", "width": 4, "blocks": 3}}, "missing"),
        ({"architecture": {"name": "resnet", "width": 4, "blocks": 1}}, r"model.11.weight is missing"),
        ({"architecture": {"name": "transformer"}}, "unknown generator 'transformer'"),
        ({"architecture": {"name": "resnet", "depth": 4}}, "depth"),
        ({"architecture": None}, "no architecture"),
        ({"domains": ["horse"]}, "domains"),
        ({"domains": "ab"}, "domains"),
        ({"format": 2}, "format 2"),
        ({"preprocessing": {"range": [0, 1]}}, "preprocessing"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_in_one_line(tmp_path, change, sentence):
    network = build_generator(ARCHITECTURES[0])
    with pytest.raises(WeightsError, match=sentence) as error:
        save_weights(tmp_path / "G.safetensors", network, {**header(ARCHITECTURES[0]), **change})
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
    # The same header arriving in a file that somebody else wrote.
    path = tmp_path / "G.safetensors"
    save_file(network.state_dict(), path, {"cyclegan": json.dumps({**header(ARCHITECTURES[0]), **change})})
    with pytest.raises(WeightsError, match=sentence):
        load_weights(path)


def test_files_that_are_no_generators_of_ours(tmp_path):
    with pytest.raises(WeightsError, match="no such weights file"):
        load_weights(tmp_path / "absent.safetensors")
    other = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(2)}, other)
    with pytest.raises(WeightsError, match=r"cyclegan\.convert"):
        load_weights(other)
    text = tmp_path / "text.safetensors"
    text.write_text("not weights at all, but long enough to hold a header")
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        load_weights(text)
    whole = save_weights(tmp_path / "G.safetensors", build_generator(ARCHITECTURES[0]), header(ARCHITECTURES[0]))
    whole.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        load_weights(whole)
