"""Features of patches: positions drawn from feature maps, each through a small dense head (CUT, section 3.3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class PatchHeads(nn.Module):
    """One two-layer head for each feature map; its output has length 1.

    Args:
        channels: of each map, in order; known up front, so the heads exist before the first batch.
        width: of the heads' layers and of their output.
    """

    def __init__(self, channels: Sequence[int], width: int = 256):
        super().__init__()
        heads = [nn.Sequential(nn.Linear(c, width), nn.ReLU(), nn.Linear(width, width)) for c in channels]
        self.heads = nn.ModuleList(heads)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """(N, C, H, W) of each map → (N, P, width) of each: the features at ``places`` (P,), numbered row by row."""
        found = []
        for head, x, place in zip(self.heads, maps, places, strict=True):
            features = head(x.flatten(2).transpose(1, 2)[:, place])
            found.append(features / (features.norm(dim=2, keepdim=True) + 1e-7))
        return found


def draw_places(maps: Sequence[Tensor], count: int) -> list[Tensor]:
    """``count`` different positions in each map (N, C, H, W), or all if there are fewer; the same for every picture."""
    device = maps[0].device
    return [torch.randperm(x.shape[2] * x.shape[3], device=device)[:count] for x in maps]
