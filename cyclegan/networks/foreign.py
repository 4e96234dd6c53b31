"""Tensors in other programs' files: found however they are wrapped, read without running what else the file holds."""

import argparse
import os
import pickle
import re
from pathlib import Path

import torch
from torch import Tensor

from cyclegan.networks.known import is_generator
from cyclegan.networks.weights import is_safetensors
from cyclegan.system.errors import WeightsError

_BEGINNINGS = (b"PK", b"\x80\x02")  # of PyTorch's files: zip archives, and before 2020 pickles of protocol 2
_WRAPPED = re.compile(r"^(module\.|_orig_mod\.)+")  # names that wrappers put before those of the tensors
_FIRST = ("model.1.weight", "model.model.0.weight")  # the first convolution of a ResNet and of a U-Net
_BARE = re.compile(r"((?:.*\.)?)\d+\.conv_block\.")  # a layer's number without ``model.`` before it, as in UPIT


def read_tensors(path: str | os.PathLike[str], key: str | None = None) -> dict[str, Tensor]:
    """The generator's state dict in a file, without running any code that the file may carry.

    The names are those that the reference has today, the values float32. ``key`` chooses one of several. Raises
    ``WeightsError``.
    """
    return _chosen(_load(path), key, path)


def read_network(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The state dict of the only network in a file, whatever it is, as ``read_tensors`` reads it."""
    found = _state_dicts(_load(path))
    if len(found) != 1:
        raise WeightsError(f"{path} holds {len(found)} networks where one is needed")
    return _normalised(next(iter(found.values())))


def _load(path: str | os.PathLike[str]) -> object:
    try:
        if is_safetensors(path):
            from safetensors.torch import load_file

            return load_file(path)
        with open(path, "rb") as file:
            if file.read(2) not in _BEGINNINGS:
                if Path(path).suffix == ".onnx":
                    said = "is an ONNX file, for other programs to run; give the weights that it was exported from"
                    raise WeightsError(f"{path} {said}")
                raise WeightsError(f"{path} is damaged or no weights file; copy or download it again")
        with torch.serialization.safe_globals([argparse.Namespace]):  # flags, which Lightning keeps beside the weights
            return torch.load(path, map_location="cpu", weights_only=True)
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


def _chosen(loaded: object, key: str | None, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The generator in what a file holds: the only one, or the one that ``key`` names."""
    found = {name: _normalised(state) for name, state in _state_dicts(loaded).items()}
    if not found:
        raise WeightsError(f"{path} holds no state dict, that is, no tensors with names")
    generators = {name: state for name, state in found.items() if is_generator(state)}
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
        state = _within_model({_WRAPPED.sub("", str(key)): tensor for key, tensor in loaded.items()})
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


def _within_model(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """``model.`` before the numbers of layers, where a ResNet is a sequence by itself and no module that has one."""
    bare = {m[1] for key in state if (m := _BARE.match(key)) and not m[1].endswith("model.")}
    for prefix in bare:
        inside = {key: key.removeprefix(prefix) for key in state if key.startswith(prefix)}
        numbered = {key: f"{prefix}model.{rest}" for key, rest in inside.items() if rest[:1].isdigit()}
        state = {numbered.get(key, key): tensor for key, tensor in state.items()}
    return state


def _normalised(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as the reference has them today, values as float32."""
    renamed = {}
    for key, tensor in state.items():
        renamed[re.sub(r"^(model\.\d+)\.block\.", r"\1.conv_block.", key)] = (
            tensor if key.endswith("num_batches_tracked") else tensor.float()
        )
    return renamed
