"""Squares on white paper, grey or of a colour, for generators that are told which."""

import torch

from cyclegan.networks.palette import palette_of

COLOURS = {"red": (1.0, -1.0, -1.0), "green": (-1.0, 1.0, -1.0), "blue": (-1.0, -1.0, 1.0)}
GREY = (0.0, 0.0, 0.0)


def square(colour, y, x):
    """(1, 3, 32, 32): one of 16 pixels with its upper left corner at y, x."""
    picture = torch.ones(1, 3, 32, 32)
    picture[..., y : y + 16, x : x + 16] = torch.tensor(colour).view(1, 3, 1, 1)
    return picture


def assert_obeys(painter):
    """That a grey square becomes red, green and blue, as its palette says."""
    for channel, (name, colour) in enumerate(COLOURS.items()):
        with torch.no_grad():
            made = painter(square(GREY, 4, 9), palette_of(square(colour, 0, 0)))
        inside = made[0, :, 8:16, 13:21].mean((1, 2))
        others = [v for i, v in enumerate(inside.tolist()) if i != channel]
        assert inside[channel] > max(others) + 1, f"asked for {name}, got {inside.tolist()}"
