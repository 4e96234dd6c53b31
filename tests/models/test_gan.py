"""GAN: its two ways of a step against the equations, written out."""

import pytest
import torch
from noise_helpers import QUIET, assert_one_sentence, assert_same_weights, colour_error, copies
from torch import nn

from cyclegan.models.gan import GAN, GANConfig
from cyclegan.networks.dense import DenseDiscriminator
from cyclegan.sample.generator import Generator
from cyclegan.train.__main__ import main as train
from cyclegan.train.log import read_log

FLAGS = ["--model", "gan", "--width", "8", "--size", "16", "--batch", "4"]


def small(**settings):
    return GAN(GANConfig(width=8, latent=6, **settings), size=6, channels=(1,))


def real():
    return torch.rand(4, 1, 6, 6) * 2 - 1


def bce(logits, target):
    return nn.functional.binary_cross_entropy(logits.sigmoid(), torch.full_like(logits, target))


@pytest.mark.parametrize("r1", [0.0, 2.0])
def test_a_step_is_algorithm_1(r1):
    game, x = small(r1=r1), real()
    G, D = copies(game)
    torch.manual_seed(3)
    losses = game.step(x)

    torch.manual_seed(3)
    of_D, of_G = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (D, G))
    fake = G(torch.randn(4, 6)).detach()
    x = x.requires_grad_()
    loss = bce(D(x), 1.0) + bce(D(fake), 0.0)
    slopes = torch.stack([torch.autograd.grad(D(x[i : i + 1]).sum(), x, create_graph=True)[0][i] for i in range(4)])
    (loss + r1 / 2 * slopes.square().sum((1, 2, 3)).mean()).backward()
    of_D.step()
    of_G.zero_grad()
    loss_G = bce(D(G(torch.randn(4, 6))), 1.0)
    loss_G.backward()
    of_G.step()
    torch.testing.assert_close(losses["D"], loss.detach() / 2)
    torch.testing.assert_close(losses["G"], loss_G.detach())
    assert_same_weights(game, G, D)


def test_the_tutorials_step_moves_d_twice_on_halves_and_makes_fakes_in_inference_mode():
    game, x = small(halves=True, keras=True), real()
    G, D = copies(game)
    torch.manual_seed(3)
    losses = game.step(x)

    torch.manual_seed(3)
    of_D, of_G = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (D, G))
    fake = G.eval()(torch.randn(2, 6)).detach()
    right = 0.0
    for pictures, target in ((x[:2], 1.0), (fake, 0.0)):
        of_D.zero_grad()
        scores = D(pictures)
        right += float(((scores > 0) == bool(target)).float().mean()) / 2
        bce(scores, target).backward()
        of_D.step()
    of_G.zero_grad()
    bce(D(G.train()(torch.randn(4, 6))), 1.0).backward()
    of_G.step()
    assert losses["accuracy_D"].item() == pytest.approx(right)
    assert_same_weights(game, G, D)
    norm = next(layer for layer in game.G.modules() if isinstance(layer, nn.BatchNorm1d))
    assert (norm.momentum, norm.eps) == (0.2, 1e-3), "Keras' momentum 0.8 is the share of the old, 0.2 PyTorch's"


def test_the_sizes_are_the_tutorials():
    game = GAN(size=28, channels=(1,), device="meta")
    count = lambda net: sum(p.numel() for p in net.parameters())  # noqa: E731
    statistics = sum(b.numel() for name, b in game.G.named_buffers() if "running" in name)
    assert (count(game.G) + statistics, statistics, count(game.D)) == (1_493_520, 3_584, 533_505)


def test_a_step_on_the_meta_device():
    for settings in ({}, {"halves": True}, {"spread": True, "r1": 1.0}):
        game = GAN(GANConfig(**settings), size=28, channels=(1,), device="meta")
        losses = game.step(torch.empty(4, 1, 28, 28, device="meta"))
        assert losses.keys() >= {"D", "accuracy_D", "G"}


def test_the_discriminator_may_see_the_spread_of_a_batch():
    D = DenseDiscriminator(4, 1, 8, spread=True)
    different = torch.randn(6, 1, 4, 4)
    with torch.no_grad():
        alone = D.score.weight[0, -1]
        apart = D(different)
        D.score.weight[0, -1] += 1.0
        moved = D(different) - apart
        alike = D(different[:1].expand(6, -1, -1, -1)) - 0
    assert alone.ndim == 0 and alike.std() < 1e-6
    assert torch.allclose(moved, moved[:1].expand_as(moved)) and moved[0] > 0.01, "one number for the batch"


def test_it_learns_one_grey():
    assert colour_error(small(lr=2e-3), [0.6], 150) < 0.2


def test_grids_of_one_run_begin_with_the_same_noise():
    game = small()
    before = game.still_samples()
    game.noise(5)
    assert torch.equal(before, game.still_samples())


def test_mistakes_get_one_sentence(photos, capsys):
    for flags, sentence in ((["--ema", "1"], "--ema"), (["--latent", "0"], "at least 1"), (["--r1", "-1"], "negative")):
        assert_one_sentence([*FLAGS, *flags], sentence, capsys)


def test_its_recipes_run(photos, tmp_path):
    for recipe in GAN.recipes:
        flags = ["--recipe", recipe, "--steps", "1", "--batch", "2", "--name", recipe]
        assert train(["photos", "--model", "gan", *QUIET, *flags]) == 0
        record = read_log(tmp_path / "runs" / recipe)[-1]["losses"]
        assert record.keys() >= {"D", "accuracy_D", "G"} and 0 <= record["accuracy_D"] <= 1
        assert Generator.from_pretrained(recipe, "cpu")(1)[0].size == (28, 28)
