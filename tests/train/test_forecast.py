"""The advice of ``train`` where the paper's recipe would take more than a day."""

import re

import pytest
import torch

from cyclegan.train.build import open_source
from cyclegan.train.config import config_class
from cyclegan.train.forecast import DAY, advice
from cyclegan.train.recipes import defaults

CPU = torch.device("cpu")
CARD = "[train.quick]\nsize = 32\nwidth = 4\nblocks = 1\nsteps = 72\n"


@pytest.fixture
def source(squares):
    (squares / "card.toml").write_text(CARD)
    config = config_class("cyclegan")(str(squares))
    return open_source(config)


def of_recipe(recipe):
    return defaults(config_class("cyclegan")("photos", recipe=recipe), lambda config: {})


def test_a_run_of_more_than_a_day_is_shown_the_quick_recipe_and_its_time_here(source):
    pytest.importorskip("timm")
    before = torch.get_rng_state()
    (line,) = advice(of_recipe("paper"), source, CPU, 39 * DAY)
    assert torch.equal(torch.get_rng_state(), before), "asking must not change the training"
    assert "39 d" in line and "--recipe quick: about" in line and "(72 steps)" in line
    assert re.search(r"about [\dhmins ]+ here", line), "its own time, and less than a day"


@pytest.mark.parametrize(("recipe", "seconds"), [("paper", DAY - 1), ("quick", 2 * DAY)])
def test_nothing_is_said_where_there_is_no_need(source, recipe, seconds):
    assert advice(of_recipe(recipe), source, CPU, seconds) == []
