"""Layers that every network shares, and the initialisation of the reference implementation."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.parametrize import is_parametrized

from cyclegan.networks.antialias import BlurUp
from cyclegan.system.errors import UserError


class InstanceNorm(nn.InstanceNorm2d):
    """Instance normalisation, computed as group normalisation with one channel a group.

    The same formula and the same keys, but on a CPU PyTorch's own instance norm takes about 10 times as long forward
    and 2 to 5 times forward and backward; it was a third of the mobile generator's time.
    """

    def forward(self, x):
        return F.group_norm(x, self.num_features, self.weight, self.bias, self.eps)


class BatchStatisticsNorm(nn.BatchNorm2d):
    """Batch normalisation that never uses its running statistics, as pix2pix translates (Isola et al. 2017, sec. 3.4).

    In training it normalises by the batch, afterwards every picture by its own statistics: what the published program
    does with its batches of one. The running statistics are kept, because the published files carry them.
    """

    def forward(self, x):
        if self.training:
            return super().forward(x)
        return F.group_norm(x, self.num_features, self.weight, self.bias, self.eps)


def norm_layer(kind: str, channels: int) -> nn.Module:
    """The normalisation named ``kind``, for feature maps of shape (N, channels, H, W).

    ``instance`` is the paper's (section 7.2: instance normalisation, no learned scale, no running statistics);
    ``instance_affine`` has a learned scale and shift, as files of 2017 do; ``batch`` is batch normalisation, and
    ``batch_statistics`` that of pix2pix; ``none`` leaves features as they are.
    """
    if kind == "instance":
        return InstanceNorm(channels)
    if kind == "instance_affine":
        return InstanceNorm(channels, affine=True)
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "batch_statistics":
        return BatchStatisticsNorm(channels)
    if kind == "none":
        return nn.Identity()
    raise UserError(f"unknown norm {kind!r}: choose instance, instance_affine, batch, batch_statistics or none")


def needs_bias(norm: str) -> bool:
    """Whether a convolution before the normalisation ``norm`` has a bias, as in the reference: not before batch norms,
    which take it away again and have a shift of their own. (So do instance norms, and there it stands all the same.)"""
    return norm not in ("batch", "batch_statistics")


def upsample(kind: str, in_channels: int, out_channels: int) -> list[nn.Module]:
    """Layers that double height and width: (N, in, H, W) → (N, out, 2H, 2W).

    ``transpose`` is the reference's fractionally strided convolution. ``resize`` repeats pixels before an ordinary
    convolution: every output pixel then sees the same number of weights, so no checkerboard can arise
    (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"). ``resize-zeros`` pads with zeros, as PyTorch-GAN.
    ``blur`` filters between the two, as CUT does.
    """
    if kind == "transpose":
        return [nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)]
    if kind == "resize":
        doubled = nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(in_channels, out_channels, 3)
        return [nn.Sequential(*doubled)]
    if kind == "resize-zeros":
        return [nn.Upsample(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1)]
    if kind == "blur":
        return [BlurUp(in_channels), nn.Conv2d(in_channels, out_channels, 3, padding=1)]
    raise UserError(f"unknown up-sampling {kind!r}: choose transpose, resize, resize-zeros or blur")


class _Bounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        outward = ((x > 1) & (gradient < 0)) | ((x < -1) & (gradient > 0))
        return gradient.masked_fill(outward, 0)


def bounded(x: Tensor) -> Tensor:
    """``x`` clamped to [-1, 1], with a one-sided straight-through gradient at ±1.

    Where a value is clamped, a gradient that leads back into the range passes and one that leads out does not. A plain
    clamp passes neither, so a pixel beyond white or black would stay there (Ballé et al. 2018, arXiv:1802.01436).
    """
    return _Bounded.apply(x) if torch.is_grad_enabled() and x.requires_grad else x.clamp(-1, 1)


def within_range(fake: Tensor) -> Tensor:
    """``fake`` without a gradient where it is exactly -1 or 1 (a stop-gradient on clamped values).

    The paper's generator never reaches these ends. A residual translator is clamped, and only cycle and identity, which
    know the true value, may move a clamped pixel. With the discriminators' gradient erased parts come back mottled.
    """
    return torch.where(fake.abs() < 1, fake, fake.detach())


def composite(fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """m · fake + (1 - m) · real: the translation inside the mask (N, 1, H, W), 1 inside, and the input outside."""
    return mask * fake + (1 - mask) * real


def initialise(network: nn.Module, std: float = 0.02) -> nn.Module:
    """Draws the weights of convolutions and dense layers from N(0, std²), those of batch norms from N(1, std²).

    Biases become 0 (section 7.1; Radford et al. 2016, section 4). Returns the network.

    Frozen layers keep what they know; spectrally normalised ones have no scale of their own to set.
    """
    for layer in network.modules():
        if is_parametrized(layer):
            continue
        if isinstance(layer, (_ConvNd, nn.Linear)) and layer.weight.requires_grad:
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, _BatchNorm) and layer.affine and layer.weight.requires_grad:
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)
    for layer in network.modules():
        if hasattr(layer, "start_as_copy"):
            layer.start_as_copy()
    return network


def initialise_xavier(network: nn.Module, gain: float = 0.02) -> nn.Module:
    """Draws the weights of convolutions and dense layers as Glorot & Bengio 2010 do, times ``gain``.

    Biases become 0. Returns the network. The published CUT starts so; instance norm hides the small scale.
    """
    for layer in network.modules():
        if isinstance(layer, (_ConvNd, nn.Linear)) and not is_parametrized(layer) and layer.weight.requires_grad:
            nn.init.xavier_normal_(layer.weight, gain)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for layer in network.modules():
        if hasattr(layer, "start_as_copy"):
            layer.start_as_copy()
    return network


def parameter_count(*networks: nn.Module) -> int:
    """Number of learned scalars in all the networks together."""
    return sum(p.numel() for network in networks for p in network.parameters() if p.requires_grad)
