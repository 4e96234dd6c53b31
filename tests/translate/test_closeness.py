"""A picture of another kind than the training pictures is told, and a summary from strangers costs nothing."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from cyclegan import Translator
from cyclegan.data.finding import find_images
from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import read_header, save_weights
from cyclegan.page import choices, one_picture, words
from cyclegan.system.cards import package_folder
from cyclegan.system.errors import UserError
from cyclegan.translate import closeness
from cyclegan.translate.closeness import FEATURES, add_closeness, read_summary, summarise

EXAMPLES = package_folder("pretrained") / "examples"
TINY = {"name": "resnet", "width": 2, "blocks": 0}


@pytest.fixture(scope="module")
def horses():
    return Translator.from_pretrained("horse2zebra", device="cpu")


def test_horses_are_close_and_landscapes_and_drawings_are_far(horses):
    pytest.importorskip("timm")
    assert [horses.closeness(path).far for path in find_images(EXAMPLES / "horse2zebra" / "horse")] == [False] * 4
    landscapes = find_images(EXAMPLES / "sketch2photo" / "photo")[1:3]
    drawings = find_images(EXAMPLES / "sketch2emoji" / "sketch")[:2]
    assert all(horses.closeness(path).far for path in [*landscapes, *drawings])
    array = np.asarray(Image.open(landscapes[0]).convert("RGB"))
    score = horses.closeness(array).score
    assert 0 <= score <= 1 and score == pytest.approx(horses.closeness(landscapes[0]).score), "of any kind of picture"
    assert 0 <= horses.closeness(np.zeros((1, 1, 3), np.uint8)).score <= 1


def test_the_page_says_so_in_one_line_and_only_then(horses):
    choice = choices.choose("horse2zebra")
    grey = Image.new("RGB", (8, 8), (100, 100, 100))
    near, far = (one_picture.Trip(grey, grey, None, grey, (8, 8), 0.1, far=far) for far in (False, True))
    line = "This looks unlike the pictures of *horse* that it learned from, so the result may be odd."
    assert words.summary(far, choice, choice.ways[0]).endswith(f"\n\n{line}")
    assert line not in words.summary(near, choice, choice.ways[0])


def test_without_the_packages_nothing_is_said(horses, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)  # as Python has it for what cannot be imported
    closeness._network.cache_clear()
    closeness.prepare()
    assert horses.closeness(Image.new("RGB", (8, 8))) is None


GOOD = summarise(np.eye(60, FEATURES, dtype=np.float32))
HOSTILE = ["text", 7, [], {}, *(GOOD | change for change in (
    {"threshold": 2.0}, {"threshold": float("nan")}, {"threshold": 10**400}, {"threshold": True}, {"threshold": None},
    {"direction": "A" * 10**7}, {"direction": "é" * 1708}, {"direction": "AAAA"}, {"direction": "A" * 1708},
    {"direction": ["A"]}, {"side": 10**9}, {"side": [224]}, {"network": {}}, {"network": "resnet"},
))]  # fmt: skip


@pytest.mark.parametrize("entry", HOSTILE, ids=lambda entry: str(entry)[-40:])
def test_a_damaged_or_hostile_summary_costs_neither_the_translation_nor_anything_else(entry, tmp_path):
    assert read_summary(GOOD) is not None and read_summary(entry) is None
    file = tmp_path / "G_AB.safetensors"
    header = {"architecture": TINY, "domains": ["a", "b"], "closeness": entry}
    save_file(build_generator(TINY).state_dict(), file, {"cyclegan": json.dumps(header)})
    translator = Translator.from_pretrained(file, device="cpu")
    picture = Image.new("RGB", (8, 8))
    assert translator.closeness(picture) is None and translator(picture).size == (8, 8)


def test_a_summary_is_added_to_weights_whose_tensors_keep_every_bit(tmp_path):
    pytest.importorskip("timm")
    torch.manual_seed(0)
    header = {"architecture": TINY, "domains": ["a", "b"]}
    file = save_weights(tmp_path / "G_AB.safetensors", build_generator(TINY), header)
    before, header, state = load_file(file), read_header(file), torch.get_rng_state()
    (tmp_path / "few").mkdir()
    rng = np.random.default_rng(0)
    for i in range(50):  # rough blues
        levels = rng.integers(0, 60, (12, 12, 3), np.uint8) + np.array([0, 0, 150], np.uint8)
        Image.fromarray(levels).save(tmp_path / "few" / f"{i}.png")
    add_closeness(file, tmp_path / "few")
    assert torch.equal(torch.get_rng_state(), state)
    after = load_file(file)
    assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
    assert {key: value for key, value in read_header(file).items() if key != "closeness"} == header
    translator = Translator.from_pretrained(file, device="cpu")
    assert not translator.closeness(tmp_path / "few" / "7.png").far
    assert translator.closeness(find_images(EXAMPLES / "horse2zebra" / "horse")[0]).far
    (tmp_path / "few" / "7.png").unlink()
    with pytest.raises(UserError, match="needs 50"):
        add_closeness(file, tmp_path / "few")
