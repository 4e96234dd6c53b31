"""ONNX files that translate any size as PyTorch does, and the conversion's command line."""

import copy
import json

import pytest
import torch

from cyclegan import Translator
from cyclegan.convert import main as convert
from cyclegan.networks.build import build_generator
from cyclegan.translate.sizes import pad_to_multiple


def saved(folder, architecture, seed=0):
    torch.manual_seed(seed)
    header = {"architecture": architecture, "domains": ["horse", "zebra"], "size": 64, "provenance": {}}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    Translator(build_generator(architecture), header, "cpu").save_pretrained(folder)
    return Translator.from_pretrained(folder, device="cpu")


def exactly(translator, picture):
    """What the translator computes, in double precision."""
    height, width = picture.shape[-2:]
    with torch.no_grad():
        padded = pad_to_multiple(picture.double(), translator.network.multiple)
        return copy.deepcopy(translator.network).double()(padded)[..., :height, :width]


@pytest.mark.parametrize(
    "architecture",
    [
        {"name": "resnet", "width": 4, "blocks": 1},
        {"name": "mobile", "width": 4, "blocks": 1, "residual": 0.5, "up": "resize"},
        {"name": "unet", "width": 4, "levels": 5, "norm": "instance_affine"},
        {"name": "unet", "width": 4, "levels": 6, "norm": "batch_statistics", "noise": 0.5},
    ],
    ids=lambda a: a["name"] + a.get("norm", ""),
)
def test_an_exported_translator_takes_any_batch_and_size(tmp_path, monkeypatch, architecture, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from cyclegan.export import main

    monkeypatch.chdir(tmp_path)
    t = saved("pair", architecture)
    assert main(["pair", "--onnx", "out/G.onnx"]) == 0
    session = onnxruntime.InferenceSession("out/G.onnx", providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["cyclegan"])["domains"] == ["horse", "zebra"]
    for shape in [(1, 3, 37, 61), (3, 3, 64, 40), (1, 3, 200, 131)]:
        picture = torch.rand(*shape) * 2 - 1
        (result,) = session.run(["translated"], {"picture": picture.numpy()})
        exact = exactly(t, picture)
        off, pytorchs = ((r - exact).abs().max() for r in (torch.from_numpy(result), t.run(picture)))
        assert off < 10 * pytorchs + 1e-6, "no further from the exact result than another float32 program"
    assert main(["pair", "--onnx", "out/G.onnx"]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_a_palette_is_a_second_input(tmp_path, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from cyclegan.translate.onnx import export_onnx

    architecture = {"name": "mobile", "width": 4, "blocks": 1, "palette": 27, "residual": 0.5}
    network = build_generator(architecture)
    for name, parameter in network.named_parameters():
        if name.endswith("film"):
            torch.nn.init.normal_(parameter, 0.0, 0.02)
    header = {"architecture": architecture, "domains": ["a", "b"], "palettes": torch.eye(27).tolist()}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    t = Translator(network, header, "cpu")
    export_onnx(t, tmp_path / "G.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "G.onnx", providers=["CPUExecutionProvider"])
    picture = torch.rand(2, 3, 37, 50) * 2 - 1
    (result,) = session.run(None, {"picture": picture.numpy(), "palette": torch.eye(27)[[3, 12]].numpy()})
    for number, part, original in zip((3, 12), torch.from_numpy(result), picture, strict=True):
        torch.testing.assert_close(part[None], t.run(original[None], number), atol=1e-4, rtol=0)


def test_an_unknown_name_is_no_export(tmp_path, monkeypatch, capsys):
    from cyclegan.export import main

    monkeypatch.chdir(tmp_path)
    assert main(["horse2zebr", "--onnx", "G.onnx"]) == 2
    assert "did you mean horse2zebra" in capsys.readouterr().err


def test_converting_in_and_out_again_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    network = build_generator({"name": "resnet", "width": 4, "blocks": 6}).eval()
    torch.save(network.state_dict(), "latest_net_G_A.pth")
    assert convert(["latest_net_G_A.pth", "-o", "h2z/G_AB.safetensors", "--domains", "horse", "zebra"]) == 0
    t = Translator.from_pretrained("h2z", device="cpu")
    assert t.domains == ("horse", "zebra") and t.size == 256
    assert convert(["h2z", "-o", "back.pth"]) == 0
    assert "--netG resnet_6blocks" in capsys.readouterr().out
    back = torch.load("back.pth", weights_only=True)
    assert all(torch.equal(back[key], value) for key, value in network.state_dict().items())
    assert convert(["h2z", "-o", "back.pth"]) == 2 and "--overwrite" in capsys.readouterr().err
    assert convert(["h2z", "-o", "back.bin"]) == 2 and ".safetensors" in capsys.readouterr().err
    assert convert(["absent.pth", "-o", "x.safetensors"]) == 2
    assert "there is no file or folder absent.pth" in capsys.readouterr().err
