"""WGAN: its rounds, its clipping and its step, against algorithm 1 as nested loops; and its penalty."""

import pytest
import torch
from noise_helpers import QUIET, assert_one_sentence, assert_same_weights, colour_error, copies
from PIL import Image

from cyclegan.models.wgan import WGAN, WGANConfig
from cyclegan.train.__main__ import main as train
from cyclegan.train.log import median_filtered, read_log

FLAGS = ["--model", "wgan", "--width", "4", "--latent", "5", "--size", "16", "--batch", "4"]


def small(**settings):
    return WGAN(WGANConfig(width=4, latent=5, **settings), size=8)


def test_rounds_are_those_of_the_authors_loop():
    moves, expected = 0, []
    for generator_steps in range(1201):
        moves += 100 if generator_steps < 25 or generator_steps % 500 == 0 else 5
        expected.append(moves)
    game = small()
    assert [game.critic_moves(rounds + 1) for rounds in range(1201)] == expected
    assert [small(penalty=True).critic_moves(n) for n in (1, 25, 501)] == [5, 125, 2505]


def test_a_round_is_algorithm_1(monkeypatch):
    monkeypatch.setattr("cyclegan.models.wgan.FIRST", 0)
    monkeypatch.setattr("cyclegan.models.wgan.AGAIN", 10**6)
    game = small(critic_steps=2)
    batches = [torch.rand(4, 3, 8, 8) * 2 - 1 for _ in range(4)]
    G, D = copies(game)
    torch.manual_seed(3)
    losses = [game.step(x) for x in batches]

    torch.manual_seed(3)
    of_D, of_G = (torch.optim.RMSprop(net.parameters(), 5e-5) for net in (D, G))
    estimates = []
    for i in range(0, 4, 2):
        for x in batches[i : i + 2]:
            fake = G(torch.randn(4, 5)).detach()
            estimate = D(x).mean() - D(fake).mean()
            of_D.zero_grad()
            (-estimate).backward()
            of_D.step()
            for weight in D.parameters():
                weight.data.clamp_(-0.01, 0.01)
            estimates.append(estimate.item())
        of_G.zero_grad()
        (-D(G(torch.randn(4, 5))).mean()).backward()
        of_G.step()
    assert [list(l) for l in losses] == [["wasserstein"], ["wasserstein", "clipped", "G"]] * 2
    assert [l["wasserstein"].item() for l in losses] == pytest.approx(estimates, rel=1e-3, abs=1e-6)
    assert_same_weights(game, G, D)


def test_the_share_at_the_ends_counts_what_was_clipped():
    game = small()
    weights = torch.cat([p.detach().flatten() for p in game.D.parameters()])
    game._clip()
    expected = (weights.abs() >= 0.01).float().mean()
    assert 0.3 < expected < 0.9 and game._share_clipped().item() == pytest.approx(expected.item(), abs=1e-6)
    assert max(p.abs().max().item() for p in game.D.parameters()) == pytest.approx(0.01)


def test_with_the_penalty_nothing_is_clipped():
    game = small(penalty=True)
    losses = [game.step(torch.rand(4, 3, 8, 8) * 2 - 1) for _ in range(5)]
    assert losses[0].keys() == {"wasserstein", "penalty"} and losses[4].keys() == {"wasserstein", "penalty", "G"}
    assert max(p.abs().max().item() for p in game.D.parameters()) > 0.02
    assert "Adam" in type(game.players["D"].optimizer).__name__
    assert not any("Norm" in type(layer).__name__ for layer in game.D.modules())


def test_a_step_on_the_meta_device():
    for settings in ({}, {"penalty": True}):
        game = WGAN(WGANConfig(**settings), size=32, device="meta")
        for _ in range(5):
            game.step(torch.empty(2, 3, 32, 32, device="meta"))


def test_it_learns_one_colour():
    game = WGAN(WGANConfig(width=8, latent=5, penalty=True, lr=3e-3, ema=0.9), size=8)
    assert colour_error(game, [0.7, 0.1, -0.6], 400) < 0.3


def test_it_says_that_the_generator_begins_late(photos, tmp_path, capsys):
    assert train(["photos", *FLAGS, *QUIET, "--steps", "1", "--name", "a"]) == 0
    assert "first 25 steps take 2500 of the critic's, or 1111.1 epochs" in capsys.readouterr().out
    assert "wasserstein" in read_log(tmp_path / "runs" / "a")[-1]["losses"]
    assert Image.open(tmp_path / "runs" / "a" / "curves.png").size[0] > 300
    assert train(["photos", *FLAGS, *QUIET, "--steps", "1", "--name", "b", "--penalty"]) == 0
    assert "critic learns first" not in capsys.readouterr().out


def test_medians_ignore_single_jumps():
    assert median_filtered([1, 1, 9, 1, 1, 5], 3) == [1, 1, 1, 1, 1, 3]


def test_mistakes_get_one_sentence(photos, capsys):
    for flags, sentence in (
        (["--size", "50"], "pictures of 8, 16, 32, 64"),
        (["--clip", "0"], "--clip must be above 0"),
        (["--critic-steps", "0"], "at least 1"),
    ):
        assert_one_sentence([*FLAGS, *flags], sentence, capsys)
