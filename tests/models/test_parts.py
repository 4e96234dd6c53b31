"""A step in parts: gradients add up to those of the whole batch."""

import pytest
import torch

from cyclegan.models.cyclegan import CycleGAN
from cyclegan.models.cyclegan_config import CycleGANConfig


def trained(parts, **settings):
    """Two steps in float64 on batches of four; the game and the losses of its last step."""
    config = CycleGANConfig(generator="mobile", width=4, blocks=1, pool=2, **settings)
    game = CycleGAN(config, size=32)
    for player in game.players.values():
        for network in (*player.networks.values(), *player.averages.values()):
            network.double()
    draw = torch.Generator().manual_seed(1)
    for _ in range(2):
        batch = [torch.rand(4, 3, 32, 32, generator=draw, dtype=torch.float64) * 2 - 1 for _ in range(2)]
        losses = game.step_in_parts(parts, *batch)
    return game, losses


@pytest.mark.parametrize("settings", [{}, {"lambda_change": 1.0, "adversarial": "hinge", "back_translation": "B"}])
def test_parts_end_where_the_whole_batch_does(settings):
    """Weights, averages, optimisers and pools: instance norm treats every picture by itself."""
    whole, losses = trained(1, **settings)
    parted, means = trained(4, **settings)
    assert losses.keys() == means.keys()
    torch.testing.assert_close(means, losses)
    for name, player in whole.players.items():
        other = parted.players[name]
        assert player.moves == other.moves == 2
        for network in player.networks:
            for (key, a), b in zip(
                player.networks[network].named_parameters(), other.networks[network].parameters(), strict=True
            ):
                if not key.endswith("bias"):  # in front of a norm a bias has no gradient but rounding
                    torch.testing.assert_close(b, a, rtol=0, atol=1e-9, msg=key)
    pictures = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(parted.D_A(pictures), whole.D_A(pictures), rtol=0, atol=1e-9)
    torch.testing.assert_close(parted.pool_A.state_dict()["images"], whole.pool_A.state_dict()["images"])
