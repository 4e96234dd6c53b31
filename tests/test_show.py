"""Sheets of pictures, and the command that shows what a pair of translators does."""

import numpy as np
import torch
from PIL import Image

from cyclegan.data.contact_sheet import GAP, sheet
from cyclegan.data.pixels import to_picture
from cyclegan.show import main as show
from cyclegan.train.__main__ import main as train


def test_tensors_become_pictures_of_rounded_levels():
    values = torch.tensor([-1.0, 0.0, 1.0, 2.0]).view(1, 2, 2)
    assert np.asarray(to_picture(values))[..., 0].tolist() == [[0, 128], [255, 255]]
    color = torch.stack([torch.ones(2, 3), -torch.ones(2, 3), -torch.ones(2, 3)])
    assert to_picture(color).size == (3, 2) and to_picture(color).getpixel((0, 0)) == (255, 0, 0)


def test_a_sheet_puts_every_picture_in_its_place_unscaled():
    red, green, blue = (Image.new("RGB", (40, 40), color) for color in ("#ff0000", "#00ff00", "#0000ff"))
    result = np.asarray(sheet({"one → two": [[red, green]], "three": [[blue, blue], [blue, blue]]}))
    counts = [int((result == color).all(-1).sum()) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    assert counts == [40 * 40, 40 * 40, 4 * 40 * 40]
    first = {c: np.argwhere((result == c).all(-1)).min(0) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))}
    assert (first[0, 255, 0] - first[255, 0, 0]).tolist() == [0, 40 + GAP]
    assert first[0, 0, 255][1] > first[0, 255, 0][1] + 40


def test_pictures_of_other_shapes_are_fitted_into_their_cells():
    wide = Image.new("RGB", (80, 40), "#ff0000")
    result = np.asarray(sheet({"": [[wide, Image.new("RGB", (40, 80), "#0000ff")]]}, cell=40))
    assert (result == (255, 0, 0)).all(-1).sum() == (result == (0, 0, 255)).all(-1).sum() == 40 * 20


def test_show_translates_test_pictures_there_and_back_and_says_what_to_type_next(squares, tmp_path, capsys):
    flags = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32", "--steps", "1"]
    assert train([str(squares), "--runs", str(tmp_path / "runs"), *flags]) == 0
    run = tmp_path / "runs" / "squares"
    capsys.readouterr()
    assert show([str(run), "--count", "2"]) == 0
    out = capsys.readouterr().out
    assert str(run / "show.png") in out and f"cyclegan.translate {run}" in out
    assert Image.open(run / "show.png").width > 6 * 32
    (run / "G_BA.safetensors").unlink()  # one direction, as CUT trains it
    assert show([str(run), "--count", "2", "-o", str(tmp_path / "one.png")]) == 0
    assert "translated: " in capsys.readouterr().out
    assert Image.open(tmp_path / "one.png").width < 3 * 32 + 3 * 24
    assert show([str(squares / "testA")]) == 2
    assert "holds pictures and no translator" in capsys.readouterr().err


def test_without_a_name_the_examples_of_all_translators_in_the_package_are_shown(tmp_path, capsys):
    assert show(["--count", "1", "-o", str(tmp_path / "all.png")]) == 0
    assert str(tmp_path / "all.png") in capsys.readouterr().out
    picture = Image.open(tmp_path / "all.png")
    assert picture.width > 4 * 160 > picture.height  # at least two directions beside one another, in one row


def test_show_says_what_it_cannot_find(tmp_path, capsys):
    assert show([str(tmp_path / "nothing")]) == 2
    assert "nothing" in capsys.readouterr().err
