"""The palette of a picture: 27 numbers that say which colours it is painted in, and not where.

A soft histogram (a differentiable one) over twelve hues, each dark and light, and black, grey and white. Pure white
counts as paper and not as a colour. Greys count a quarter, for outlines and shadows are in nearly every picture.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

HUES = 12  # from red by yellow, green, cyan and blue to magenta, 30° each
COLOURS = 2 * HUES + 3  # dark hues, light hues, black, grey, white
BLACK, WHITE = 2 * HUES, 2 * HUES + 2

_SHARPNESS = 20.0  # a colour in the middle between two hues belongs to both by half, and to others by 2 %
_CHROMA = 0.1  # of [0, 1]: below this a colour is more grey than hue
_PAPER = 0.1  # of [0, 1]: a pixel whose lowest channel is so far from white counts by 1 - 1/e
_GREY_COUNTS = 0.25
_NOTHING = 1e-3  # share of the picture that is white in any case, so that blank paper has a palette too


def palette_of(pictures: Tensor) -> Tensor:
    """(N, 1 or 3, H, W) in [-1, 1] → (N, 27), each row ≥ 0 with the sum 1; differentiable.

    Lightness (the middle of the highest and the lowest channel) is shared out linearly: pure red is half dark red and
    half light red, maroon mostly dark, pink mostly light.
    """
    unit = pictures.float().expand(-1, 3, -1, -1).flatten(2) / 2 + 0.5
    red, green, blue = unit.unbind(1)
    highest, lowest = unit.amax(1), unit.amin(1)
    light = (highest + lowest) / 2
    # The colour circle without angles, which have no gradient at grey (Preucil 1953: red, green and blue at 120°).
    x, y = red - (green + blue) / 2, math.sqrt(3) / 2 * (green - blue)
    square = x.square() + y.square()
    length = (square + (_CHROMA / 10) ** 2).sqrt()
    angles = _angles(unit)
    towards = (x / length)[:, None] * angles.cos() + (y / length)[:, None] * angles.sin()
    hues = (_SHARPNESS * towards).softmax(1)  # (N, 12, pixels)
    coloured = square / (square + _CHROMA**2)
    inked = 1 - torch.exp((lowest - 1) / _PAPER)
    tint, grey = inked * coloured, _GREY_COUNTS * inked * (1 - coloured)
    shares = [
        (hues * (tint * (1 - light))[:, None]).mean(2),
        (hues * (tint * light)[:, None]).mean(2),
        torch.stack([grey * F.relu(1 - 2 * light), grey * (1 - (2 * light - 1).abs()), grey * F.relu(2 * light - 1)], 1)
        .mean(2),
    ]  # fmt: skip
    counts = torch.cat(shares, 1)
    counts[:, WHITE] += _NOTHING
    return counts / counts.sum(1, keepdim=True)


def palette_distance(first: Tensor, second: Tensor) -> Tensor:
    """(N, 27) each → (N,) in [0, 1]: the share of the colour that would have to change."""
    return (first - second).abs().sum(1) / 2


def palette_loss(palette: Tensor, wanted: Tensor) -> Tensor:
    """‖p(G(a, p)) - p‖₁ / 2 as a mean over pictures, and the same of palettes blurred around the circle (0-d).

    The second term knows the way from yellow to red, where the first only knows that neither neighbour is asked for.
    """
    return (palette_distance(palette, wanted) + palette_distance(_blurred(palette), _blurred(wanted))).mean()


def _blurred(palette: Tensor) -> Tensor:
    """Hues spread over the half circle around them; dark and light, and black, grey and white as they are."""
    angles = _angles(palette).flatten()
    kernel = (1 + (angles - angles[:, None]).cos()) / HUES
    parts = palette.split([HUES, HUES, COLOURS - 2 * HUES], 1)
    spread = [(part[:, :, None] * kernel).sum(1) for part in parts[:2]]  # no matmul: autocast would round it
    return torch.cat([*spread, parts[2]], 1)


def _angles(like: Tensor) -> Tensor:
    """The angles of the twelve hues, (12, 1)."""
    return torch.arange(HUES, device=like.device, dtype=torch.float32)[:, None] * (2 * math.pi / HUES)


def mixed(palettes: Sequence[Tensor]) -> Tensor:
    """Palettes (27,) in equal parts."""
    return torch.stack(list(palettes)).mean(0)


def with_outlines(palette: Tensor, black: float) -> Tensor:
    """The palette (27,) with at least the share ``black`` of black.

    A colour that somebody names has none, and pictures of a domain with outlines always have some.
    """
    lacking = black - float(palette[BLACK])
    if lacking <= 0 or palette[BLACK] >= 1:
        return palette
    kept = palette * ((1 - black) / (1 - palette[BLACK]))
    kept[BLACK] = black
    return kept


def spread_out(palettes: Tensor) -> Tensor:
    """(N, 27) in another order: the most typical one first, then always the one that is farthest from all before."""
    distances = (palettes[:, None] - palettes[None]).abs().sum(2)
    order = [int(distances.sum(1).argmin())]
    nearest = distances[order[0]].clone()
    while len(order) < len(palettes):
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, distances[order[-1]])
    return palettes[order]
