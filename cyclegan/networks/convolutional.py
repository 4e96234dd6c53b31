"""DCGAN's networks: pictures grown from one pixel, and shrunk to one score (Radford et al. 2016, arXiv:1511.06434).

Widths for 64 pixels and width 64, as the paper's figure 1 with half of its channels, which is what its code has:
latent – 512 – 256 – 128 – 64 – picture. Half the size means one layer less at the wide end.
"""

import torch
from torch import Tensor, nn

from cyclegan.networks.layers import norm_layer
from cyclegan.networks.noise import FromNoise
from cyclegan.system.errors import UserError


def doublings(size: int) -> int:
    """How often 4 × 4 pixels are doubled to make ``size``; raises ``UserError`` where they cannot."""
    count = size.bit_length() - 3
    if count < 1 or 4 << count != size:
        raise UserError(f"a DCGAN makes pictures of 8, 16, 32, 64, 128 … pixels, not {size}")
    return count


class DCGANGenerator(FromNoise):
    """Latents (N, latent) → (N, out_channels, size, size) in [-1, 1].

    Transposed convolutions of 4 × 4 without bias, batch norm and ReLU (section 3); tanh at the end. ``width`` is the
    number of channels of the last layer before the picture.
    """

    def __init__(self, size=64, out_channels=3, width=64, latent=100):
        super().__init__()
        self.latent = latent
        count = doublings(size)
        inner, layers = latent, []
        for i in range(count):
            outer = width << (count - 1 - i)
            stride, padding = (2, 1) if i else (1, 0)
            layers += [
                nn.ConvTranspose2d(inner, outer, 4, stride, padding, bias=False),
                norm_layer("batch", outer),
                nn.ReLU(inplace=True),
            ]
            inner = outer
        layers += [nn.ConvTranspose2d(inner, out_channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z.view(len(z), self.latent, 1, 1))


class DCGANDiscriminator(nn.Module):
    """(N, C, size, size) in [-1, 1] → scores (N,), logits or a critic's values.

    Convolutions of 4 × 4 without bias, LeakyReLU 0.2, ``norm`` in all layers but the first and last (section 3).
    """

    def __init__(self, size=64, in_channels=3, width=64, norm="batch"):
        super().__init__()
        count = doublings(size)
        inner, layers = in_channels, []
        for i in range(count):
            outer = width << i
            layers += [nn.Conv2d(inner, outer, 4, 2, 1, bias=norm == "none"), norm_layer(norm if i else "none", outer)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
            inner = outer
        self.model = nn.Sequential(*layers, nn.Conv2d(inner, 1, 4, bias=norm == "none"))

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(self.model(x))
