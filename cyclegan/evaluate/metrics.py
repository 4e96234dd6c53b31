"""How far pictures are from others: distances between sets of features, and between pictures that belong together.

Pure functions. Features are (n, d) arrays, one row a picture, computed with in float64 whatever they come in.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

SUBSETS = 100  # halves drawn for the standard error of KID
NEAREST = 5  # real pictures that one output is held against
NEIGHBOURS = 3  # whose distance is the reach of a picture in precision and recall
ROWS = 1000  # of a table of distances at a time


def fid(x: np.ndarray, y: np.ndarray) -> float:
    """Fréchet distance of two sets of features, 0 if they have the same mean and covariance (Heusel et al. 2017).

    Equation 6: ‖m_x - m_y‖² + tr C_x + tr C_y - 2 tr (C_x C_y)^½ with unbiased covariances C = XᵀX / (n - 1), X being
    centred. The non-zero eigenvalues of C_x C_y are those of (X Yᵀ)(X Yᵀ)ᵀ / (n - 1)(m - 1), so the last trace is the
    sum of the singular values of X Yᵀ: no root of an ill-conditioned product is taken, and fewer pictures than
    features are no special case. It is biased upwards for few pictures, so compare only what has the same n.

    Raises ``ValueError`` for sets of fewer than two pictures or of different features.
    """
    x, y = _checked(x, y)
    a, b = x - x.mean(0), y - y.mean(0)
    spread = (a**2).sum() / (len(a) - 1) + (b**2).sum() / (len(b) - 1)
    scale = np.sqrt((len(a) - 1) * (len(b) - 1))
    root = np.linalg.svd(_square(a) @ _square(b).T, compute_uv=False).sum() / scale
    return max(float(((x.mean(0) - y.mean(0)) ** 2).sum() + spread - 2 * root), 0.0)  # not -1e-13 for equal sets


def kid(x: np.ndarray, y: np.ndarray) -> float:
    """Kernel distance: the unbiased squared MMD over both whole sets (Bińkowski et al. 2018, section 4).

    The kernel is (x·y / d + 1)³. About 0, also below, for sets of the same distribution; not biased by n. Raises
    ``ValueError`` as ``fid`` does.
    """
    x, y = _checked(x, y)
    return _mmd(_kernel(x, x), _kernel(y, y), _kernel(x, y))


def kid_standard_error(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """How much ``kid(x, y)`` would vary from one draw of the pictures to another, as a standard deviation.

    The standard deviation of KID over 100 random halves of both sets, drawn without replacement: for halves, and for
    halves only, the smaller sets and the pictures that they share cancel out (McCarthy 1969). NaN below four pictures.
    """
    x, y = _checked(x, y)
    if min(len(x), len(y)) < 4:
        return float("nan")
    in_x, in_y, between = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    draw = np.random.default_rng(seed)
    values = []
    for _ in range(SUBSETS):
        i, j = (draw.permutation(n)[: n // 2] for n in between.shape)
        values.append(_mmd(in_x[np.ix_(i, i)], in_y[np.ix_(j, j)], between[np.ix_(i, j)]))
    return float(np.std(values, ddof=1))


def nearest_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far each of ``x`` is from its nearest in ``y``, (n,): the mean Euclidean distance to the five nearest.

    For ranking single pictures, which neither FID nor KID can do.
    """
    x, y = _checked(x, y)
    return np.sqrt(np.sort(_squares(x, y), axis=1)[:, :NEAREST]).mean(1)


def precision_recall(real: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """How much of what is made looks real, and how much of what is real can be made; each from 0 to 1.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991), eqs. 1 and 2: a set's manifold is the union of balls around its
    pictures, each reaching to the third nearest other picture of the set. Precision is the share of ``made`` in the
    manifold of ``real``, recall the share of ``real`` in that of ``made``. Both depend on the number of pictures. NaN
    below four pictures; raises ``ValueError`` as ``fid`` does.
    """
    real, made = _checked(real, made)
    if min(len(real), len(made)) <= NEIGHBOURS:
        return float("nan"), float("nan")
    return _share_within(made, real), _share_within(real, made)


def _share_within(x: np.ndarray, y: np.ndarray) -> float:
    """The share of ``x`` that lies in a ball of ``y``."""
    blocks = range(0, len(y), ROWS)
    # A picture's nearest is itself, so the third nearest other one has the index 3.
    reach = [np.partition(_squares(y[i : i + ROWS], y), NEIGHBOURS, axis=1)[:, NEIGHBOURS] for i in blocks]
    reaches = np.concatenate(reach)
    within = [(_squares(x[i : i + ROWS], y) <= reaches).any(1) for i in range(0, len(x), ROWS)]
    return float(np.concatenate(within).mean())


def _squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances (len(x), len(y))."""
    return ((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T).clip(0)


def mean_difference(x: Tensor, y: Tensor) -> Tensor:
    """Mean absolute difference (L1) of each picture: uint8 (N, C, H, W) twice → (N,) in levels, 0 to 255."""
    return (x.double() - y.double()).abs().mean((1, 2, 3))


def psnr(x: Tensor, y: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture: uint8 (N, C, H, W) twice → (N,) in dB, infinite where equal."""
    return 10 * torch.log10(255**2 / ((x.double() - y.double()) ** 2).mean((1, 2, 3)))


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity of each picture (Wang et al. 2004): uint8 (N, C, H, W) twice → (N,), 1 where equal.

    Gaussian window of 11 pixels, σ 1.5, per channel, k = (0.01, 0.03); in float64, since variances are differences.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    found: Any = structural_similarity_index_measure(x.double(), y.double(), data_range=255.0, reduction="none")
    return found


def _checked(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if min(len(x), len(y)) < 2 or x.shape[1:] != y.shape[1:]:
        raise ValueError(f"two sets of at least 2 pictures with the same features are needed, not {x.shape}, {y.shape}")
    return x, y


def _square(x: np.ndarray) -> np.ndarray:
    """The R of a QR decomposition of x where x has more rows than columns: RᵀR = xᵀx with fewer rows."""
    return np.asarray(np.linalg.qr(x, "r")) if len(x) > x.shape[1] else x


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _mean_off_diagonal(kernel: np.ndarray) -> float:
    n = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))


def _mmd(in_x: np.ndarray, in_y: np.ndarray, between: np.ndarray) -> float:
    return float(_mean_off_diagonal(in_x) + _mean_off_diagonal(in_y) - 2 * between.mean())
