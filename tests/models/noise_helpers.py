"""What the tests of the models from noise share."""

import copy

import torch

from cyclegan.train.__main__ import main as train

QUIET = ["--workers", "0", "--device", "cpu", "--log-every", "3", "--sample-every", "3"]


def assert_one_sentence(flags, sentence, capsys):
    """The command refuses the flags."""
    assert train(["photos", *flags, *QUIET, "--steps", "1"]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and len(said.splitlines()) == 1


def colour_error(game, colour, steps, batch=16):
    """How far the samples' mean is from a colour (C,) after ``steps`` on pictures of it."""
    c, size = len(colour), game.size
    real = torch.tensor(colour).view(1, c, 1, 1)
    for _ in range(steps):
        game.step(real + 0.05 * torch.randn(batch, c, size, size))
    return float((game.still_samples().mean((0, 2, 3)) - real.flatten()).abs().max())


def copies(game):
    """G and D as they are now."""
    return copy.deepcopy(game.G), copy.deepcopy(game.D)


def assert_same_weights(game, G, D):
    """G and D have moved as the game's did.

    But for one weight in a hundred: Adam and RMSprop make whole steps of gradients that are nothing but rounding.
    """
    for ours, by_hand in ((game.G, G), (game.D, D)):
        pairs = zip(ours.parameters(), by_hand.parameters(), strict=True)
        off = torch.cat([(a - b).abs().flatten() for a, b in pairs])
        assert (off < 1e-5).float().mean() > 0.99, off.topk(5)
