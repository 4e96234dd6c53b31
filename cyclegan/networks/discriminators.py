"""Discriminators: pictures in [-1, 1] of shape (N, C, H, W) → a map of scores (N, 1, h, w), higher is more real.

``Projected``, in a file of its own, gives a tuple of such maps, one for each scale.
"""

from torch import nn

from cyclegan.networks.antialias import BlurDown
from cyclegan.networks.layers import needs_bias, norm_layer
from cyclegan.networks.projected import Projected


class PatchGAN(nn.Module):
    """Judges overlapping patches (section 7.2): C64 – C128 – C256 – C512; 3 ``layers`` see 70 × 70 pixels.

    Needs at least 32 × 32 pixels with 3 layers: instance normalisation has no variance in a 1 × 1 map. With
    ``antialias`` it convolves before it halves, with a low-pass filter between, as CUT's does.
    """

    def __init__(self, in_channels=3, width=64, layers=3, norm="instance", antialias=False):
        super().__init__()
        sequence: list[nn.Module] = []
        channels = in_channels
        for i in range(layers + 1):
            inner, channels = channels, width * min(2**i, 8)
            halves = i < layers
            stride = 2 if halves and not antialias else 1
            sequence += [nn.Conv2d(inner, channels, 4, stride, padding=1, bias=i == 0 or needs_bias(norm))]
            sequence += [norm_layer(norm, channels)] if i else []
            sequence += [nn.LeakyReLU(0.2, inplace=True)]
            sequence += [BlurDown(channels)] if halves and antialias else []
        sequence += [nn.Conv2d(channels, 1, 4, stride=1, padding=1)]
        self.model = nn.Sequential(*sequence)

    def forward(self, x):
        return self.model(x)


class PixelGAN(nn.Module):
    """Judges every pixel by itself (pix2pix, section 6.1.2): 1 × 1 convolutions, so colour but not texture."""

    def __init__(self, in_channels=3, width=64, norm="instance"):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, width, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 1),
            norm_layer(norm, 2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 1, 1),
        )

    def forward(self, x):
        return self.net(x)


DISCRIMINATORS = {"patch": PatchGAN, "pixel": PixelGAN, "projected": Projected}
