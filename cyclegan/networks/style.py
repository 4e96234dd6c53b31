"""StyleGAN2's networks (Karras et al. 2020, arXiv:1912.04958), at one fixed resolution: 32, 64 or any power of two.

A mapping network turns noise z into a style w (Karras et al. 2019, arXiv:1812.04948, section 2). Every layer of the
synthesis network takes a style of its own, so the layers of 4 and 8 pixels can follow one picture and the finer ones
another. All weights are N(0, 1) and are scaled where they are used ("equalised learning rate", Karras et al. 2018,
arXiv:1710.10196, section 4.1).
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.networks.noise import FromNoise
from cyclegan.system.errors import UserError


class Dense(nn.Module):
    """A dense layer with equalised learning rate; ``slow`` (such as 0.01) slows its learning by that factor."""

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, slow: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / slow)
        self.bias = nn.Parameter(torch.full((outputs,), bias / slow))
        self.gain, self.slow = slow / math.sqrt(inputs), slow

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) → (N, outputs)."""
        return F.linear(x, self.weight * self.gain, self.bias * self.slow)


class Conv(nn.Module):
    """A convolution with equalised learning rate; ``down`` blurs and halves height and width."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True, down: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain, self.down, self.kernel = 1 / math.sqrt(inputs * kernel**2), down, kernel

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W), or half of it."""
        weight = self.weight * self.gain
        if self.down:  # the padding keeps the sampled places in the middle: H → H + 1 or H - 1 → H / 2
            return F.conv2d(blur(x, (self.kernel + 1) // 2), weight, self.bias, stride=2)
        return F.conv2d(x, weight, self.bias, padding=self.kernel // 2)


class ModulatedConv(nn.Module):
    """A convolution whose input channels a style scales, and whose weights are then normalised (2020, section 2.2).

    w″ = s_i w / √(Σ s_i² w² + ε) (eq. 1 and 3). Scaling input and output instead of the weights is the same number by
    number, and needs no convolution of its own for each picture.
    """

    def __init__(self, latent: int, inputs: int, outputs: int, kernel: int, up: bool = False, demodulate: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.style = Dense(latent, inputs, bias=1.0)
        self.gain, self.up, self.demodulate = 1 / math.sqrt(inputs * kernel**2), up, demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, inputs, H, W) and styles (N, latent) → (N, outputs, H, W), or twice the height and width."""
        scale, weight = self.style(w), self.weight * self.gain
        x = x * scale[:, :, None, None]
        if self.up:
            x = 4 * blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1)  # zeros between: a quarter is left
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if self.demodulate:
            length = scale.square() @ weight.square().sum((2, 3)).T  # Σ over input channels and places, for each output
            x = x * torch.rsqrt(length + 1e-8)[:, :, None, None]
        return x


class StyledLayer(nn.Module):
    """Modulated convolution, noise of a learned strength for each pixel, bias, activation (2020, figure 2c)."""

    def __init__(self, latent: int, inputs: int, outputs: int, size: int, up: bool):
        super().__init__()
        self.conv = ModulatedConv(latent, inputs, outputs, 3, up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))
        self.register_buffer("noise", torch.randn(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """As the convolution. Fresh noise while training; else always the same, which the weights bring along."""
        x = self.conv(x, w)
        noise = torch.randn(len(x), 1, *x.shape[2:], device=x.device) if self.training else self.noise
        return activate(x + self.strength * noise + self.bias)


class StyleGenerator(FromNoise):
    """Noise (N, latent), or styles (N, layers, latent) of each layer, → pictures (N, C, size, size) around [-1, 1].

    Args:
        size: a power of two, at least 8.
        latent: numbers in z and in w; the paper's 512.
        mapping: dense layers from z to w; the paper's 8.
        channel_base, channel_max: a layer of r pixels has min(base / r, max) channels; the paper's 32768 and 512.

    Buffers: ``w_mean``, the mean style, towards which truncation draws, and the noise of each layer.
    """

    def __init__(self, size: int = 32, out_channels: int = 3, latent: int = 128, mapping: int = 4,
                 channel_base: int = 512, channel_max: int = 128):  # fmt: skip
        super().__init__()
        self.latent = latent
        channels = {side: min(channel_base // side, channel_max) for side in sides(size)}
        self.layers = 2 * len(channels)
        self.mapping = nn.ModuleList(Dense(latent, latent, slow=0.01) for _ in range(mapping))
        self.register_buffer("w_mean", torch.zeros(latent))
        self.constant = nn.Parameter(torch.randn(1, channels[4], 4, 4))
        self.convs, self.to_rgb, before = nn.ModuleList(), nn.ModuleList(), channels[4]
        for side, width in channels.items():
            if side > 4:
                self.convs.append(StyledLayer(latent, before, width, side, up=True))
            self.convs.append(StyledLayer(latent, width, width, side, up=False))
            self.to_rgb.append(ModulatedConv(latent, width, out_channels, 1, demodulate=False))
            before = width
        self.rgb_bias = nn.Parameter(torch.zeros(out_channels, 1, 1))

    def styles(self, z: Tensor) -> Tensor:
        """Noise (N, latent) → styles (N, layers, latent), the same one for all layers; training follows their mean."""
        w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.mapping:
            w = activate(layer(w))
        if self.training:
            self.w_mean.lerp_(w.detach().float().mean(0), 0.005)  # under autocast w has 16 bits
        return w[:, None].expand(-1, self.layers, -1)

    def start(self, latents: Tensor, truncation: float = 1.0) -> Tensor:
        """The styles of noise, drawn closer to the mean style (2019, appendix B: the truncation trick in W)."""
        return torch.lerp(self.w_mean, self.styles(latents), truncation)

    def between(self, start: Tensor, end: Tensor, share: float) -> Tensor:
        """The point at ``share`` of the straight way, which w, unlike noise, has no reason to leave."""
        return torch.lerp(start, end, share)

    def forward(self, x: Tensor) -> Tensor:
        """See the class. One picture's output does not depend on the others beside it."""
        w = self.styles(x) if x.dim() == 2 else x
        rgb = None
        x = self.constant.expand(len(w), -1, -1, -1)
        for i, conv in enumerate(self.convs):
            x = conv(x, w[:, i])
            if i % 2 == 0:  # the last layer of its resolution: its picture is added up (2020, figure 7b)
                more = self.to_rgb[i // 2](x, w[:, i + 1])
                rgb = more if rgb is None else more + F.interpolate(rgb, scale_factor=2, mode="bilinear")
        return rgb + self.rgb_bias


class StyleDiscriminator(nn.Module):
    """Residual discriminator (2020, figure 7c) with the batch's standard deviation (Karras et al. 2018, section 3)."""

    def __init__(self, size: int, in_channels: int = 3, channel_base: int = 512, channel_max: int = 128):
        super().__init__()
        widths = [min(channel_base // side, channel_max) for side in reversed(sides(size))]
        self.from_rgb = Conv(in_channels, widths[0], 1)
        pairs = list(pairwise(widths))
        self.convs = nn.ModuleList(Conv(a, a, 3) for a, _ in pairs)
        self.downs = nn.ModuleList(Conv(a, b, 3, down=True) for a, b in pairs)
        self.skips = nn.ModuleList(Conv(a, b, 1, bias=False, down=True) for a, b in pairs)
        self.last = Conv(widths[-1] + 1, widths[-1], 3)
        self.dense, self.score = Dense(widths[-1] * 16, widths[-1]), Dense(widths[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, size, size) → logits (N,)."""
        x = activate(self.from_rgb(x))
        for conv, down, skip in zip(self.convs, self.downs, self.skips, strict=True):
            x = (activate(down(activate(conv(x)))) + skip(x)) / math.sqrt(2)
        x = activate(self.last(with_deviation(x)))
        return self.score(activate(self.dense(x.flatten(1))))[:, 0]


def sides(size: int) -> list[int]:
    """4, 8, … up to ``size``; raises ``UserError`` for what is no power of two from 8 on."""
    if size < 8 or size & (size - 1):
        raise UserError(f"StyleGAN doubles from 4 pixels: --size is a power of two from 8 on, such as 32, not {size}")
    return [2**i for i in range(2, size.bit_length())]


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU 0.2, times √2 so that the variance stays."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def blur(x: Tensor, padding: int) -> Tensor:
    """The filter [1, 3, 3, 1] / 8 along height and width: (N, C, H, W) → H + 2 · padding - 3 of each."""
    row = torch.tensor([1.0, 3.0, 3.0, 1.0], device=x.device, dtype=x.dtype) / 8
    return F.conv2d(x, torch.outer(row, row).expand(x.shape[1], 1, 4, 4), padding=padding, groups=x.shape[1])


def with_deviation(x: Tensor, group: int = 4) -> Tensor:
    """(N, C, H, W) → (N, C + 1, H, W): the mean deviation over each group of pictures, so that sameness shows.

    Groups are ``group`` pictures that follow one another, or the whole batch where it does not divide into such.
    """
    group = group if len(x) % group == 0 else len(x)
    groups = x.view(-1, group, *x.shape[1:])
    deviation = torch.sqrt(groups.var(1, unbiased=False) + 1e-8).mean((1, 2, 3))
    return torch.cat([x, deviation.repeat_interleave(group).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], 1)
