"""Generators: pictures in [-1, 1] of shape (N, C_in, H, W) → pictures in [-1, 1] of shape (N, C_out, H, W).

Module names follow the reference implementation, so its checkpoints load key by key. ``multiple`` is what height and
width must be divisible by; whoever feeds other sizes pads (``translator`` does).
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cyclegan.networks.antialias import BlurDown
from cyclegan.networks.layers import bounded, norm_layer, upsample
from cyclegan.networks.unet import UNet
from cyclegan.system.errors import UserError


class SkipBlock(nn.Module):
    """x + conv_block(x), the frame of all residual blocks.

    With ``recompute`` training keeps x alone and computes the block a second time on the way back: gradient
    checkpointing (Chen et al. 2016, arXiv:1604.06174). Values and gradients are the same.
    """

    recompute = False
    conv_block: nn.Module

    def forward(self, x):
        if self.recompute and torch.is_grad_enabled():
            return x + checkpoint(self.conv_block, x, use_reentrant=False)
        return x + self.conv_block(x)


def recompute_blocks(network: nn.Module) -> nn.Module:
    """Sets ``recompute`` in all residual blocks of a network, which it returns."""
    for layer in network.modules():
        if isinstance(layer, SkipBlock):
            layer.recompute = True
    return network


class ResNetBlock(SkipBlock):
    """Two 3 × 3 convolutions around a skip connection (Johnson et al. 2016; paper section 7.2, ``R256``)."""

    def __init__(self, channels: int, norm: str, dropout: float):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            norm_layer(norm, channels),
            nn.ReLU(inplace=True),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            norm_layer(norm, channels),
        )


class SeparableConv(nn.Module):
    """A depthwise 3 × 3 convolution, a norm and a 1 × 1 convolution: about 8 times fewer operations than a full one."""

    def __init__(self, in_channels: int, out_channels: int, norm: str):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, groups=in_channels),
            norm_layer(norm, in_channels),
            nn.Conv2d(in_channels, out_channels, 1),
        )

    def forward(self, x):
        return self.conv(x)


class MobileBlock(SkipBlock):
    """A residual block of separable convolutions whose inner width is free (Li et al. 2020, "GAN Compression")."""

    def __init__(self, channels: int, inner: int, norm: str, dropout: float):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            SeparableConv(channels, inner, norm),
            norm_layer(norm, inner),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.ReflectionPad2d(1),
            SeparableConv(inner, channels, norm),
            norm_layer(norm, channels),
        )


def _down(in_channels: int, out_channels: int, norm: str, antialias: bool = False) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=1 if antialias else 2, padding=1)
    layers = [conv, norm_layer(norm, out_channels), nn.ReLU(inplace=True)]
    return [*layers, BlurDown(out_channels)] if antialias else layers


def _up(in_channels: int, out_channels: int, norm: str, kind: str) -> list[nn.Module]:
    return [*upsample(kind, in_channels, out_channels), norm_layer(norm, out_channels), nn.ReLU(inplace=True)]


def _encode_transform_decode(
    ends: Sequence[int], widths: Sequence[int], blocks: Iterable[nn.Module], norm: str, up: str, antialias: bool = False
) -> nn.Sequential:
    """c7s1-a, d-b, d-c, blocks, u-d, u-e, c7s1-out: the frame that ``ResNet`` and ``Mobile`` share (section 7.2)."""
    (in_channels, out_channels), (a, b, c, d, e) = ends, widths
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        nn.Conv2d(in_channels, a, 7),
        norm_layer(norm, a),
        nn.ReLU(inplace=True),
        *_down(a, b, norm, antialias),
        *_down(b, c, norm, antialias),
        *blocks,
        *_up(c, d, norm, "blur" if antialias else up),
        *_up(d, e, norm, "blur" if antialias else up),
        nn.ReflectionPad2d(3),
        nn.Conv2d(e, out_channels, 7),
        nn.Tanh(),
    )


def _features(model: nn.Sequential, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
    found = []
    for i, layer in enumerate(model[: layers[-1] + 1]):
        x = layer(x)
        if i in layers:
            found.append(x)
    return found


class ResNet(nn.Module):
    """The paper's generator (section 7.2): c7s1-64, d128, d256, R256 × ``blocks``, u128, u64, c7s1-3, tanh.

    With ``antialias`` it is that of CUT: it convolves at full resolution before it halves and after it doubles, each
    time with a low-pass filter, and ``up`` has no meaning.
    """

    multiple = 4

    def __init__(
        self,
        in_channels=3,
        out_channels=3,
        width=64,
        blocks=9,
        norm="instance",
        dropout=0.0,
        up="transpose",
        antialias=False,
    ):
        super().__init__()
        w = width
        body = [ResNetBlock(4 * w, norm, dropout) for _ in range(blocks)]
        widths = (w, 2 * w, 4 * w, 2 * w, w)
        self.model = _encode_transform_decode((in_channels, out_channels), widths, body, norm, up, antialias)

    def forward(self, x):
        return self.model(x)

    def encode(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """The outputs of these layers of ``model`` (numbers, rising) for (N, C, H, W); later layers are not run."""
        return _features(self.model, x, layers)


def mobile_channels(width: int) -> list[int]:
    """The eight base widths of a ``Mobile`` of that width."""
    return [width * m for m in (1, 1, 2, 1, 2, 2, 1, 1)]


class Mobile(nn.Module):
    """GAN Compression's generator: depthwise-separable blocks, about 10 times faster than ``ResNet`` on a CPU.

    ``channels`` are eight base widths, in the order of that paper's configuration strings: first convolution, first
    and second down-sampling, the inner widths of each third of the blocks, first and second up-sampling. ``width``
    is a shorthand for those of ``mobile_channels``.
    """

    multiple = 4

    def __init__(
        self,
        in_channels=3,
        out_channels=3,
        width=16,
        blocks=9,
        norm="instance",
        dropout=0.0,
        up="transpose",
        channels=None,
    ):
        super().__init__()
        channels = channels or mobile_channels(width)
        if len(channels) != 8:
            raise UserError(f"a mobile generator has 8 channel numbers, not {len(channels)}: {channels}")
        first, down1, down2, *inner, up1, up2 = channels
        body = [MobileBlock(4 * down2, 4 * inner[i * 3 // blocks], norm, dropout) for i in range(blocks)]
        widths = (first, 2 * down1, 4 * down2, 2 * up1, up2)
        self.model = _encode_transform_decode((in_channels, out_channels), widths, body, norm, up)

    def forward(self, x):
        return self.model(x.clamp(-1, 1))

    def encode(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """The outputs of these layers of ``model`` (numbers, rising) for (N, C, H, W); later layers are not run."""
        return _features(self.model, x.clamp(-1, 1), layers)


class Residual(nn.Module):
    """``clamp((1 + gain) · x + strength · offset, -1, 1)``: a translator that starts as a copy and learns the change.

    ``network`` gives gain and offset for every value of the picture: twice its channels, in [-1, 1]. With an offset
    alone, taking something away (a zebra's stripes) means drawing it again in negative; a gain of -1 erases it. Where
    the output has other channels than ``x``, the mean of those of ``x`` stands for it in each.
    """

    def __init__(self, network: nn.Module, strength: float = 1.0):
        super().__init__()
        self.network, self.strength = network, strength
        self.multiple = network.multiple

    def start_as_copy(self) -> None:
        """Sets the last convolution to 0, so that the untrained translator returns its input exactly."""
        last = [layer for layer in self.network.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))][-1]
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x):
        return self.combine(x, self.network(x))

    def encode(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """The features of the network inside, see there."""
        return self.network.encode(x, layers)

    def combine(self, x, change):
        """The picture ``x`` (N, C, H, W) changed by the network's output (N, 2 C_out, H, W): (N, C_out, H, W)."""
        gain, offset = change.float().chunk(2, 1)
        if x.shape[1] != gain.shape[1]:
            x = x.mean(1, keepdim=True)
        return bounded((1 + gain) * x + self.strength * offset)


GENERATORS = {"resnet": ResNet, "unet": UNet, "mobile": Mobile}
