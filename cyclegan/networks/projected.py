"""A discriminator on the features of a frozen, pretrained network (Sauer et al. 2021, "Projected GANs")."""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from cyclegan.networks.backbones import efficientnet_lite


class Projected(nn.Module):
    """Small trained heads on the features that a frozen EfficientNet-Lite0 has at strides 4, 8, 16 and 32.

    Between features and heads stand fixed random projections (that paper's section 3.2): 1 × 1 convolutions to
    ``width`` channels (cross-channel mixing), and 3 × 3 convolutions that carry coarse features up to finer ones
    (cross-scale mixing), so that no head can rest on the few features that are easiest to tell apart.

    A fifth head, not in that paper, looks at the picture itself, 18 pixels at a time: the frozen features were trained
    to name things whatever their tint, and alone they let a zebra turn purple.

    (N, 3, H, W) in [-1, 1] → five score maps, from strides 4 to 32 and then the picture's; grey pictures are repeated
    to three channels. Needs 32 × 32 pixels at least. Raises ``backbones.MissingPackage`` where the packages with the
    features are missing.
    """

    def __init__(self, in_channels=3, width=48, backbone="efficientnet-lite0"):
        super().__init__()
        self.repeat = 3 if in_channels == 1 else 1
        self.eyes = efficientnet_lite(backbone)  # the frozen part; checkpoints know it by this name
        channels = [level["num_chs"] for level in self.eyes.feature_info][1:]
        self.mix_channels = nn.ModuleList(_fixed(c, width, 1) for c in channels)
        self.mix_scales = nn.ModuleList(_fixed(width, width, 3) for _ in channels)
        self.colours = nn.Sequential(*_layer(3, 32, 2), *_layer(32, 64, 2), *_layer(64, 64, 1), _scores())
        # The finer the map, the more a head may halve it: each should judge parts of animals, not pixels.
        self.heads = nn.ModuleList(_head(width, halvings) for halvings in (2, 1, 0, 0))

    def train(self, mode: bool = True) -> "Projected":
        super().train(mode)
        self.eyes.eval()  # its batch norms keep the statistics they were trained with
        return self

    def features(self, x: Tensor) -> list[Tensor]:
        """What the frozen network sees: (N, 1 or 3, H, W) in [-1, 1] → maps at strides 4, 8, 16 and 32."""
        x = self._coloured(x)
        with _full_precision_on_a_cpu(x):
            return self.eyes.forward_intermediates(x, indices=[1, 2, 3, 4], intermediates_only=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = self.features(x)
        mixed: list[Tensor] = []
        coarser = None
        for feature, channels, scales in list(zip(features, self.mix_channels, self.mix_scales, strict=True))[::-1]:
            feature = channels(feature)
            if coarser is not None:
                feature = feature + F.interpolate(coarser, feature.shape[-2:], mode="bilinear", align_corners=False)
            coarser = scales(feature)
            mixed.insert(0, coarser)
        return (
            *(head(feature) for head, feature in zip(self.heads, mixed, strict=True)),
            self.colours(self._coloured(x)),
        )

    def _coloured(self, x: Tensor) -> Tensor:
        return x.repeat(1, self.repeat, 1, 1) if self.repeat > 1 else x


def _full_precision_on_a_cpu(x: Tensor) -> AbstractContextManager:
    """Depthwise convolutions go back to the picture 1.5 times as fast in float32 there as in bfloat16."""
    return torch.autocast("cpu", enabled=False) if x.device.type == "cpu" else nullcontext()


def _fixed(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    layer = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    return layer.requires_grad_(False)


def _head(width: int, halvings: int) -> nn.Sequential:
    """Layers at half the size of what comes in, again and again, and a map of scores."""
    strides = [2] * halvings or [1]
    widths = [width, *[64] * len(strides)]
    return nn.Sequential(*(part for i, s in enumerate(strides) for part in _layer(widths[i], 64, s)), _scores())


def _layer(in_channels: int, out_channels: int, stride: int) -> tuple[nn.Module, nn.Module]:
    """A spectrally normalised convolution (Miyato et al. 2018): 4 × 4 where it halves, else 3 × 3."""
    convolution = nn.Conv2d(in_channels, out_channels, 4 if stride == 2 else 3, stride, 1)
    return spectral_norm(convolution), nn.LeakyReLU(0.2, inplace=True)


def _scores() -> nn.Module:
    return spectral_norm(nn.Conv2d(64, 1, 1))
