"""With masks the discriminators see the translation inside and the input outside, and a change outside costs."""

import pytest
import torch

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_the_adversary_sees_the_composite_and_the_background_costs(double):
    config = CycleGANConfig(width=8, blocks=2, ema=0, lambda_identity=0, lambda_background=3, lambda_adversarial=2)
    model = CycleGAN(config, size=32)
    real_A, real_B = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    mask_A, mask_B = torch.zeros(2, 2, 1, 32, 32)
    mask_A[:, :, 8:20, 4:30] = mask_B[:, :, :, :11] = 1
    mask_B[:, :, :, 11] = 0.5
    made = []
    hook = model.G_AB.register_forward_hook(lambda module, inputs, output: made.append(output))
    seen, losses = model._generators_turn(real_A, real_B, masks=(mask_A, mask_B))
    hook.remove()
    fake_B, fake_A = model.G_AB(real_A), model.G_BA(real_B)
    textbook_B = mask_A * fake_B + (1 - mask_A) * real_A
    textbook_A = mask_B * fake_A + (1 - mask_B) * real_B
    torch.testing.assert_close(seen["B"], textbook_B, rtol=0, atol=1e-12)
    torch.testing.assert_close(seen["A"], textbook_A, rtol=0, atol=1e-12)
    torch.testing.assert_close(losses["G_AB"], (model.D_B(textbook_B) - 1).square().mean())
    torch.testing.assert_close(losses["background_A"], ((1 - mask_A) * (fake_B - real_A)).abs().mean())
    torch.testing.assert_close(losses["background_B"], ((1 - mask_B) * (fake_A - real_B)).abs().mean())
    assert model._weighted({"background_A": 1, "background_B": 1, "G_AB": 1}) == 3 + 3 + 2

    (of_adversary,) = torch.autograd.grad(losses["G_AB"], made[0], retain_graph=True)
    outside = (1 - mask_A).bool().expand(-1, 3, -1, -1)
    assert not of_adversary[outside].any() and (of_adversary[~outside] != 0).all()

    model.step(real_A, real_B, mask_A, mask_B)
    kept = torch.stack(model.pool_B.images)
    assert torch.equal(kept[outside], real_A[outside]) and not torch.equal(kept, real_A)


def test_a_white_mask_changes_no_weight():
    """So a picture without a mask among others trains as if there were none."""
    batch = torch.rand(2, 1, 3, 32, 32) * 2 - 1
    with_it, without = (CycleGAN(CycleGANConfig(width=8, blocks=1), size=32) for _ in range(2))
    with_it.step(*batch, *torch.ones(2, 1, 1, 32, 32))
    without.step(*batch)
    pairs = zip(with_it.G_AB.parameters(), without.G_AB.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
