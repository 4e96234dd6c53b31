"""The U-Net of pix2pix: a generator as those in ``generators``, for pictures whose two sides line up."""

import torch
from torch import nn

from cyclegan.networks.dropout import NoiseDropout
from cyclegan.networks.layers import needs_bias, norm_layer
from cyclegan.system.errors import UserError


def levels_for(size: int) -> int:
    """As many halvings as pictures of ``size`` pixels allow, at most 8, the number of pix2pix. Raises ``UserError``."""
    levels = (size & -size).bit_length() - 1
    if levels < 5:
        raise UserError(f"a U-Net needs a size that is a multiple of 32, such as 64, 128 or 256, not {size}")
    return min(levels, 8)


class UNetBlock(nn.Module):
    """One level of a U-Net: halve, hand to the level below, double, and concatenate with the input."""

    def __init__(self, outer, inner, below=None, in_channels=None, norm="instance", drop=None):
        super().__init__()
        outermost, innermost, bias = in_channels is not None, below is None, needs_bias(norm)
        down = nn.Conv2d(in_channels or outer, inner, 4, stride=2, padding=1, bias=bias)
        wide = inner if innermost else 2 * inner
        up = nn.ConvTranspose2d(wide, outer, 4, stride=2, padding=1, bias=bias or outermost)
        # ReLU in place would overwrite what the level above still concatenates, hence LeakyReLU out of place.
        if outermost:
            layers = [down, below, nn.ReLU(inplace=True), up, nn.Tanh()]
        elif innermost:
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(inplace=True), up, norm_layer(norm, outer)]
        else:
            layers = [nn.LeakyReLU(0.2), down, norm_layer(norm, inner), below]
            layers += [nn.ReLU(inplace=True), up, norm_layer(norm, outer)]
            layers += [drop] if drop else []
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x):
        y = self.model(x)
        return y if self.outermost else torch.cat([x, y], 1)


class UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) in the form of pix2pix (Isola et al. 2017, section 6.1.1).

    ``levels`` halvings; heights and widths must be multiples of 2 ** levels (8 levels: 256, 7 levels: 128).
    ``dropout`` and ``noise`` are shares of the features beside the bottleneck: the former are dropped in training,
    the latter always, as in pix2pix.
    """

    def __init__(self, in_channels=3, out_channels=3, width=64, levels=8, norm="instance", dropout=0.0, noise=0.0):
        super().__init__()
        if levels < 5:
            raise UserError(f"a U-Net has at least 5 levels, not {levels}")
        w = width
        block = UNetBlock(8 * w, 8 * w, norm=norm)
        for i in range(levels - 5):
            drop = NoiseDropout(noise, i) if noise else nn.Dropout(dropout) if dropout else None
            block = UNetBlock(8 * w, 8 * w, block, norm=norm, drop=drop)
        for outer, inner in ((4 * w, 8 * w), (2 * w, 4 * w), (w, 2 * w)):
            block = UNetBlock(outer, inner, block, norm=norm)
        self.model = UNetBlock(out_channels, w, block, in_channels=in_channels, norm=norm)
        self.multiple = 2**levels

    def forward(self, x):
        return self.model(x)
