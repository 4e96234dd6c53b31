"""The learning rate over a training: factors on ``--lr``, each a pure function of progress. No torch."""

from math import cos, floor, pi
from typing import Literal

Schedule = Literal["linear", "constant", "cosine", "step"]


def schedule(progress: float, constant: float = 0.5, kind: Schedule = "linear") -> float:
    """The factor on the learning rate, from 1 down to 0.

    Args:
        progress: the share of all steps already made, in [0, 1]; so the last step still moves.
        constant: the share of training at the full rate; of ``linear`` only.
        kind: ``linear`` is CycleGAN's (section 4): constant, then a line to 0. The reference decays once an epoch; its
            100 + 100 epochs are this line at the epochs' ends. ``cosine``: ½ (1 + cos π t) (Loshchilov & Hutter 2017,
            arXiv:1608.03983, eq. 5, without restarts). ``step``: a tenth after each quarter, as the reference's of that
            name in 200 epochs.
    """
    if kind == "constant":
        return 1.0
    if kind == "cosine":
        return 0.5 * (1 + cos(pi * progress))
    if kind == "step":
        return 0.1 ** min(3, floor(4 * progress))
    return min(1.0, (1.0 - progress) / (1.0 - constant))
