"""Small translators with random weights, for the tests of what loads and saves them."""

import torch

from cyclegan import Translator
from cyclegan.networks.build import build_generator

ARCHITECTURE = {"name": "resnet", "width": 4, "blocks": 2}


def make(direction="G_AB", seed=0):
    torch.manual_seed(seed)
    domains = ["horse", "zebra"] if direction == "G_AB" else ["zebra", "horse"]
    header = {"format": 1, "architecture": ARCHITECTURE, "domains": domains, "size": 64, "provenance": {"recipe": "x"}}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    return Translator(build_generator(ARCHITECTURE), header, "cpu", direction)
