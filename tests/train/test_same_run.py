"""A run is known by the pictures it was trained on, wherever they lie and whatever their folder is called."""

import json
import shutil

import numpy as np
import pytest
import torch
from painted import paint
from PIL import Image

from cyclegan.data.identity import MOST, fingerprints, share_kept
from cyclegan.train.__main__ import main

SMALL = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32", "--load", "36"]
SMALL += ["--pool", "0"]
RED, GREEN, BLUE = (220, 30, 30), (30, 220, 30), (30, 30, 220)


def make(folder, colour, suffix="png"):
    for side, other in (("trainA", colour), ("trainB", BLUE)):
        paint(folder / side, 4, other, seed=len(side))
        for path in (folder / side).iterdir():
            if suffix != "png":
                Image.open(path).save(path.with_suffix(f".{suffix}"))
                path.unlink()
    return folder


@pytest.fixture
def train(tmp_path, capsys, monkeypatch):
    """Trains for some steps in runs/; returns the exit code and all that was said."""
    monkeypatch.chdir(tmp_path)

    def run(folder, steps=1, *flags):
        code = main([str(folder), *SMALL, "--steps", str(steps), *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.mark.parametrize("suffix", ["png", "bmp"])  # bitmaps of one size also have files of one size
def test_two_data_sets_of_one_name_do_not_share_a_run(tmp_path, train, suffix):
    """Even where they share one of their domains."""
    cats = make(tmp_path / "cats" / "dataset", RED, suffix)
    dogs = make(tmp_path / "dogs" / "dataset", GREEN, suffix)
    assert train(cats)[0] == 0
    card = (tmp_path / "runs" / "dataset" / "card.toml").read_text()
    code, said = train(dogs)
    assert code == 2 and str(cats) in said and "give --name dogs_dataset" in said and said.count("\n") == 1
    assert (tmp_path / "runs" / "dataset" / "card.toml").read_text() == card
    assert train(dogs, 1, "--name", "dogs_dataset")[0] == 0
    assert train(cats, 2)[0] == 0, "the first one goes on"
    assert "--name dogs_dataset_2" in train(dogs)[1], "a name that is free"


def test_another_set_put_into_the_same_folder_is_another_set(tmp_path, train):
    folder = make(tmp_path / "dataset", RED)
    train(folder)
    shutil.rmtree(folder)
    make(folder, GREEN)
    code, said = train(folder, 2)
    assert code == 2 and "when its data set held other pictures" in said


def test_pictures_that_moved_or_are_reached_by_a_link_are_the_same(tmp_path, train):
    folder = make(tmp_path / "one" / "dataset", RED)
    assert train(folder)[0] == 0
    moved = tmp_path / "two" / "dataset"
    moved.parent.mkdir()
    folder.rename(moved)
    (tmp_path / "link").symlink_to(moved)
    for place in (moved, tmp_path / "link"):
        code, said = train(place, 2, "--name", "dataset")
        assert code == 0 and "changed" not in said


def test_a_picture_that_was_mended_or_added_is_said_and_the_run_goes_on(tmp_path, train):
    folder = make(tmp_path / "dataset", RED)
    train(folder)
    (folder / "trainA" / "000.png").unlink()
    paint(tmp_path / "more", 2, RED)
    for i, path in enumerate((tmp_path / "more").iterdir()):
        path.rename(folder / "trainA" / f"new{i}.png")
    code, said = train(folder, 2)
    assert code == 0 and "8 then, 9 now, 75% of the former unchanged" in said


def test_a_run_from_before_there_was_a_record_goes_on(tmp_path, train):
    folder = make(tmp_path / "dataset", RED)
    train(folder)
    record = tmp_path / "runs" / "dataset" / "data.json"
    assert json.loads(record.read_text())["pictures"] == 8
    record.unlink()
    assert train(folder, 2)[0] == 0
    assert record.exists(), "and has one from then on"


def test_long_lists_are_compared_where_both_could_choose(tmp_path):
    files = []
    for i in range(2 * MOST):
        files.append(tmp_path / f"{i}.bin")
        files[-1].write_bytes(np.random.default_rng(i).bytes(20))
    half = fingerprints(files[:MOST])
    assert len(half) == MOST and share_kept(half, half) == 1
    assert share_kept(half, fingerprints(files)) == 1, "adding pictures takes none away"
    assert 0.4 < share_kept(fingerprints(files), half) < 0.6
    assert share_kept(half, []) == 0


def test_a_reader_error_loses_nothing(tmp_path, train, monkeypatch):
    """The file is damaged behind its head, and lies where the look before training does not come by in time."""
    folder = make(tmp_path / "dataset", RED)
    paint(tmp_path / "late", 1, RED, size=64)
    data = (tmp_path / "late" / "000.png").read_bytes()
    (folder / "trainA" / "zz.png").write_bytes(data[: len(data) // 2])
    code, said = train(folder, 12)
    assert code == 2 and "zz.png is damaged" in said and "step 1/" not in said, "found before the first step"
    monkeypatch.setattr("cyclegan.data.check.SECONDS", -1.0)
    code, said = train(folder, 12, "--workers", "0")
    assert code == 2 and "zz.png is damaged" in said and "decoded 0 of them" in said
    made = torch.load(tmp_path / "runs" / "dataset" / "checkpoint.pt", weights_only=True)["step"]
    assert 0 < made < 5 and f"Saved after step {made}" in said
    Image.open(folder / "trainA" / "000.png").save(folder / "trainA" / "zz.png")
    code, said = train(folder, 12, "--workers", "0")
    assert code == 0 and f"step {made}/" not in said and "step 12/12" in said
