"""The distances against numbers worked out by hand, and against the libraries that everybody reports with."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from cyclegan.evaluate import metrics
from cyclegan.evaluate.metrics import (
    fid,
    kid,
    kid_standard_error,
    mean_difference,
    nearest_distance,
    precision_recall,
    psnr,
    ssim,
)


def features(n: int, d: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    """Correlated and never negative, as the pooled features of a network are."""
    draw = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(d, d)) / math.sqrt(d)
    return np.maximum(draw.normal(size=(n, d)) @ mix + shift, 0)


def frechet_written_out(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, with the root of a covariance from its eigenvectors: tr (√C C' √C)^½."""
    c, k = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(c)
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ k @ root)
    means = ((x.mean(0) - y.mean(0)) ** 2).sum()
    return means + np.trace(c) + np.trace(k) - 2 * np.sqrt(np.maximum(inner, 0)).sum()


def test_fid_of_one_feature_is_the_distance_of_means_and_deviations():
    x, y = np.array([[0.0], [2.0], [4.0]]), np.array([[1.0], [2.0]])
    assert fid(x, y) == pytest.approx((2 - 1.5) ** 2 + (2 - math.sqrt(0.5)) ** 2)


@pytest.mark.parametrize(("n", "m", "d"), [(50, 40, 6), (9, 12, 30), (60, 7, 20)])
def test_fid_is_the_definition_for_more_and_for_fewer_pictures_than_features(n, m, d):
    x, y = features(n, d), features(m, d, 0.3, seed=1)
    assert fid(x, y) == pytest.approx(frechet_written_out(x, y), rel=1e-6)


def test_fid_does_not_care_about_order_or_rotation_and_is_zero_for_the_same():
    x, y = features(30, 8), features(25, 8, 0.5, seed=1)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))
    assert fid(x, y) == pytest.approx(fid(y[::-1], x)) == pytest.approx(fid(x @ turn, y @ turn))
    assert fid(x, x) == pytest.approx(0, abs=1e-9)


def test_kid_is_the_definition():
    x, y = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])

    def k(a, b):
        return (float(a @ b) / 2 + 1) ** 3

    in_x = (k(x[0], x[1]) + k(x[0], x[2]) + k(x[1], x[2])) / 3
    in_y = k(y[0], y[1])
    between = sum(k(a, b) for a in x for b in y) / 6
    assert kid(x, y) == pytest.approx(in_x + in_y - 2 * between)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_torch_fidelity_agrees(shift):
    fidelity = pytest.importorskip("torch_fidelity.metric_fid")
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = features(90, 128), features(90, 128, shift, seed=1)
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    theirs = fidelity.fid_statistics_to_metric(*map(fidelity.fid_features_to_statistics, tensors), verbose=False)
    assert fid(x, y) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)
    whole = kid_features_to_metric(*tensors, kid_subsets=1, kid_subset_size=90, verbose=False)
    assert kid(x, y) == pytest.approx(whole["kernel_inception_distance_mean"], rel=1e-3, abs=1e-9)


class Given(nn.Module):
    """Stands where torchmetrics has its network, and passes features through."""

    num_features = 128

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore:Metric .Kernel")
def test_torchmetrics_agrees():
    image = pytest.importorskip("torchmetrics.image")
    x, y = features(200, 128), features(150, 128, 0.2, seed=1)
    theirs = image.FrechetInceptionDistance(feature=Given()).set_dtype(torch.float64)
    kernel = image.KernelInceptionDistance(feature=Given(), subsets=1, subset_size=150)
    for metric, first in ((theirs, x), (kernel, x[:150])):
        metric.update(torch.from_numpy(first), real=False)
        metric.update(torch.from_numpy(y), real=True)
    assert fid(x, y) == pytest.approx(theirs.compute().item(), rel=1e-3)
    assert kid(x[:150], y) == pytest.approx(kernel.compute()[0].item(), rel=1e-3)


def test_kid_is_not_biased_by_the_number_of_pictures_and_fid_is():
    sets = [(features(n, 20, seed=i), features(n, 20, seed=1000 + i)) for n in (8, 64) for i in range(60)]
    few, many = sets[:60], sets[60:]
    spread = np.std([kid(x, y) for x, y in few]) / math.sqrt(60)
    assert abs(np.mean([kid(x, y) for x, y in few])) < 4 * spread
    assert np.mean([fid(x, y) for x, y in few]) > 3 * np.mean([fid(x, y) for x, y in many])


def test_the_standard_error_is_what_repeating_the_experiment_shows():
    repeated = [(features(60, 16, seed=i), features(50, 16, 0.5, seed=500 + i)) for i in range(80)]
    observed = np.std([kid(x, y) for x, y in repeated], ddof=1)
    estimated = np.mean([kid_standard_error(x, y, seed=7) for x, y in repeated[:20]])
    assert estimated == pytest.approx(observed, rel=0.35)
    x, y = repeated[0]
    assert kid_standard_error(x, y, seed=7) == kid_standard_error(x, y, seed=7)
    assert math.isnan(kid_standard_error(x[:3], y))


def test_the_picture_that_is_like_no_other_is_the_furthest_and_a_copy_the_nearest():
    x, y = features(20, 16), features(30, 16, seed=1)
    x[7] += 5
    x[3], y[:5] = 1.0, 1.0
    found = nearest_distance(x, y)
    assert (found.argmax(), found.argmin(), found[3]) == (7, 3, pytest.approx(0, abs=1e-6))
    by_hand = sorted(math.dist(x[0], other) for other in y)[:5]
    assert found[0] == pytest.approx(np.mean(by_hand))


def test_a_distance_needs_two_pictures_and_equal_features():
    for x, y in ((features(1, 4), features(5, 4)), (features(5, 4), features(5, 3))):
        for distance in (fid, kid, kid_standard_error, nearest_distance):
            with pytest.raises(ValueError, match="at least 2 pictures"):
                distance(x, y)


def flat(*levels: int) -> torch.Tensor:
    """A batch of pictures of one grey each."""
    return torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 16, 16)


def test_differences_of_flat_pictures():
    x, y = flat(100, 100, 250), flat(100, 110, 5)
    assert mean_difference(x, y).tolist() == [0, 10, 245]  # as numbers, not wrapped around as bytes
    assert psnr(x, y).tolist() == pytest.approx([math.inf, 20 * math.log10(25.5), 20 * math.log10(255 / 245)])
    c1 = (0.01 * 255) ** 2
    expected = [(2 * a * b + c1) / (a * a + b * b + c1) for a, b in ((100, 100), (100, 110), (250, 5))]
    assert ssim(x, y).tolist() == pytest.approx(expected, abs=1e-6)  # no variance: only the luminance term is left


def test_ssim_falls_with_noise_and_with_lost_structure():
    y, x = np.mgrid[:48, :48]
    stripes = torch.tensor(((x // 6 + y // 6) % 2 * 200 + 20).astype(np.uint8)).expand(1, 3, -1, -1)
    noisy = (stripes.float() + 25 * torch.randn(stripes.shape)).clamp(0, 255).byte()
    inverted = 240 - stripes
    assert ssim(stripes, stripes).item() == pytest.approx(1)
    assert 0.3 < ssim(stripes, noisy).item() < 0.99
    assert ssim(stripes, inverted).item() < 0


def on_a_line(*places: float) -> np.ndarray:
    return np.array(places)[:, None]


@pytest.mark.parametrize("rows", [1000, 2])
def test_precision_and_recall_by_hand(monkeypatch, rows):
    """Reaches of 0, 1, 2, 3, 10 to the third nearest other: 3, 2, 2, 3, 9; so they cover -3 to 19."""
    monkeypatch.setattr(metrics, "ROWS", rows)
    real = on_a_line(0, 1, 2, 3, 10)
    assert precision_recall(real, on_a_line(-2.5, 5, -4, 18, 30))[0] == 3 / 5
    # Of 7, 8, 9, 12 the reaches are 5, 4, 3, 5: they cover 2 to 17, where 2, 3 and 10 are.
    assert precision_recall(real, on_a_line(7, 8, 9, 12)) == (1.0, 3 / 5)
    assert precision_recall(real, on_a_line(20, 21, 22, 23)) == (0.0, 0.0)
    assert precision_recall(real, real) == (1.0, 1.0)


def test_what_is_all_alike_has_precision_without_recall():
    real = features(40, 6)
    assert precision_recall(real, np.repeat(real[:1], 30, 0) + 1e-3) == (1.0, 0.0)
    assert all(math.isnan(value) for value in precision_recall(real, real[:3]))
