"""A translator for the frames of one clip, whose colours hold still.

Instance norms measure every picture anew. From frame to frame their statistics jump with what comes into view, and the
whole picture with them: colours pump. Here the clip is gone through twice. First some of its frames are translated and
what the norms measure is noted; then every frame is translated with those statistics, averaged over a second or so
around it. Where the colours of two neighbours say that another shot begins, nothing is averaged across.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.translate.translator import Translator

EVERY = 0.5  # seconds between two frames whose statistics are noted
WIDTH = 1.0  # seconds: standard deviation of the Gaussian that they are averaged with
CUT = 0.3  # the share of pixels of another colour from which on a shot is another one; see docs/video.md
_BINS = 8  # for each of red, green and blue


class ClipNorm(nn.InstanceNorm2d):
    """An instance norm, (1, C, H, W) → same, that notes its statistics or takes those it is given."""

    given: tuple[Tensor, Tensor] | None = None  # mean and variance (C,); None: the picture's own
    measured: tuple[Tensor, Tensor]  # of the last picture

    def __init__(self, norm: nn.InstanceNorm2d):
        super().__init__(norm.num_features, norm.eps, affine=norm.affine)
        self.weight, self.bias = norm.weight, norm.bias

    def forward(self, x: Tensor) -> Tensor:
        var, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        mean, var = self.statistics(mean, var)
        return F.batch_norm(x, mean, var, self.weight, self.bias, False, 0.0, self.eps)

    def statistics(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """Those to normalise by, where a picture's own are ``mean`` and ``var``, (C,) each."""
        self.measured = mean, var
        return self.given or self.measured


class Steady:
    """Translates the frames of a clip: first ``observe`` all in order, then call it with any of them.

    It has a copy of the translator's network. A network without instance norms translates as ever.
    """

    def __init__(self, translator: Translator):
        network = copy.deepcopy(translator.network)
        self.norms = _replaced(network)
        self.translator = Translator(network, translator.header, translator.device, translator.direction)
        self._shots: list[float] = []  # seconds at which each begins
        self._times: list[float] = []  # seconds of the frames whose statistics are noted
        self._noted: list[np.ndarray] = []  # means, then variances, of all norms in a row
        self._colours: np.ndarray | None = None  # of the last frame

    def observe(self, frame: np.ndarray, seconds: float, **options: Any) -> None:
        """Takes note of the next frame, uint8 (H, W, C); ``options`` are those of ``Translator``."""
        colours = colours_of(frame)
        if self._colours is None or difference(self._colours, colours) > CUT:
            self._shots.append(seconds)
        self._colours = colours
        if not self._times or self._times[-1] < self._shots[-1] or seconds - self._times[-1] >= EVERY:
            for norm in self.norms:
                norm.given = None
            self.translator(frame, **options)
            self._times.append(seconds)
            values = [norm.measured[i].float().cpu() for i in (0, 1) for norm in self.norms]
            self._noted.append(torch.cat(values).numpy() if values else np.zeros(0, np.float32))

    def __call__(self, frame: np.ndarray, seconds: float, **options: Any) -> Any:
        """The frame, uint8 (H, W, C), translated as the one at ``seconds``."""
        parts = torch.from_numpy(self._around(seconds)).split([norm.num_features for norm in self.norms] * 2)
        for i, norm in enumerate(self.norms):
            mean, var = (part.to(self.translator.device) for part in (parts[i], parts[i + len(self.norms)]))
            norm.given = mean, var
        return self.translator(frame, **options)

    def _around(self, seconds: float) -> np.ndarray:
        """The shot's statistics, weighted by how near their frames are to ``seconds``."""
        shot = max(0, bisect_right(self._shots, seconds) - 1)
        first = bisect_right(self._times, self._shots[shot] - 1e-9)
        ends = [*self._shots, float("inf")]
        last = bisect_right(self._times, ends[shot + 1] - 1e-9)
        away = (np.array(self._times[first:last]) - seconds) / WIDTH
        weights = np.exp(-0.5 * (away**2 - (away**2).min()))
        return np.average(np.stack(self._noted[first:last]), 0, weights).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """What was observed, as arrays by name."""
        return {"shots": np.array(self._shots), "times": np.array(self._times), "noted": np.stack(self._noted)}

    def load_state(self, state: Any) -> None:
        """Takes what ``state`` gave in place of observing."""
        self._shots, self._times = state["shots"].tolist(), state["times"].tolist()
        self._noted = list(state["noted"])


def _replaced(network: nn.Module) -> list[ClipNorm]:
    """Puts a ``ClipNorm`` in the place of every instance norm; returns them."""
    found = []
    for parent in network.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.InstanceNorm2d) and not isinstance(child, ClipNorm):
                found.append(ClipNorm(child))
                setattr(parent, name, found[-1])
    return found


def colours_of(frame: np.ndarray) -> np.ndarray:
    """The share of each of 8 × 8 × 8 colours in a frame, uint8 (H, W, C)."""
    levels = frame[::2, ::2].astype(np.int64) * _BINS // 256  # every fourth pixel does
    levels = levels[..., :3] if frame.shape[2] >= 3 else levels[..., :1].repeat(3, 2)
    places = (levels[..., 0] * _BINS + levels[..., 1]) * _BINS + levels[..., 2]
    return np.bincount(places.ravel(), minlength=_BINS**3) / places.size


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that would have to change their colour, 0 to 1 (total variation)."""
    return float(np.abs(one - other).sum() / 2)
