"""What happens between a uint8 batch and the networks."""

import pytest
import torch

from cyclegan.augment import Augment, DiscriminatorAugment, to_signed
from cyclegan.config import PicturesConfig

CPU = torch.device("cpu")


def ramp(count=1, size=40, channels=3):
    """Every pixel has its own value per row and column, so that a crop shows where it came from."""
    rows = torch.arange(size).view(1, 1, size, 1).expand(count, 1, size, size)
    columns = torch.arange(size).view(1, 1, 1, size).expand(count, 1, size, size)
    return torch.cat([rows, columns, rows + columns][:channels], 1).to(torch.uint8).contiguous()


def test_without_augmentation_values_are_scaled_and_nothing_else():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    plain = Augment(PicturesConfig(size=32, load=32, flip=False), CPU)(images)[0]
    torch.testing.assert_close(plain[0, :, 0, 0], torch.tensor([-1.0, -0.6, 1.0]))
    assert torch.equal(plain, to_signed(images, CPU))


def test_crops_are_whole_pixels_at_random_places_and_flips_mirror():
    augment = Augment(PicturesConfig(size=32, load=40), CPU)
    tops, lefts, mirrored = set(), set(), 0
    for _ in range(30):
        pixels = ((augment(ramp(4))[0] + 1) * 127.5).round()
        for image in pixels:
            top, left, right = image[0, 0, 0].item(), image[1, 0, 0].item(), image[1, 0, -1].item()
            mirrored += right < left
            tops.add(top)
            lefts.add(min(left, right))
            assert torch.equal(image[0, :, 0], torch.arange(top, top + 32))
            assert abs(right - left) == 31
    assert len(tops) >= 8 and len(lefts) >= 8 and max(tops | lefts) <= 8
    assert 35 < mirrored < 85  # of 120 fair coins


def test_domains_are_augmented_independently():
    a, b = Augment(PicturesConfig(size=32, load=40), CPU)(ramp(8), ramp(8))
    assert not torch.equal(a, b)


def test_zoom_shows_things_at_several_scales():
    """A ramp's slope tells by how much a crop was shrunk: between 1 and ``zoom``."""
    augment = Augment(PicturesConfig(size=32, zoom=2.0, flip=False), CPU)
    values = torch.cat([(augment(ramp(8, size=64))[0][:, 0, :, 16] + 1) * 127.5 for _ in range(10)])
    slopes = (values[:, 23] - values[:, 8]) / 15
    assert slopes.min() > 0.9 and slopes.max() < 2.1 and slopes.max() - slopes.min() > 0.5


@pytest.mark.parametrize("channels", [1, 3])
def test_color_and_affine_stay_in_range_and_differ_per_picture(channels):
    images = ramp(2, channels=channels) * 3
    images[1] = images[0]
    out = Augment(PicturesConfig(size=32, load=40, color=0.3, affine=10.0), CPU)(images)[0]
    assert out.shape == (2, channels, 32, 32) and out.abs().max() <= 1
    assert not torch.equal(out[0], out[1])


def test_discriminator_augmentation_lets_gradients_through_and_differs_per_picture():
    images = torch.full((4, 3, 32, 32), 0.5).requires_grad_()
    out = DiscriminatorAugment()(images)
    assert len({round(o[:, 16, 16].sum().item(), 4) for o in out}) > 1
    out.sum().backward()
    strength = images.grad.abs().flatten(1)  # contrast spreads a little of every pixel over all others
    reached = (strength > strength.amax(1, keepdim=True) / 4).float().mean(1)
    assert (reached > 0.4).all() and (reached < 1).all()  # the rest was shifted or cut out


def test_discriminator_augmentation_keeps_grey_grey():
    out = DiscriminatorAugment()(torch.rand(2, 1, 32, 32) * 2 - 1)
    assert out.shape == (2, 1, 32, 32) and out.isfinite().all()
