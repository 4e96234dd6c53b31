"""Weights files: one network in safetensors that says by itself how it is built and what it makes of what.

The metadata key ``cyclegan`` holds a JSON object, the header:

==============  =====================================================================================================
format          1
architecture    what ``networks.build_generator`` takes: ``{"name": "resnet", "width": 64, "blocks": 9, …}``
kind            ``translator`` (where it is left out); ``generator``: pictures or solids from noise; or
                ``encoder``: latents of such a generator from pictures
domains         ``[source, target]``, for example ``["horse", "zebra"]``; else ``[what is made or shown]``
size            height and width, in pixels, at which it should see pictures: as in its training
palettes        of a translator whose colours can be chosen: palettes of training pictures, see ``networks.palette``
preprocessing   ``{"range": [-1, 1], "channels": [in, out]}``; else the range alone. A translator trained on
                pictures of more than 8 bits has ``"spans": [of the source, of the target]`` too: each the two values
                that are black and white, or null where all pictures had 8 bits
inputs          of a generator: the shape of one latent, such as ``[100]``; of an encoder that of one picture
outputs         of a generator: the shape of one picture or solid, such as ``[3, 64, 64]``; of an encoder a latent's
provenance      where the weights come from: free keys
==============  =====================================================================================================
"""

from __future__ import annotations

import json
import os
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from cyclegan.networks.schema import PARAMETERS, check_architecture, check_provenance, check_size
from cyclegan.system.errors import UserError, WeightsError
from cyclegan.system.files import write_whole

if TYPE_CHECKING:  # headers are read without torch
    import torch
    from torch import Tensor, nn

FORMAT = 1
KEY = "cyclegan"
KINDS = ("translator", "generator", "encoder")


def save_weights(path: str | os.PathLike[str], weights: nn.Module | dict[str, Tensor], header: dict) -> Path:
    """Writes a generator (``nn.Module`` or state dict) with its header, the whole file or none; returns its path.

    ``format`` and ``preprocessing`` are filled in where ``header`` leaves them out, and ``size`` may be None where it
    is not known. Tensors are stored as they are, dense and on the CPU. Raises ``WeightsError`` where the weights do
    not fit ``header["architecture"]``, because nobody could load such a file.
    """
    from safetensors.torch import save

    state = weights if isinstance(weights, dict) else weights.state_dict()
    header = _completed(header, path)
    check_fit(state, _empty(header["architecture"], path), path)
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in state.items()}
    write_whole(path, save(tensors, metadata={KEY: json.dumps(header)}))
    return Path(path)


def read_header(path: str | os.PathLike[str]) -> dict:
    """The header of a weights file, without loading its weights (or torch); raises ``WeightsError``."""
    text = _header_text(path)
    if text is None:
        raise WeightsError(
            f"{path} has no {KEY!r} header, so it is not a generator of this toolkit; "
            "weights of other programs come in with python -m cyclegan.convert"
        )
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:  # no JSON, a number of thousands of digits, or nested too deeply
        raise WeightsError(f"{path} has a damaged {KEY!r} header ({error})") from error
    return _completed(header, path)


def is_ours(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a weights file of this toolkit by its content; without our header, it is another program's.

    Raises ``WeightsError`` where it is missing or cut off.
    """
    if not is_safetensors(path) and Path(path).suffix != ".safetensors":
        return False
    return _header_text(path) is not None


def is_safetensors(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as safetensors do: the length of the header, and a brace. Raises ``WeightsError``."""
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except FileNotFoundError as error:
        raise WeightsError(f"no such weights file: {path}") from error
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") < os.path.getsize(path)


def _header_text(path: str | os.PathLike[str]) -> str | None:
    try:
        with safe_open(path, framework="np") as file:
            return (file.metadata() or {}).get(KEY)
    except FileNotFoundError as error:
        raise WeightsError(f"no such weights file: {path}") from error
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is not a complete safetensors file ({error}); copy or download it again") from error


def load_weights(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> tuple[nn.Module, dict]:
    """``(network, header)`` of a weights file: the generator in evaluation mode, float32, on ``device``.

    Raises ``WeightsError`` with one sentence where the file is missing, cut off or no generator of ours.
    """
    from safetensors.torch import load_file

    header = read_header(path)
    network = _empty(header["architecture"], path)
    state = {key: t.float() if t.is_floating_point() else t for key, t in load_file(path).items()}
    check_fit(state, network, path)
    if bad := next((key for key, tensor in state.items() if not tensor.isfinite().all()), None):
        raise WeightsError(f"{path}: the tensor {bad} has values that are no numbers; copy or download it again")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False).to(device), header


def check_fit(state: dict[str, Tensor], network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Raises ``WeightsError`` naming the first tensor that is missing, surplus or of another shape."""
    expected = network.state_dict()
    for key in [*expected, *state]:
        if key not in state:
            raise WeightsError(f"{path}: the tensor {key} is missing, so these weights are incomplete")
        if key not in expected:
            raise WeightsError(f"{path}: the architecture in the header has no place for the tensor {key}")
        if state[key].shape != expected[key].shape:
            found, wanted = list(state[key].shape), list(expected[key].shape)
            raise WeightsError(f"{path}: the tensor {key} has shape {found} where the architecture needs {wanted}")


def _empty(architecture: dict, path: str | os.PathLike[str]) -> nn.Module:
    """The network without memory for its weights: they are assigned, so drawing random ones would be wasted."""
    import torch

    from cyclegan.networks.build import build_generator

    try:
        with torch.device("meta"):
            network = build_generator(architecture)
    except UserError as error:
        raise WeightsError(f"{path}: {error}") from error
    except (ValueError, TypeError, RuntimeError, ArithmeticError, IndexError) as error:  # PyTorch's own bounds
        raise WeightsError(f"{path}: no network can be built of the architecture in its header ({error})") from error
    if sum(parameter.numel() for parameter in network.parameters()) > PARAMETERS:
        raise WeightsError(f"{path}: the architecture in the header has more than {PARAMETERS:,} parameters")
    return network


def _completed(header: dict, path: str | os.PathLike[str]) -> dict:
    """The header with its optional keys; raises ``WeightsError`` where an obligatory one is missing or malformed."""
    if not isinstance(header, dict) or not isinstance(header.get("architecture"), dict):
        raise WeightsError(f"{path}: the header has no architecture, so nobody could build the network again")
    if header.get("format", FORMAT) != FORMAT:
        raise WeightsError(f"{path} has format {header['format']}, and this version reads {FORMAT}: update the toolkit")
    try:
        check_architecture(header["architecture"])
        check_size(header.get("size"))
        check_provenance(header.get("provenance", {}), "the provenance in the header")
    except UserError as error:
        raise WeightsError(f"{path}: {error}") from error
    if not isinstance(header.get("preprocessing", {}), dict):
        said = str(header["preprocessing"])[:40]
        raise WeightsError(f"{path}: the header has preprocessing {said!r}, and needs an object there")
    kind = header.get("kind", "translator")
    if kind not in KINDS:
        raise WeightsError(f"{path}: the header has kind {kind!r}, and this version knows {', '.join(KINDS)}")
    common = {**header, "format": FORMAT, "kind": kind, "size": header.get("size")}
    common["provenance"] = header.get("provenance", {})
    return common | (_of_translator if kind == "translator" else _of_generator)(header, path)


def _of_translator(header: dict, path: str | os.PathLike[str]) -> dict:
    domains: Any = header.get("domains")
    architecture = header["architecture"]
    if not _names(domains) or len(domains) != 2:
        raise WeightsError(f'{path}: the header needs "domains": [source, target], not {domains!r}')
    channels = [architecture.get("in_channels", 3), architecture.get("out_channels", 3)]
    preprocessing = {"range": [-1, 1], "channels": channels, **header.get("preprocessing", {})}
    if not all(isinstance(preprocessing[key], (list, tuple)) for key in ("range", "channels")):
        raise WeightsError(f"{path}: the preprocessing needs lists of two numbers as range and channels")
    if list(preprocessing["range"]) != [-1, 1] or list(preprocessing["channels"]) != channels:
        raise WeightsError(f"{path}: the preprocessing {preprocessing} contradicts {channels} channels in [-1, 1]")
    spans = preprocessing.get("spans", [None, None])
    if not (isinstance(spans, list) and len(spans) == 2 and all(span is None or _is_span(span) for span in spans)):
        raise WeightsError(f"{path}: the preprocessing has spans {spans!r}, and needs two numbers in order for each")
    colours, palettes = architecture.get("palette"), header.get("palettes")
    if colours and not (isinstance(palettes, list) and palettes and all(len(row) == colours for row in palettes)):
        raise WeightsError(f'{path}: the header needs "palettes", a list of lists of {colours} numbers')
    return {"domains": list(domains), "preprocessing": preprocessing}


def _is_span(span: Any) -> bool:
    numbers = isinstance(span, (list, tuple)) and all(isinstance(v, (int, float)) for v in span)
    return numbers and len(span) == 2 and -inf < span[0] < span[1] < inf


def _of_generator(header: dict, path: str | os.PathLike[str]) -> dict:
    domains = header.get("domains")
    if not _names(domains) or len(domains) != 1:
        raise WeightsError(f'{path}: the header needs "domains": [what it makes], not {domains!r}')
    for key in ("inputs", "outputs"):
        shape = header.get(key)
        if not isinstance(shape, list) or not shape or not all(isinstance(n, int) and n > 0 for n in shape):
            raise WeightsError(f'{path}: the header needs "{key}", a list of sizes, not {shape!r}')
    return {"domains": list(domains), "preprocessing": {"range": [-1, 1]}}


def _names(domains: Any) -> bool:
    return isinstance(domains, (list, tuple)) and all(isinstance(domain, str) for domain in domains)
