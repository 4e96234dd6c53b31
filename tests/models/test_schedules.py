"""Learning-rate schedules: their values, and that every model that has one follows it."""

import pytest
import torch

from cyclegan.models import load_model
from cyclegan.models.schedules import schedule

TINY = {"cyclegan": {"width": 4, "blocks": 1}, "cut": {"width": 4, "blocks": 5, "generator": "mobile"}, "gan": {}}


@pytest.mark.parametrize(
    ("kind", "factors"),
    [
        ("linear", [1, 1, 1, 0.5, 0]),
        ("constant", [1, 1, 1, 1, 1]),
        ("cosine", [1, 0.8535534, 0.5, 0.1464466, 0]),
        ("step", [1, 0.1, 0.01, 0.001, 0.001]),
    ],
)
def test_the_factors_at_the_quarters(kind, factors):
    assert [schedule(p / 4, kind=kind) for p in range(5)] == pytest.approx(factors)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize(("kind", "factor"), [("cosine", 0.5), ("step", 0.01), ("constant", 1.0)])
def test_every_player_moves_at_the_scheduled_rate(name, kind, factor):
    model = load_model(name)
    size, channels = (28, (1,)) if name == "gan" else (32, (3, 3))
    game = model(model.Config(**TINY[name], lr_schedule=kind), size=size, channels=channels)
    game.progress = 0.5
    game.step(*(torch.rand(2, c, size, size) * 2 - 1 for c in channels))
    rates = [group["lr"] for player in game.players.values() for group in player.optimizer.param_groups]
    assert rates == pytest.approx([factor * 2e-4] * len(rates))
