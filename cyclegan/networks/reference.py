"""Generators of other programs, in and out: the reference implementations of CycleGAN, pix2pix and CUT, and others.

Their files hold tensors and nothing else. What the network was is read from names and shapes (``known``), and the
tensors come into the layout of ``cyclegan.networks``, whose module names are the reference's own.
"""

import os
import re

import torch
from torch import nn

from cyclegan.networks.build import build_generator
from cyclegan.networks.foreign import read_tensors
from cyclegan.networks.generators import mobile_channels
from cyclegan.networks.known import architecture_of
from cyclegan.networks.weights import check_fit
from cyclegan.system.errors import WeightsError
from cyclegan.system.files import whole

# Statistics that old files carry. They are not used: the reference translates in training mode with batches of one,
# where batch normalisation normalises by the picture's own statistics, that is, it is instance normalisation with a
# learned scale and shift. Hence a ResNet's affine norms come in as ``instance_affine``, whichever of the two they were.
# A U-Net with batch norms is pix2pix's, has a norm of its own here, and keeps them.
_RUNNING = ("running_mean", "running_var", "num_batches_tracked")
# Depths that its command line, or GAN Compression's, has a name for: blocks, and levels of the U-Net.
_DEPTHS = {"resnet": (6, 9), "mobile": (9,), "unet": (7, 8)}


def load_reference(
    path: str | os.PathLike[str], key: str | None = None, dropout: bool = True
) -> tuple[nn.Module, dict]:
    """``(network, architecture)`` of a foreign generator's file, in evaluation mode; PyTorch's format or safetensors.

    Reads ResNet and U-Net generators of the reference implementation (any number of blocks, levels and channels, with
    and without dropout, plain and affine norms, old running statistics, ``module.`` prefixes, ``.block.`` for
    ``.conv_block.``), CUT's with its low-pass filters, the ResNets of PyTorch-GAN, huggan and UPIT, and the mobile
    generator of GAN Compression. ``key`` names one of several generators in the file. Nothing in the file is executed.
    Raises ``WeightsError`` with one sentence where it is something else.

    Dropout leaves no trace in the tensors of a U-Net. One with batch norms is taken for pix2pix's, whose dropout stays
    on, unless ``dropout`` is False.
    """
    state = read_tensors(path, key)
    architecture = architecture_of(state, path)
    if not dropout:
        architecture = {name: value for name, value in architecture.items() if name not in ("dropout", "noise")}
    if architecture.get("norm") != "batch_statistics":
        state = {name: tensor for name, tensor in state.items() if not name.endswith(_RUNNING)}
    with torch.device("meta"):
        network = build_generator(architecture)
    expected = network.state_dict()
    for key in expected.keys() - state.keys():
        # Convolutions before a batch norm have no bias there: zeros say the same.
        if key.endswith(".bias") and key.replace(".bias", ".weight") in state:
            state[key] = torch.zeros(expected[key].shape)
        elif key.endswith(_RUNNING):  # not there before PyTorch 0.4.1, or left out by somebody; nobody uses them
            state[key] = torch.full(expected[key].shape, int(key.endswith("_var")), dtype=expected[key].dtype)
    missing, surplus = expected.keys() - state.keys(), state.keys() - expected.keys()
    if missing and surplus:
        found = f"{path} resembles a {architecture['name']}, but has {min(surplus)} and no {min(missing)}"
        raise WeightsError(f"{found}: it is a network that is not known here")
    check_fit(state, network, path)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False), architecture


def save_reference(path: str | os.PathLike[str], network: nn.Module, architecture: dict) -> str:
    """Writes a file that the reference implementation loads; returns its options for doing so.

    GAN Compression's program loads the mobile generator, and CUT's that with low-pass filters. Affine norms are written
    as the reference's batch norms, which without ``--eval`` compute the same. Raises ``WeightsError`` for what the
    reference has no network for.
    """
    if architecture.get("residual") or architecture.get("up", "transpose") != "transpose":
        raise WeightsError("the reference has neither residual translators nor resize-convolutions to load this into")
    depth = architecture.get("levels", 8) if architecture["name"] == "unet" else architecture.get("blocks", 9)
    if depth not in _DEPTHS[architecture["name"]]:
        raise WeightsError("the reference has ResNets of 6 or 9 blocks, mobile ones of 9, and U-Nets of 7 or 8 levels")
    state = {key: tensor.detach().cpu() for key, tensor in network.state_dict().items()}
    norm = architecture.get("norm", "instance")
    if norm == "instance_affine":
        state = _as_batch_norm(network, state)
    with whole(path) as part, open(part, "wb") as file:
        torch.save(state, file)
    return _options(architecture, "instance" if norm == "instance" else "batch")


def _options(architecture: dict, norm: str) -> str:
    kind, width = architecture["name"], architecture.get("width", 64)
    if kind == "mobile":
        channels = architecture.get("channels") or mobile_channels(architecture.get("width", 16))
        return "--netG sub_mobile_resnet_9blocks --config_str " + "_".join(map(str, channels))
    if kind == "unet":
        name = f"unet_{2 ** architecture.get('levels', 8)}"
    else:
        name = f"resnet_{architecture.get('blocks', 9)}blocks"
    ends = f"--input_nc {architecture.get('in_channels', 3)} --output_nc {architecture.get('out_channels', 3)}"
    drops = bool(architecture.get("dropout") or architecture.get("noise"))
    if architecture.get("antialias"):  # CUT's program: its flags differ
        return f"--netG {name} --ngf {width} --normG {norm} {ends} --no_dropout {not drops}"
    return f"--netG {name} --ngf {width} --norm {norm} {ends}{'' if drops else ' --no_dropout'}"


def _as_batch_norm(network: nn.Module, state: dict) -> dict:
    """Affine instance norms in the reference's batch-norm layout: running statistics, no bias before a norm.

    A bias before a normalisation is subtracted again with the mean, so nothing is lost with it.
    """
    result = dict(state)
    for name, module in network.named_modules():
        if not isinstance(module, nn.Sequential):
            continue
        layers = list(module)
        for i, layer in enumerate(layers):
            if isinstance(layer, nn.InstanceNorm2d):
                norm = f"{name}.{i}"
                result[f"{norm}.running_mean"] = torch.zeros_like(state[f"{norm}.weight"])
                result[f"{norm}.running_var"] = torch.ones_like(state[f"{norm}.weight"])
                result[f"{norm}.num_batches_tracked"] = torch.tensor(0)
                result.pop(f"{name}.{i - 1}.bias", None)
    return _without_unet_biases(network, result)


def _without_unet_biases(network: nn.Module, state: dict) -> dict:
    """The reference leaves out two more biases of its U-Nets, those of the convolutions that have no norm."""
    first = "model.model.0.bias"
    inner = max((k for k in state if re.fullmatch(r"model(\.model\.\d)+\.model\.1\.bias", k)), key=len, default=None)
    if first not in state:
        return state
    for key in (first, inner):
        if key in state and state.pop(key).abs().max() > 0:
            raise WeightsError("the reference's U-Nets with affine norms lack biases that this one has: not writable")
    return state
