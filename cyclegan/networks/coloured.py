"""A translator that is told which colours to use: any generator, with the palette let into its norms."""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.networks.layers import InstanceNorm


class PaletteNorm(InstanceNorm):
    """An instance norm whose scale and shift follow the palette (FiLM, Perez et al. 2018, arXiv:1709.07871).

    The palette cannot come in as constant channels of the picture: they add the same to all of a feature map, and the
    next instance norm takes that away again. At first the palette has no effect.
    """

    def __init__(self, channels: int, colours: int):
        super().__init__(channels)
        self.film = nn.Parameter(torch.zeros(2 * channels, colours))  # no bias: a palette sums to 1
        self.palette: Tensor | None = None

    def affine_of(self, palette: Tensor) -> tuple[Tensor, Tensor]:
        """(N, colours) → scale and shift, (N, C) each."""
        # Adam moves every weight at one rate, so numbers that are 1 on average are learned as fast as the rest.
        scale, shift = F.linear(palette * palette.shape[1], self.film).chunk(2, 1)
        return 1 + scale, shift

    def forward(self, x: Tensor) -> Tensor:
        scale, shift = self.affine_of(self.palette)
        if not self.training:
            return torch.addcmul(shift[..., None, None], super().forward(x), scale[..., None, None])
        # Scale and shift inside the norm, one group for each channel of each picture: half the extra time of a step.
        flat = F.group_norm(x.flatten(0, 1)[None], scale.numel(), scale.flatten(), shift.flatten(), self.eps)
        return flat.view_as(x)


class Coloured(nn.Module):
    """``network`` with a palette as its second input: (N, C, H, W) and (N, ``colours``) → (N, C_out, H, W).

    The tensors of ``network`` keep their names behind ``network.``; those that the palette needs begin at zero.
    """

    def __init__(self, network: nn.Module, colours: int):
        super().__init__()
        self.network, self.colours, self.multiple = network, colours, network.multiple
        _replace_norms(network, lambda norm: PaletteNorm(norm.num_features, colours))

    def forward(self, x: Tensor, palette: Tensor) -> Tensor:
        norms = [module for module in self.network.modules() if isinstance(module, PaletteNorm)]
        for norm in norms:
            norm.palette = palette
        try:
            return self.network(x)
        finally:
            for norm in norms:
                norm.palette = None

    @torch.no_grad()
    def with_palette(self, palette: Tensor) -> nn.Module:
        """The network for one palette (``colours``,), as an ordinary one with learned norms; it shares all weights."""
        fixed = copy.deepcopy(self.network, {id(p): p for p in self.network.parameters()})
        _replace_norms(fixed, lambda norm: _fixed(norm, palette))
        return fixed


def _replace_norms(network: nn.Module, make: Callable[[Any], nn.Module]) -> None:
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, InstanceNorm):
                setattr(parent, name, make(child))


def _fixed(norm: PaletteNorm, palette: Tensor) -> InstanceNorm:
    made = InstanceNorm(norm.num_features, affine=True)
    scale, shift = norm.affine_of(palette.to(norm.film)[None])
    made.weight, made.bias = (nn.Parameter(part[0], requires_grad=False) for part in (scale, shift))
    return made.train(norm.training)
