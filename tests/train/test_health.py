"""The warnings of GAN practice: each in its case, once, and never without it."""

import pytest
import torch
from second_game import Dense, SecondConfig, SecondGame

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig
from cyclegan.networks.build import NOISE
from cyclegan.page.run_reader import state
from cyclegan.train import health
from cyclegan.train.__main__ import main as train
from cyclegan.train.health import Health, diversity
from cyclegan.train.log import read_log

COLOURS = torch.arange(25 * 3 * 8 * 8).view(25, 3, 8, 8).remainder(251).byte()


class Pictures:
    """The one thing that is asked of a data set."""

    def fixed(self, count: int, resize: str) -> tuple[torch.Tensor, ...]:
        return (COLOURS[:count],)


@pytest.fixture
def game(monkeypatch):
    monkeypatch.setitem(NOISE, "dense", Dense)
    return SecondGame(SecondConfig(ema=0.0), size=8, channels=(3,))


def said(health: Health, name: str, values: list[float], by: int = 100) -> list[str]:
    return [word for i, value in enumerate(values) for word in health.look(by * i, {name: value, "G": 1.0})]


def test_a_discriminator_that_is_never_wrong(game):
    (word,) = said(Health(game, Pictures(), 10**9), "D", [0.7, *[0.001] * 20])
    assert word.startswith("The loss of D has been 0 for 500 steps")
    assert not said(Health(game, Pictures(), 10**9), "D", [0.001, 0.001, 0.3] * 6), "it was wrong in between"
    assert not said(Health(game, Pictures(), 10**9), "D", [-0.4, *[0.001] * 20]), "a critic's loss has no end at 0"
    both = Health(CycleGAN(CycleGANConfig(width=4, blocks=1), 32), Pictures(), 10)
    assert len(said(both, "D_A", [0.0] * 20)) == len(said(both, "D_B", [0.0] * 20)) == 1


def test_a_critic_clipped_everywhere(game):
    (word,) = said(Health(game, Pictures(), 10**9), "clipped", [0.2, *[0.97] * 9])
    assert word.startswith("97% of the critic's weights are at the ends")
    assert not said(Health(game, Pictures(), 10**9), "clipped", [0.97, 0.97, 0.5] * 5)


def test_samples_that_are_all_alike(game):
    before = torch.random.get_rng_state()
    assert not said(Health(game, Pictures(), 100), "G", [1.0] * 9), "pictures of noise differ"
    game.G.model[3].weight.data[:] = 0
    (word,) = said(Health(game, Pictures(), 100), "G", [1.0] * 9)
    assert "differ by 0% of what real pictures differ" in word and "mode collapse" in word
    assert not said(Health(game, Pictures(), 300), "G", [1.0] * 9), "two looks are no proof"
    assert game.G.training and torch.equal(before, torch.random.get_rng_state())


def test_diversity_by_hand():
    pictures = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    assert diversity(pictures) == pytest.approx((0.5 + 1.5 + 1.0) / 3)


def test_the_command_says_it_and_the_log_keeps_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(health, "ALIKE", 100.0)
    flags = ["slanted", "--model", "tiny", "--steps", "60", "--log-every", "10", "--sample-every", "10"]
    assert train([*flags, "--device", "cpu"]) == 0
    kept = [word for record in read_log(tmp_path / "runs" / "tiny_slanted") for word in record.get("warnings", [])]
    assert len(kept) == 1 and capsys.readouterr().out.count(kept[0]) == 1
    assert f"⚠ {kept[0]}." in state(tmp_path / "runs" / "tiny_slanted"), "the page says it too"
