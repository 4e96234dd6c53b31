"""Every equation against numbers done by hand."""

import math

import pytest
import torch

from cyclegan.models.losses import ADVERSARIAL, cycle_loss, gradient_penalty, identity_loss
from cyclegan.models.schedules import schedule

REAL, FAKE = torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, -3.0]])


def log1pexp(x: float) -> float:
    return math.log(1 + math.exp(x))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        # ((2-1)² + (0-1)²)/2 + (1² + 3²)/2;  ((1-1)² + (-3-1)²)/2
        ("lsgan", 6.0, 8.0),
        ("vanilla", (log1pexp(-2) + log1pexp(0) + log1pexp(1) + log1pexp(-3)) / 2, (log1pexp(-1) + log1pexp(3)) / 2),
        # max(0, 1-2), max(0, 1-0) → ½;  max(0, 1+1), max(0, 1-3) → 1;  -(1-3)/2
        ("hinge", 1.5, 1.0),
        # (1-3)/2 - (2+0)/2;  -(1-3)/2
        ("wgan-gp", -2.0, 1.0),
    ],
)
def test_adversarial_objectives(name, discriminator, generator):
    objective = ADVERSARIAL[name]
    assert objective.discriminator(REAL, FAKE).item() == pytest.approx(discriminator, rel=1e-6)
    assert objective.generator(FAKE).item() == pytest.approx(generator, rel=1e-6)


def test_scales_of_a_discriminator_add_up():
    hinge = ADVERSARIAL["hinge"]
    assert hinge.discriminator((REAL, REAL), (FAKE, FAKE)).item() == pytest.approx(3.0)
    assert hinge.generator((FAKE, FAKE)).item() == pytest.approx(2.0)


def test_cycle_and_identity_are_mean_absolute_differences():
    a, b = torch.tensor([0.0, 1.0, -1.0]), torch.tensor([0.5, 1.0, 1.0])
    assert cycle_loss(a, b).item() == pytest.approx(2.5 / 3)
    assert identity_loss(a, b).item() == pytest.approx(2.5 / 3)


def test_gradient_penalty_of_a_linear_critic():
    """The slope of x ↦ w·x is w everywhere: (‖w‖ - 1)² with ‖w‖ = 5; a map's critic is the mean of its scores."""
    weight = torch.tensor([3.0, 4.0])
    real, fake = torch.rand(6, 2), torch.rand(6, 2)
    assert gradient_penalty(lambda x: x @ weight, real, fake).item() == pytest.approx(16.0, rel=1e-5)
    two_scores = gradient_penalty(lambda x: torch.stack([x @ weight, x @ weight], 1), real, fake)
    assert two_scores.item() == pytest.approx(16.0, rel=1e-5)


def test_gradient_penalty_looks_between_real_and_fake():
    """The critic ‖x‖²/2 has slope ‖x‖: at 0.25·4 + 0.75·0 = 1 the penalty is 0, at 0.5·4 it is 1."""
    real, fake = torch.tensor([[4.0]]), torch.tensor([[0.0]])
    critic = lambda x: x.square() / 2  # noqa: E731
    assert gradient_penalty(critic, real, fake, torch.tensor([0.25])).item() == pytest.approx(0.0, abs=1e-6)
    assert gradient_penalty(critic, real, fake, torch.tensor([0.5])).item() == pytest.approx(1.0)


def test_gradient_penalty_trains_the_critic():
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    gradient_penalty(lambda x: x @ weight, torch.rand(2, 2), torch.rand(2, 2)).backward()
    # d/dw (‖w‖ - 1)² = 2 (‖w‖ - 1) w / ‖w‖
    torch.testing.assert_close(weight.grad, torch.tensor([4.8, 6.4]))


def test_schedule_holds_then_falls_and_never_rests_before_the_end():
    assert [schedule(p) for p in (0, 0.25, 0.5, 0.75)] == [1, 1, 1, 0.5]
    assert schedule(999 / 1000) > 0
    assert schedule(1.0) == 0
