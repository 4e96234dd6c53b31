"""Headers, cards and pictures from strangers: one sentence, at once, whatever they say."""

import json

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cyclegan.networks.build import build_generator
from cyclegan.networks.library import find
from cyclegan.networks.weights import load_weights, save_weights
from cyclegan.page import choices
from cyclegan.system.errors import ImageError, UserError, WeightsError
from cyclegan.translate.kinds import take

GOOD = {"name": "resnet", "width": 2, "blocks": 0}
HOSTILE = [
    {"architecture": GOOD | {"blocks": 10**6}},
    {"architecture": GOOD | {"blocks": -1}},
    {"architecture": GOOD | {"width": 0}},
    {"architecture": GOOD | {"width": -1}},
    {"architecture": GOOD | {"width": 10**30}},
    {"architecture": GOOD | {"width": "64"}},
    {"architecture": GOOD | {"dropout": 7}},
    {"architecture": GOOD | {"name": ["resnet"]}},
    {"architecture": GOOD | {"name": "r" * 10**5}},
    {"architecture": GOOD | {"in_channels": {}}},
    {"architecture": {"name": "resnet", "width": 4096, "blocks": 20}},
    {"preprocessing": "text"},
    {"preprocessing": {"range": 5}},
    {"provenance": "text"},
    {"size": "abc"},
    {"size": -5},
    {"domains": 7},
]


@pytest.mark.parametrize("change", HOSTILE, ids=lambda change: str(change)[:50])
def test_a_hostile_header_is_one_sentence(change, tmp_path):
    file = tmp_path / "G_AB.safetensors"
    header = {"architecture": GOOD, "domains": ["a", "b"]} | change
    save_file(build_generator(GOOD).state_dict(), file, {"cyclegan": json.dumps(header)})
    with pytest.raises(WeightsError) as error:
        load_weights(file)
    assert len(str(error.value)) < 400 + len(str(file)) and "\n" not in str(error.value)


def test_weights_that_are_no_numbers_are_not_loaded(tmp_path):
    state = build_generator(GOOD).state_dict()
    state["model.1.bias"][0] = torch.nan
    file = save_weights(tmp_path / "x.safetensors", state, {"architecture": GOOD, "domains": ["a", "b"]})
    with pytest.raises(WeightsError, match=r"model\.1\.bias"):
        load_weights(file)


CARDS = ["training = 'text'", "x = " + "[" * 5000, "n = " + "9" * 5000, "[G_AB]\nfile = 5", "title = 3", "\0"]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card[:20])
def test_a_bad_card_is_one_sentence_and_a_bad_run_hides_no_other(card, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("bad", card), ("good", "domains = ['a', 'b']")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "card.toml").write_text(text if text.startswith("domains") else f"domains = ['a', 'b']\n{text}")
        save_weights(folder / "G_AB.safetensors", build_generator(GOOD), {"architecture": GOOD, "domains": ["a", "b"]})
    assert "runs/good" in [choice.key for choice in choices.choices()]
    with pytest.raises(UserError):
        find(tmp_path / "runs" / "bad" / "card.toml")


def test_damaged_metadata_is_no_reason_to_refuse_a_picture_and_damaged_pixels_are_an_image_error(tmp_path):
    damaged = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 9
    for mode, suffix in (("P", "png"), ("CMYK", "jpg"), ("RGB", "jpg")):
        file = tmp_path / f"{mode}.{suffix}"
        Image.effect_noise((40, 30), 90).convert("RGB").convert(mode).save(file, exif=damaged)
        assert take(Image.open(file), 3)[0].shape == (3, 30, 40)
        assert take(str(file), 3)[0].shape == (3, 30, 40)
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(file.read_bytes()[: -len(file.read_bytes()) // 4])
        with pytest.raises(ImageError):
            take(Image.open(cut), 3)
