"""What a network of another program was, from the names and shapes of its tensors: the files say nothing else.

Those of the reference implementation of CycleGAN and pix2pix, of CUT, PyTorch-GAN, huggan, UPIT and GAN Compression.
"""

import os
import re
from collections.abc import Callable
from typing import Any

from torch import Tensor

from cyclegan.system.errors import WeightsError

State = dict[str, Tensor]


def architecture_of(state: State, path: str | os.PathLike[str]) -> dict:
    """What ``build_generator`` needs, from the names and shapes of a reference generator; raises ``WeightsError``."""
    for is_such, architecture in KNOWN:
        if is_such(state):
            return architecture(state, path)
    if "down1.model.0.weight" in state and "up1.model.0.weight" in state:
        raise WeightsError(f"{path} is the U-Net of PyTorch-GAN and huggan's pix2pix, which this toolkit does not have")
    if _is(state, "model.0.weight", 4) or _is(state, "net.0.weight", 1):
        raise WeightsError(f"{path} is a discriminator; the generator of the same training has G in its name")
    raise WeightsError(
        f"{path} is no generator that is known here: those of the CycleGAN and pix2pix reference and of CUT "
        "(ResNet, U-Net) and of GAN Compression (mobile) are"
    )


def is_generator(state: State) -> bool:
    """Whether tensors are those of a generator that is known here."""
    return any(is_such(state) for is_such, _ in KNOWN)


def _is(state: dict, key: str, kernel: int) -> bool:
    return key in state and state[key].dim() == 4 and state[key].shape[-1] == kernel


def _affine(state: dict, key: str) -> dict:
    return {"norm": "instance_affine" if key in state else "instance"}


def _resnet(state: State, path: str | os.PathLike[str]) -> dict:
    blocks = sorted({int(m[1]) for key in state if (m := re.match(r"model\.(\d+)\.conv_block\.", key))})
    last = max(int(m[1]) for key in state if (m := re.match(r"model\.(\d+)\.weight", key)))
    width, in_channels = state["model.1.weight"].shape[:2]
    found: dict[str, Any] = {"in_channels": in_channels, "out_channels": state[f"model.{last}.weight"].shape[0]}
    found |= {"blocks": len(blocks), **_affine(state, "model.2.weight")}
    if filters := [tensor.shape[-1] for key, tensor in state.items() if key.endswith(".filt")]:
        if sorted(filters) != [3, 3, 4, 4]:
            said = "has low-pass filters on one way only, down or up (--no_antialias or --no_antialias_up)"
            raise WeightsError(f"{path} {said}; a ResNet has them on both or on none here")
        found["antialias"] = True
    elif _is(state, f"model.{last - 8}.weight", 3):  # a layer without tensors stands before each convolution up
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


def _unet(state: State, path: str | os.PathLike[str]) -> dict:
    down, up = state["model.model.0.weight"], state["model.model.3.weight"]
    deepest = max(key.count(".model.") for key in (key.replace(".", "..") for key in state))
    found = {"in_channels": down.shape[1], "out_channels": up.shape[1], "width": down.shape[0], "levels": deepest}
    norm = _affine(state, "model.model.1.model.2.weight")
    if norm["norm"] == "instance_affine" and "model.model.0.bias" not in state:
        norm = {"norm": "batch_statistics", "noise": 0.5}
    return {"name": "unet", **found, **norm}


# What the tensors look like → the architecture that has such tensors.
KNOWN: list[tuple[Callable[[State], bool], Callable[[State, str | os.PathLike[str]], dict]]] = [
    (lambda state: _is(state, "model.model.0.weight", 4), _unet),
    (lambda state: _is(state, "model.1.weight", 7) and any(".conv_block." in key for key in state), _resnet),
]
