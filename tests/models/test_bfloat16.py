"""On CUDA every training computes in bfloat16 by itself, so every model must be able to."""

import pytest
import torch

from cyclegan.data.augment import DiscriminatorAugment
from cyclegan.models import MODELS
from cyclegan.train.build import build_game
from cyclegan.train.recipes import configure

TRANSLATOR = {"width": 4, "width_D": 4, "size": 32}
SMALL = {
    "cyclegan": TRANSLATOR | {"blocks": 1},
    "cut": TRANSLATOR | {"blocks": 5, "patches": 16},
    "pix2pix": TRANSLATOR,
    "gan": {"width": 16},
    "dcgan": {"width": 4, "size": 32},
    "wgan": {"width": 4, "size": 32, "penalty": True},
    "stylegan": {"channel_max": 8, "size": 32},
    "gan3d": {"width": 8, "encoder_width": 4, "recon": "entropy"},
    "tiny": {},
}


@pytest.mark.parametrize("name", MODELS)
def test_a_step_in_bfloat16_moves_weights_that_stay_float32(name):
    config = configure("some/folder", lambda config: {}, model=name, seed=1, **SMALL[name])
    model = type(build_game(config, (3, 3), device="meta"))
    augment = DiscriminatorAugment() if hasattr(config.pictures, "diffaug") and name != "pix2pix" else None
    game = build_game(config, model.channels, device="cpu", augment_D=augment)
    game.precision = torch.bfloat16
    before = {n: p.clone() for player in game.players.values() for net in player.networks.values()
              for n, p in net.named_parameters()}  # fmt: skip
    shapes = game.input_shapes(config.pictures.size, model.channels)
    for _ in range(2):
        losses = game.step(*(torch.rand(2, *shape) * 2 - 1 for shape in shapes))
    after = {n: p for player in game.players.values() for net in player.networks.values()
             for n, p in net.named_parameters()}  # fmt: skip
    assert all(loss.isfinite() for loss in losses.values())
    assert {p.dtype for p in after.values()} == {torch.float32}
    assert any(not torch.equal(before[n], p) for n, p in after.items())
