"""The advice of ``train`` where the paper's recipe would take more than a day."""

import re

import pytest
import torch

from cyclegan.train.config import Config
from cyclegan.train.forecast import DAY, advice

CPU = torch.device("cpu")
SMALL = {"channels": (3, 3), "train": {"quick": {"size": 32, "width": 4, "blocks": 1, "steps": 72}}}


def test_a_run_of_more_than_a_day_is_shown_the_quick_recipe_and_its_time_here():
    pytest.importorskip("timm")
    before = torch.get_rng_state()
    (line,) = advice(Config("photos"), SMALL, CPU, 39 * DAY)
    assert torch.equal(torch.get_rng_state(), before), "asking must not change the training"
    assert "39 d" in line and "--recipe quick: about" in line and "(72 steps)" in line
    assert re.search(r"about [\dhmins ]+ here", line), "its own time, and less than a day"


@pytest.mark.parametrize("config, seconds", [(Config("photos"), DAY - 1), (Config("photos", recipe="quick"), 2 * DAY)])
def test_nothing_is_said_where_there_is_no_need(config, seconds):
    assert advice(config, SMALL, CPU, seconds) == []
