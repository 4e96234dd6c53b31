"""Pictures for the models from noise."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Nine pictures of 16 × 16 in two classes, in a folder of the working directory."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for i in range(9):
        folder = tmp_path / "photos" / ("day" if i % 3 else "night")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return "photos"
