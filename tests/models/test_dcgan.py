"""DCGAN: its networks as in the paper, its step against the equations, written out."""

import pytest
import torch
from noise_helpers import QUIET, assert_one_sentence, assert_same_weights, colour_error, copies
from torch import nn
from torch.nn.functional import relu

from cyclegan.models.dcgan import DCGAN, DCGANConfig
from cyclegan.networks.convolutional import DCGANDiscriminator, DCGANGenerator
from cyclegan.networks.layers import parameter_count
from cyclegan.train.__main__ import main as train

FLAGS = ["--model", "dcgan", "--width", "4", "--latent", "5", "--size", "16", "--batch", "4"]


def small(**settings):
    return DCGAN(DCGANConfig(width=4, latent=5, **settings), size=8)


def test_the_sizes_are_the_papers():
    assert (parameter_count(DCGANGenerator()), parameter_count(DCGANDiscriminator())) == (3_576_704, 2_765_568)
    shapes = [layer.weight.shape[:2] for layer in DCGANGenerator().modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert shapes == [(100, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    for size in (8, 32, 128):
        made = DCGANGenerator(size, width=2, latent=3)(torch.randn(2, 3))
        assert made.shape == (2, 3, size, size) and DCGANDiscriminator(size, width=2)(made).shape == (2,)


@pytest.mark.parametrize("modern", [False, True])
def test_a_step_is_the_equations(modern):
    settings = {"adversarial": "hinge", "norm_D": "none", "r1": 0.5, "r1_every": 3} if modern else {}
    game, x = small(**settings), torch.rand(4, 3, 8, 8) * 2 - 1
    G, D = copies(game)
    torch.manual_seed(3)
    losses = game.step(x)

    torch.manual_seed(3)
    of_D, of_G = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (D, G))
    fake = G(torch.randn(4, 5)).detach()
    x = x.requires_grad_()
    if modern:
        loss = relu(1 - D(x)).mean() + relu(1 + D(fake)).mean()
        slopes = torch.stack([torch.autograd.grad(D(x[i : i + 1]).sum(), x, create_graph=True)[0][i] for i in range(4)])
        penalty = 0.5 * 3 / 2 * slopes.square().sum((1, 2, 3)).mean()
    else:
        loss, penalty = -(D(x).sigmoid().log().mean() + (1 - D(fake).sigmoid()).log().mean()), 0.0
    (loss + penalty).backward()
    of_D.step()
    of_G.zero_grad()
    scores = D(G(torch.randn(4, 5)))
    loss_G = -scores.mean() if modern else -scores.sigmoid().log().mean()
    loss_G.backward()
    of_G.step()
    torch.testing.assert_close(losses["D"], loss.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses["G"], loss_G.detach(), rtol=1e-3, atol=1e-4)
    assert_same_weights(game, G, D)


def test_the_penalty_is_taken_in_every_nth_step():
    game = small(norm_D="none", r1=1.0, r1_every=3)
    taken = ["R1" in game.step(torch.rand(2, 3, 8, 8)) for _ in range(7)]
    assert taken == [True, False, False, True, False, False, True]


def test_weights_begin_as_the_paper_says():
    game = DCGAN(size=32)
    weight = game.G.model[3].weight
    assert abs(weight.std().item() - 0.02) < 1e-3 and abs(weight.mean().item()) < 1e-3
    assert abs(game.G.model[1].weight.mean().item() - 1) < 0.01


def test_a_step_on_the_meta_device():
    for recipe in DCGAN.recipes.values():
        known = DCGANConfig.__dataclass_fields__
        config = DCGANConfig(**{key: value for key, value in recipe.items() if key in known})
        game = DCGAN(config, size=recipe["size"], device="meta")
        losses = game.step(torch.empty(2, 3, recipe["size"], recipe["size"], device="meta"))
        assert all(loss.device.type == "meta" for loss in losses.values())


def test_it_learns_one_colour():
    game = DCGAN(DCGANConfig(width=8, latent=5, lr=2e-3, norm_D="none", ema=0.9), size=8)
    assert colour_error(game, [0.7, 0.1, -0.6], 150) < 0.3


def test_a_class_trains_alone(photos, tmp_path):
    assert train(["photos", *FLAGS, *QUIET, "--steps", "1", "--class", "day"]) == 0
    assert (tmp_path / "runs" / "dcgan_photos_day" / "G.safetensors").exists()


def test_mistakes_get_one_sentence(photos, capsys):
    for flags, sentence in (
        (["--size", "48"], "pictures of 8, 16, 32, 64"),
        (["--class", "dusk"], "no class 'dusk': it has day, night"),
        (["--r1", "1"], "--norm-D none"),
        (["--ema", "-1"], "--ema must be"),
    ):
        assert_one_sentence([*FLAGS, *flags], sentence, capsys)
