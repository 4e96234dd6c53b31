"""Generators of other programs, in and out: the reference implementation of CycleGAN and pix2pix, GAN Compression.

Their files hold tensors and nothing else. What the network was is read from names and shapes, and the tensors come
into the layout of ``cyclegan.networks``, whose module names are the reference's own.
"""

import os
import pickle
import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import check_fit, is_safetensors
from cyclegan.system.errors import WeightsError
from cyclegan.system.files import whole

# Statistics that old files carry. They are not used: the reference translates in training mode with batches of one,
# where batch normalisation normalises by the picture's own statistics, that is, it is instance normalisation with a
# learned scale and shift. Hence a ResNet's affine norms come in as ``instance_affine``, whichever of the two they were.
# A U-Net with batch norms is pix2pix's, has a norm of its own here, and keeps them.
_RUNNING = ("running_mean", "running_var", "num_batches_tracked")
_BEGINNINGS = (b"PK", b"\x80\x02")  # of PyTorch's files: zip archives, and before 2020 pickles of protocol 2
_WRAPPED = re.compile(r"^(module\.|_orig_mod\.)+")  # names that wrappers put before those of the tensors
_FIRST = ("model.1.weight", "model.model.0.weight")  # the first convolution of a ResNet and of a U-Net
# Depths that its command line, or GAN Compression's, has a name for: blocks, and levels of the U-Net.
_DEPTHS = {"resnet": (6, 9), "mobile": (9,), "unet": (7, 8)}


def load_reference(
    path: str | os.PathLike[str], key: str | None = None, dropout: bool = True
) -> tuple[nn.Module, dict]:
    """``(network, architecture)`` of a foreign generator's file, in evaluation mode; PyTorch's format or safetensors.

    Reads ResNet and U-Net generators of the reference implementation (any number of blocks, levels and channels, with
    and without dropout, plain and affine norms, old running statistics, ``module.`` prefixes, ``.block.`` for
    ``.conv_block.``), the ResNets of PyTorch-GAN and huggan, and the mobile generator of GAN Compression. ``key`` names
    one of several generators in the file. Nothing in the file is executed. Raises ``WeightsError`` with one sentence
    where it is something else.

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
    missing, surplus = expected.keys() - state.keys(), state.keys() - expected.keys()
    if missing and surplus:
        found = f"{path} resembles a {architecture['name']}, but has {min(surplus)} and no {min(missing)}"
        raise WeightsError(f"{found}: it is a network that is not known here")
    check_fit(state, network, path)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False), architecture


def read_tensors(path: str | os.PathLike[str], key: str | None = None) -> dict[str, Tensor]:
    """The generator's state dict in a file, without running any code that the file may carry.

    The names are those that the reference has today, the values float32. ``key`` chooses one of several. Raises
    ``WeightsError``.
    """
    try:
        if is_safetensors(path):
            from safetensors.torch import load_file

            return _chosen(load_file(path), key, path)
        with open(path, "rb") as file:
            if file.read(2) not in _BEGINNINGS:
                raise WeightsError(f"{path} is damaged or no weights file; copy or download it again")
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except FileNotFoundError as error:
        raise WeightsError(f"no such weights file: {path}") from error
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} holds more than tensors, and loading it could run code on this machine, so it was refused; "
            "ask its author for the state dict alone, or for safetensors"
        ) from error
    except Exception as error:  # on damaged files torch raises RuntimeError, EOFError, OSError, KeyError …
        raise WeightsError(f"{path} is damaged or no weights file; copy or download it again") from error
    return _chosen(loaded, key, path)


def architecture_of(state: dict[str, Tensor], path: str | os.PathLike[str]) -> dict:
    """What ``build_generator`` needs, from the names and shapes of a reference generator; raises ``WeightsError``."""
    if any(re.fullmatch(r"model\.\d+\.filt", key) for key in state):
        raise WeightsError(f"{path} is an anti-aliased ResNet (as in CUT), which this toolkit does not have")
    for is_such, architecture in KNOWN:
        if is_such(state):
            return architecture(state)
    if _is(state, "model.0.weight", 4) or _is(state, "net.0.weight", 1):
        raise WeightsError(f"{path} is a discriminator; the generator of the same training has G in its name")
    raise WeightsError(
        f"{path} is no generator that is known here: those of the CycleGAN and pix2pix reference (ResNet, U-Net) and "
        "of GAN Compression (mobile) are"
    )


def save_reference(path: str | os.PathLike[str], network: nn.Module, architecture: dict) -> str:
    """Writes a file that the reference implementation loads; returns its options for doing so.

    GAN Compression's program loads the mobile generator. Affine norms are written as the reference's batch norms,
    which without ``--eval`` compute the same. Raises ``WeightsError`` for what the reference has no network for.
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
    return _options(state, architecture, "instance" if norm == "instance" else "batch")


def _options(state: dict, architecture: dict, norm: str) -> str:
    kind, width = architecture["name"], architecture.get("width", 64)
    if kind == "mobile":
        return "--netG sub_mobile_resnet_9blocks --config_str " + "_".join(map(str, _resnet(state)["channels"]))
    if kind == "unet":
        name = f"unet_{2 ** architecture.get('levels', 8)}"
    else:
        name = f"resnet_{architecture.get('blocks', 9)}blocks"
    channels = f"--input_nc {architecture.get('in_channels', 3)} --output_nc {architecture.get('out_channels', 3)}"
    dropout = "" if architecture.get("dropout") or architecture.get("noise") else " --no_dropout"
    return f"--netG {name} --ngf {width} --norm {norm} {channels}{dropout}"


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


def _chosen(loaded: object, key: str | None, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The generator in what a file holds: the only one, or the one that ``key`` names."""
    found = {name: _normalised(state) for name, state in _state_dicts(loaded).items()}
    if not found:
        raise WeightsError(f"{path} holds no state dict, that is, no tensors with names")
    generators = {name: state for name, state in found.items() if any(is_such(state) for is_such, _ in KNOWN)}
    if key is not None:
        if key not in generators:
            there = ", ".join(generators) or "none by itself"
            raise WeightsError(f"{path} holds no generator {key!r}: it holds {there}")
        return generators[key]
    if len(generators) > 1:
        raise WeightsError(
            f"{path} holds several networks ({', '.join(generators)}): choose one with --key of python -m "
            "cyclegan.convert, or key= of Translator.from_reference"
        )
    if len(found) > 1 and not generators:
        raise WeightsError(f"{path} holds several networks ({', '.join(found)}), and no generator that is known here")
    return next(iter((generators or found).values()))


def _state_dicts(loaded: object, name: str = "") -> dict[str, dict[str, Tensor]]:
    """All state dicts in nested dicts, by name; one that holds several networks by their prefixes is taken apart."""
    if not isinstance(loaded, dict) or not loaded:
        return {}
    if all(isinstance(value, Tensor) for value in loaded.values()):
        state = {_WRAPPED.sub("", str(key)): tensor for key, tensor in loaded.items()}
        prefixes = {key[: -len(end)] for end in _FIRST for key in state if key.endswith(f".{end}")}
        if not prefixes or any(end in state for end in _FIRST):
            return {name: state}
        prefixes = {prefix for prefix in prefixes if not any(prefix != p and prefix.startswith(p) for p in prefixes)}
        return {
            ".".join(filter(None, (name, prefix.rstrip(".")))): {
                key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)
            }
            for prefix in sorted(prefixes)
        }
    found: dict[str, dict[str, Tensor]] = {}
    for key, value in loaded.items():
        found |= _state_dicts(value, f"{name}.{key}" if name else str(key))
    return found


def _normalised(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as the reference has them today, values as float32."""
    renamed = {}
    for key, tensor in state.items():
        renamed[re.sub(r"^(model\.\d+)\.block\.", r"\1.conv_block.", key)] = (
            tensor if key.endswith("num_batches_tracked") else tensor.float()
        )
    return renamed


def _is(state: dict, key: str, kernel: int) -> bool:
    return key in state and state[key].dim() == 4 and state[key].shape[-1] == kernel


def _affine(state: dict, key: str) -> dict:
    return {"norm": "instance_affine" if key in state else "instance"}


def _resnet(state: dict) -> dict:
    blocks = sorted({int(m[1]) for key in state if (m := re.match(r"model\.(\d+)\.conv_block\.", key))})
    last = max(int(m[1]) for key in state if (m := re.match(r"model\.(\d+)\.weight", key)))
    width, in_channels = state["model.1.weight"].shape[:2]
    found = {"in_channels": in_channels, "out_channels": state[f"model.{last}.weight"].shape[0]}
    found |= {"blocks": len(blocks), **_affine(state, "model.2.weight")}
    if _is(state, f"model.{last - 8}.weight", 3):  # a layer without tensors stands before each convolution up
        found["up"] = "resize-zeros"
    separable = f"model.{blocks[0]}.conv_block.1.conv.2.weight"
    if separable not in state:
        dropout = f"model.{blocks[0]}.conv_block.6.weight"  # one place further back than without
        return {"name": "resnet", **found, "width": width, "dropout": 0.5 if _is(state, dropout, 3) else 0.0}
    inner = [state[f"model.{blocks[i]}.conv_block.1.conv.2.weight"].shape[0] // 4 for i in _thirds(len(blocks))]
    down1, down2 = state["model.4.weight"].shape[0] // 2, state["model.7.weight"].shape[0] // 4
    up1, up2 = (state[f"model.{last - back}.weight"].shape[1] for back in (7, 4))
    return {"name": "mobile", **found, "channels": [width, down1, down2, *inner, up1 // 2, up2]}


def _thirds(blocks: int) -> list[int]:
    """The first block of each third, where there are that many."""
    return [next((i for i in range(blocks) if i * 3 // blocks == third), 0) for third in range(3)]


def _unet(state: dict) -> dict:
    down, up = state["model.model.0.weight"], state["model.model.3.weight"]
    deepest = max(key.count(".model.") for key in (key.replace(".", "..") for key in state))
    found = {"in_channels": down.shape[1], "out_channels": up.shape[1], "width": down.shape[0], "levels": deepest}
    norm = _affine(state, "model.model.1.model.2.weight")
    if norm["norm"] == "instance_affine" and "model.model.0.bias" not in state:
        norm = {"norm": "batch_statistics", "noise": 0.5}
    return {"name": "unet", **found, **norm}


# What the tensors look like → the architecture that has such tensors.
KNOWN: list[tuple[Callable[[dict[str, Tensor]], bool], Callable[[dict[str, Tensor]], dict]]] = [
    (lambda state: _is(state, "model.model.0.weight", 4), _unet),
    (lambda state: _is(state, "model.1.weight", 7) and any(".conv_block." in key for key in state), _resnet),
]
