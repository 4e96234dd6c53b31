"""Weights of other programs load with their architecture detected, compute the same, and go back."""

import copy
import importlib.metadata
import os
import pickle
from pathlib import Path

import pytest
import torch

from cyclegan.networks.build import build_generator
from cyclegan.networks.reference import load_reference, save_reference
from cyclegan.system.errors import WeightsError

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
    (tmp_path / "text.pth").write_text("hello, this is no pickle")
    refuses("damaged or no weights file", tmp_path / "text.pth")
    whole = saved(tmp_path / "cut.pth", network_of({"name": "resnet", "width": 4}).state_dict())
    whole.write_bytes(whole.read_bytes()[:-5000])
    refuses("damaged", whole)
    refuses("no state dict", saved(tmp_path / "a.pth", [1, 2]))
    refuses("discriminator", saved(tmp_path / "D.pth", {"model.0.weight": torch.zeros(64, 3, 4, 4)}))
    refuses("no generator that is known", saved(tmp_path / "v.pth", {"features.0.weight": torch.zeros(64, 3, 3, 3)}))
    refuses("anti-aliased", saved(tmp_path / "c.pth", {"model.7.filt": torch.zeros(1), "x": torch.zeros(1)}))
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
