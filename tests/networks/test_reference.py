"""Weights of other programs load with their architecture detected, compute the same, and go back."""

import argparse
import copy
import importlib.metadata
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cyclegan import Translator
from cyclegan.convert import main as convert
from cyclegan.networks.build import build_generator
from cyclegan.networks.reference import load_reference, save_reference
from cyclegan.networks.weights import load_weights
from cyclegan.system.errors import WeightsError
from cyclegan.translate import large

SMALL = {"name": "resnet", "width": 4, "blocks": 6}
COMPRESSED = Path(__file__).parents[3] / "shared" / "weights" / "gan_compression_horse2zebra_G.pth"


def network_of(architecture, seed=0):
    torch.manual_seed(seed)
    return build_generator(architecture).eval()


def saved(path, state):
    torch.save(state, path)
    return path


def same_function(a, b, channels=3):
    """In double precision: norms of few pixels, as a U-Net has in the middle, amplify rounding."""
    x = torch.rand(1, channels, 256, 256, generator=torch.Generator().manual_seed(1)).double() * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(copy.deepcopy(a).double()(x), copy.deepcopy(b).double()(x), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    "architecture",
    [
        {"name": "resnet", "width": 4, "blocks": 9},
        {"name": "resnet", "width": 4, "blocks": 6, "dropout": 0.5},
        {"name": "resnet", "width": 4, "blocks": 6, "in_channels": 1, "norm": "instance_affine"},
        {"name": "resnet", "width": 4, "blocks": 9, "antialias": True},
        {"name": "resnet", "width": 4, "blocks": 6, "antialias": True, "norm": "instance_affine", "out_channels": 1},
        {"name": "unet", "width": 4, "levels": 8},
        {"name": "unet", "width": 4, "levels": 7, "out_channels": 1, "norm": "instance_affine"},
        {"name": "mobile", "channels": [4, 4, 3, 2, 3, 5, 4, 6]},
    ],
    ids=lambda a: "-".join(map(str, a.values())),
)
def test_architecture_is_read_from_the_tensors(tmp_path, architecture):
    network = network_of(architecture)
    loaded, found = load_reference(saved(tmp_path / "latest_net_G.pth", network.state_dict()))
    assert found.items() >= architecture.items()
    same_function(loaded, network, architecture.get("in_channels", 3))


def old_and_prefixed(state):
    """As files of 2017 from several GPUs are: prefixes, running statistics, another name for the blocks."""
    old = {}
    for key, tensor in state.items():
        key = "module." + key.replace(".conv_block.", ".block.")
        old[key] = tensor
        if key.endswith("model.1.bias"):
            old["module.model.2.running_mean"] = torch.rand(4)
            old["module.model.2.running_var"] = torch.rand(4)
            old["module.model.2.num_batches_tracked"] = torch.tensor(7)
    return old


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"epoch": 200, "state_dict": s}], ids=["flat", "wrapped"])
def test_prefixes_running_statistics_and_wrappers_do_not_matter(tmp_path, wrap):
    network = network_of({"name": "resnet", "width": 4, "blocks": 6})
    loaded, found = load_reference(saved(tmp_path / "G.pth", wrap(old_and_prefixed(network.state_dict()))))
    assert found["blocks"] == 6 and found["norm"] == "instance"
    same_function(loaded, network)


def test_batch_norm_without_biases_is_affine_instance_norm(tmp_path):
    """A batch norm in training mode, fed one picture, is what the reference runs when it translates."""
    torch.manual_seed(0)
    network = build_generator({"name": "resnet", "width": 4, "blocks": 6, "norm": "instance_affine"})
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.5, 0.5)
    options = save_reference(tmp_path / "G.pth", network, {"name": "resnet", "blocks": 6, "norm": "instance_affine"})
    assert "--norm batch" in options and "resnet_6blocks" in options
    written = torch.load(tmp_path / "G.pth", weights_only=True)
    assert "model.1.bias" not in written and "model.2.running_var" in written and "model.23.bias" in written

    batch = build_generator({"name": "resnet", "width": 4, "blocks": 6})
    for module in list(batch.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.InstanceNorm2d):
                setattr(module, name, torch.nn.BatchNorm2d(child.num_features))
    missing, unexpected = batch.load_state_dict(written, strict=False)
    assert not unexpected and all(key.endswith(".bias") for key in missing)
    same_function(batch.train(), network)
    same_function(load_reference(tmp_path / "G.pth")[0], network)


def test_what_goes_back_has_the_references_own_names(tmp_path):
    architecture = {"name": "resnet"}  # full size: 48 tensors and 11,378,179 parameters, as DESIGN of the reference
    network = network_of(architecture)
    options = save_reference(tmp_path / "latest_net_G.pth", network, architecture)
    written = torch.load(tmp_path / "latest_net_G.pth", weights_only=True)
    assert options == "--netG resnet_9blocks --ngf 64 --norm instance --input_nc 3 --output_nc 3 --no_dropout"
    assert len(written) == 48 and sum(t.numel() for t in written.values()) == 11_378_179
    shapes = {key: list(tensor.shape) for key, tensor in written.items() if key.endswith("weight")}
    blocks = {f"model.{i}.conv_block.{k}.weight": [256, 256, 3, 3] for i in range(10, 19) for k in (1, 5)}
    ends = {
        "model.1.weight": [64, 3, 7, 7],
        "model.4.weight": [128, 64, 3, 3],
        "model.7.weight": [256, 128, 3, 3],
        "model.19.weight": [256, 128, 3, 3],
        "model.22.weight": [128, 64, 3, 3],
        "model.26.weight": [3, 64, 7, 7],
    }
    assert shapes == blocks | ends


def test_the_published_cut_generator_comes_in_and_goes_back_to_the_bit(tmp_path):
    """Convolutions 1, 4, 8, blocks from 12, convolutions 22, 26, 30: the filters between count as layers."""
    convolutions = {1: (4, 3, 7), 4: (8, 4, 3), 8: (16, 8, 3), 22: (8, 16, 3), 26: (4, 8, 3), 30: (3, 4, 7)}
    state = {f"model.{i}.weight": torch.randn(a, b, k, k) for i, (a, b, k) in convolutions.items()}
    state |= {f"model.{i}.conv_block.{j}.weight": torch.randn(16, 16, 3, 3) for i in range(12, 21) for j in (1, 5)}
    state |= {key.replace("weight", "bias"): torch.randn(len(tensor)) for key, tensor in state.items()}
    for i, taps, gain in ((7, [1, 2, 1], 1), (11, [1, 2, 1], 1), (21, [1, 3, 3, 1], 4), (25, [1, 3, 3, 1], 4)):
        line = torch.tensor(taps, dtype=torch.float32)
        channels = {7: 8, 11: 16, 21: 16, 25: 8}[i]
        state[f"model.{i}.filt"] = (gain * torch.outer(line, line) / line.sum() ** 2).repeat(channels, 1, 1, 1)
    there = saved(tmp_path / "latest_net_G.pth", state)
    assert convert([str(there), "-o", str(tmp_path / "G_AB.safetensors"), "--domains", "horse", "zebra"]) == 0
    _, header = load_weights(tmp_path / "G_AB.safetensors")
    assert header["architecture"]["antialias"] and header["architecture"]["blocks"] == 9
    network, architecture = load_reference(there)
    options = save_reference(tmp_path / "back.pth", network, architecture)
    assert options == "--netG resnet_9blocks --ngf 4 --normG instance --input_nc 3 --output_nc 3 --no_dropout True"
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert back.keys() == state.keys() and all(torch.equal(back[key], state[key]) for key in state)


def test_upits_sequence_has_no_model_before_its_numbers(tmp_path):
    state = network_of(SMALL).state_dict()
    bare = {key.removeprefix("model."): tensor for key, tensor in state.items()}
    network, found = load_reference(saved(tmp_path / "G.pth", bare))
    assert found["blocks"] == 6 and all(torch.equal(network.state_dict()[key], state[key]) for key in state)
    both = {f"{name}.{key}": tensor for name in ("G_A", "G_B") for key, tensor in bare.items()}
    both |= {"D_A.0.weight": torch.zeros(64, 3, 4, 4)}
    with pytest.raises(WeightsError, match=r"several networks \(G_A, G_B\)"):
        load_reference(saved(tmp_path / "pytorch_model.bin", both))
    network, _ = load_reference(tmp_path / "pytorch_model.bin", "G_B")
    assert all(torch.equal(network.state_dict()[key], state[key]) for key in state)


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        ({"name": "resnet", "width": 4, "up": "resize"}, "resize-convolutions"),
        ({"name": "mobile", "width": 4, "residual": 1.0}, "residual"),
        ({"name": "resnet", "width": 4, "blocks": 3}, "6 or 9 blocks"),
    ],
)
def test_what_the_reference_has_no_network_for_is_not_written(tmp_path, architecture, sentence):
    with pytest.raises(WeightsError, match=sentence):
        save_reference(tmp_path / "G.pth", build_generator(architecture), architecture)
    assert not list(tmp_path.iterdir())


class UpsampledBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        self.block = nn.Sequential(*half, nn.ReLU(), *again)

    def forward(self, x):
        return x + self.block(x)


class Upsampled(nn.Module):
    """The ResNet of PyTorch-GAN and huggan: pixels repeated before convolutions that pad with zeros."""

    def __init__(self, blocks=2, width=4):
        super().__init__()
        norm, w = nn.InstanceNorm2d, width
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, w, 7), norm(w), nn.ReLU()]
        for _ in range(2):
            layers += [nn.Conv2d(w, 2 * w, 3, 2, 1), norm(2 * w), nn.ReLU()]
            w *= 2
        layers += [UpsampledBlock(w) for _ in range(blocks)]
        for _ in range(2):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(w, w // 2, 3, 1, 1), norm(w // 2), nn.ReLU()]
            w //= 2
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Tanh())

    def forward(self, x):
        return self.model(x)


def test_generators_that_repeat_pixels_load_and_compute_the_same(tmp_path):
    original = Upsampled()
    network, found = load_reference(saved(tmp_path / "huggan.bin", original.state_dict()))
    assert found["up"] == "resize-zeros" and found["blocks"] == 2 and found["width"] == 4
    x = torch.rand(1, 3, 32, 48) * 2 - 1
    assert torch.allclose(network(x), original(x), atol=1e-5)
    x = torch.rand(1, 3, 256, 48) * 2 - 1
    assert (large.translate(network, x, 32) - network(x)).abs().max() < 0.02, "kept maps have half precision"


@pytest.mark.parametrize("name", ["G.pth", "pytorch_model.bin", "epoch_10.ckpt", "G.safetensors", "wrong.pt"])
def test_a_file_is_known_by_its_content_and_convert_keeps_domains_and_size(tmp_path, name):
    state = network_of({"name": "resnet", "width": 4, "blocks": 6}).state_dict()
    file = tmp_path / name
    if "safe" in name or "wrong" in name:
        save_file(state, file)
    else:
        torch.save(state, file)
    out = tmp_path / "out" / "G_AB.safetensors"
    assert convert([str(file), "-o", str(out), "--domains", "dog", "cat", "--size", "128"]) == 0
    loaded, header = load_weights(out)
    assert header["domains"] == ["dog", "cat"] and header["size"] == 128
    assert all(torch.equal(loaded.state_dict()[key], state[key]) for key in state)
    assert Translator.from_pretrained(file, device="cpu").channels == (3, 3)


def wrapped(state, kind):
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(2))]).state_dict()
    critic = {"model.0.weight": torch.zeros(64, 3, 4, 4)}
    return {
        "parallel": {"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3},
        "optimizer": {"generator": state, "optimizer_state_dict": optimizer},
        "discriminator": {"nets": {"G": state, "D": critic}},
        "lightning": {
            "epoch": 3,
            "pytorch-lightning_version": "2.4.0",
            "state_dict": {
                **{f"G.module.{k}": v for k, v in state.items()},
                **{f"D.{k}": v for k, v in critic.items()},
            },
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 3}}}},
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(1.0), "dirpath": "there"}},
            "optimizer_states": [optimizer],
            "lr_schedulers": [],
            "hyper_parameters": argparse.Namespace(lr=2e-4, betas=(0.5, 0.999)),
        },
        "prefixes": {**{f"netG.{k}": v for k, v in state.items()}, **{f"netD.{k}": v for k, v in critic.items()}},
    }[kind]


@pytest.mark.parametrize("kind", ["parallel", "optimizer", "discriminator", "lightning", "prefixes"])
def test_the_only_generator_is_found_however_it_is_wrapped(tmp_path, kind):
    state = network_of({"name": "resnet", "width": 4, "blocks": 6}).state_dict()
    network, _ = load_reference(saved(tmp_path / "all.pth", wrapped(state, kind)))
    assert all(torch.equal(network.state_dict()[key], state[key]) for key in state)


@pytest.mark.parametrize("flat", [False, True])
def test_of_several_generators_one_is_chosen_by_its_key(tmp_path, flat, capsys):
    one, two = ({k: v + i for k, v in network_of(SMALL).state_dict().items()} for i in range(2))
    nets = {"G_A2B": one, "G_B2A": two}
    content = {f"{n}.{k}": v for n, state in nets.items() for k, v in state.items()} if flat else {"epoch": 5, **nets}
    both = saved(tmp_path / "both.pth", content)
    out = tmp_path / "G_BA.safetensors"
    assert convert([str(both), "-o", str(out)]) == 2
    said = capsys.readouterr().err
    assert "several networks (G_A2B, G_B2A): choose one with --key" in said and said.count("\n") == 1
    assert convert([str(both), "-o", str(out), "--key", "G_B2A"]) == 0
    assert torch.equal(load_weights(out)[0].state_dict()["model.1.bias"], two["model.1.bias"])
    assert convert([str(both), "-o", str(out), "--overwrite", "--key", "D"]) == 2
    assert "no generator 'D': it holds G_A2B, G_B2A" in capsys.readouterr().err


def test_another_network_is_not_called_incomplete(tmp_path):
    state = network_of(SMALL).state_dict()
    state["model.4.conv.weight"] = state.pop("model.4.weight")
    with pytest.raises(WeightsError, match=r"resembles a resnet.*not known here"):
        load_reference(saved(tmp_path / "G.pth", state))


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("write", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x, protocol=2))])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, write):
    write({"model.1.weight": Bomb(tmp_path / "ran")}, tmp_path / "G.pth")
    with pytest.raises(WeightsError, match=r"could run code.*refused") as error:
        load_reference(tmp_path / "G.pth")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_files_that_are_no_generators(tmp_path):
    def refuses(sentence, path):
        with pytest.raises(WeightsError, match=sentence) as error:
            load_reference(path)
        assert "\n" not in str(error.value)

    refuses("no such", tmp_path / "absent.pth")
    (tmp_path / "G.onnx").write_bytes(b"\x08\x0a\x12\x07pytorch")
    refuses("is an ONNX file, for other programs", tmp_path / "G.onnx")
    (tmp_path / "text.pth").write_text("hello, this is no pickle")
    refuses("damaged or no weights file", tmp_path / "text.pth")
    whole = saved(tmp_path / "cut.pth", network_of({"name": "resnet", "width": 4}).state_dict())
    whole.write_bytes(whole.read_bytes()[:-5000])
    refuses("damaged", whole)
    refuses("no state dict", saved(tmp_path / "a.pth", [1, 2]))
    refuses("discriminator", saved(tmp_path / "D.pth", {"model.0.weight": torch.zeros(64, 3, 4, 4)}))
    refuses("no generator that is known", saved(tmp_path / "v.pth", {"features.0.weight": torch.zeros(64, 3, 3, 3)}))
    mixed = network_of({**SMALL, "antialias": True}).state_dict()
    refuses("on one way only", saved(tmp_path / "c.pth", {k: v for k, v in mixed.items() if k != "model.7.filt"}))
    other = {f"{side}1.model.0.weight": torch.zeros(64, 3, 4, 4) for side in ("down", "up")}
    refuses("U-Net of PyTorch-GAN", saved(tmp_path / "huggan.bin", other))
    pair = {"G_A": {"w": torch.zeros(1)}, "G_B": {"w": torch.zeros(1)}}
    refuses(r"several networks \(G_A, G_B\)", saved(tmp_path / "pair.pth", pair))
    incomplete = network_of({"name": "resnet", "width": 4, "blocks": 2}).state_dict()
    incomplete.pop("model.4.weight")
    refuses("model.4.weight is missing", saved(tmp_path / "incomplete.pth", incomplete))


@pytest.mark.skipif(not COMPRESSED.exists(), reason="the trained weights ../shared/weights are not on this machine")
def test_gan_compressions_trained_generator(tmp_path):
    network, found = load_reference(COMPRESSED)
    assert found["channels"] == [16, 16, 32, 16, 32, 32, 16, 16]
    assert sum(p.numel() for p in network.parameters()) == 356_867
    options = save_reference(tmp_path / "G.pth", network, found)
    assert options.endswith("--config_str 16_16_32_16_32_32_16_16")
    original, written = (torch.load(p, weights_only=True) for p in (COMPRESSED, tmp_path / "G.pth"))
    assert original.keys() == written.keys() and all(torch.equal(original[k], written[k]) for k in original)


def test_a_published_affine_resnet(tmp_path):
    try:
        files = importlib.metadata.files("vintagify") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package vintagify, which carries trained weights, is not installed")
    path = next(file.locate() for file in files if file.suffix == ".pth")
    network, found = load_reference(path)
    assert found == {
        **{"name": "resnet", "in_channels": 3, "out_channels": 3, "width": 64, "blocks": 9},
        **{"norm": "instance_affine", "dropout": 0.0},
    }
    save_reference(tmp_path / "G.pth", network, found)
    same_function(load_reference(tmp_path / "G.pth")[0], network)
