"""With masks the discriminators see the translation inside and the input outside, and a change outside costs."""

import pytest
import torch

from cyclegan.models.cut import CUT, CUTConfig
from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig

SMALL_CUT = {"width": 4, "width_D": 8, "blocks": 5, "patches": 8, "ema": 0}


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


@pytest.mark.parametrize("flipped", [False, True])
def test_cut_sees_the_composite_too(double, flipped):
    model = CUT(CUTConfig(**SMALL_CUT, nce_identity=False, lambda_background=3), size=32)
    real_A, real_B = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    mask = torch.zeros(2, 1, 32, 32)
    mask[:, :, 8:20, 4:30] = 1
    fake_B = model.G_AB(real_A.flip(3) if flipped else real_A)
    losses = model._generators_turn(real_A, real_B, fake_B, None, flipped, (mask, torch.ones_like(mask)))
    upright = fake_B.flip(3) if flipped else fake_B
    textbook = mask * upright + (1 - mask) * real_A
    seen = textbook.flip(3) if flipped else textbook
    torch.testing.assert_close(losses["G_AB"], (model.D_B(seen) - 1).square().mean())
    torch.testing.assert_close(losses["background_A"], ((1 - mask) * (upright - real_A)).abs().mean())
    torch.testing.assert_close(model._weighted(losses), losses["G_AB"] + losses["nce_A"] + 3 * losses["background_A"])

    judged = []
    model._translate = lambda *batch: (fake_B, None, flipped)  # the same again, so that it can be compared
    model.D_B.register_forward_hook(lambda module, inputs, output: judged.append(inputs[0]))
    model.step(real_A, real_B, mask, torch.ones_like(mask))
    torch.testing.assert_close(judged[0], torch.cat([real_B, seen]))


@pytest.mark.parametrize(
    ("kind", "config"), [(CUT, CUTConfig(**SMALL_CUT)), (CycleGAN, CycleGANConfig(width=8, blocks=1, palette="B"))]
)
def test_samples_show_the_picture_itself_outside_of_masks(kind, config):
    model = kind(config, size=32)
    real_A, real_B = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    masks = torch.ones(2, 2, 1, 32, 32)
    masks[0, 1, :, 16:] = 0  # of the second picture of A
    whole, kept = model.preview(real_A, real_B), model.preview(real_A, real_B, *masks)
    assert whole.keys() == kept.keys()
    for title, rows in kept.items():
        of_A = title.startswith("A")
        for i, row in enumerate(rows):
            for place, made in enumerate(row):
                if of_A and i == 1:
                    assert torch.equal(made[:, 16:], real_A[1, :, 16:])
                    assert (made[:, :16] != real_A[1, :, :16]).any() or place == 0
                else:
                    assert torch.equal(made, whole[title][i][place])
