"""What happens between a uint8 batch and the networks."""

import pytest
import torch

from cyclegan.data.augment import Augment, DiscriminatorAugment
from cyclegan.data.config import PicturesConfig
from cyclegan.data.pixels import to_signed

CPU = torch.device("cpu")


def ramp(count=1, size=40, channels=3):
    """Every pixel has its own value per row and column, so that a crop shows where it came from."""
    rows = torch.arange(size).view(1, 1, size, 1).expand(count, 1, size, size)
    columns = torch.arange(size).view(1, 1, 1, size).expand(count, 1, size, size)
    return torch.cat([rows, columns, rows + columns][:channels], 1).to(torch.uint8).contiguous()


def test_without_augmentation_values_are_scaled_and_nothing_else():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    plain = Augment(PicturesConfig(size=32), CPU)(images)[0]
    torch.testing.assert_close(plain[0, :, 0, 0], torch.tensor([-1.0, -0.6, 1.0]))
    assert torch.equal(plain, to_signed(images, CPU))


@pytest.mark.parametrize("channels", [1, 3])
def test_color_and_affine_stay_in_range_and_differ_per_picture(channels):
    images = ramp(2, channels=channels) * 3
    images[1] = images[0]
    out = Augment(PicturesConfig(size=40, color=0.3, affine=10.0), CPU)(images)[0]
    assert out.shape == (2, channels, 40, 40) and out.abs().max() <= 1
    assert not torch.equal(out[0], out[1])


def test_discriminator_augmentation_lets_gradients_through_and_differs_per_picture():
    images = torch.full((4, 3, 32, 32), 0.5).requires_grad_()
    out = DiscriminatorAugment()(images)
    assert len({round(o[:, 16, 16].sum().item(), 4) for o in out}) > 1
    out.sum().backward()
    strength = images.grad.abs().flatten(1)  # contrast spreads a little of every pixel over all others
    reached = (strength > strength.amax(1, keepdim=True) / 4).float().mean(1)
    assert (reached > 0.4).all() and (reached < 1).any()  # the rest was shifted out; a shift can be by nothing


def test_discriminator_augmentation_keeps_grey_grey():
    out = DiscriminatorAugment()(torch.rand(2, 1, 32, 32) * 2 - 1)
    assert out.shape == (2, 1, 32, 32) and out.isfinite().all()
