"""sketch2photo: a folder of photos becomes a data set whole or not at all; what its pencil draws."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cyclegan.data.datasets import locate
from cyclegan.data.images import read_image
from cyclegan.data.pencil import pencil_drawing
from cyclegan.data.pencil_photos import make_sketch2photo
from cyclegan.system.errors import UserError

ROOT = Path(__file__).parents[2]
PARTS = ("trainA", "trainB", "testA", "testB")
PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "horse2zebra" / "testA"


def listing(folder: Path) -> dict[str, set[str]]:
    return {part: {path.name for path in (folder / part).iterdir()} for part in PARTS}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def scene(seed: int, width: int = 120, height: int = 90) -> Image.Image:
    """Sky, ground, a sun and a few houses: flat areas with clear contours."""
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
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


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


def test_pairs_are_every_photo_and_its_drawing(photos, tmp_path):
    out = tmp_path / "mine"
    done = run(photos, "-o", out, "--size", 48, "--test", 0.2, "--pairs")
    assert (
        done.returncode == 0 and f"python -m cyclegan.train {out} --model pix2pix --recipe coloured" in done.stdout
    ), done.stderr
    names = listing(out)
    assert [len(names[part]) for part in PARTS] == [10, 10, 2, 2]
    assert names["trainA"] == names["trainB"] and not names["trainA"] & names["testA"]
    for name in names["trainA"]:
        drawn = pencil_drawing(read_image(out / "trainB" / name))
        np.testing.assert_array_equal(read_image(out / "trainA" / name, 1)[..., 0], drawn)


def test_the_same_photos_give_the_same_set_whatever_they_are_called(photos, tmp_path):
    make_sketch2photo(photos, tmp_path / "one", size=48)
    make_sketch2photo(photos, tmp_path / "two", size=48)
    one = contents(tmp_path / "one")
    assert {k: v for k, v in one.items() if k != "card.toml"} == {
        k: v for k, v in contents(tmp_path / "two").items() if k != "card.toml"
    }
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for i, path in enumerate(sorted(photos.rglob("*.*"), reverse=True)):
        shutil.copy(path, renamed / f"x{i}{path.suffix}")
    make_sketch2photo(renamed, tmp_path / "three", size=48)
    three = contents(tmp_path / "three")
    for part in PARTS:
        assert {v for k, v in one.items() if k.startswith(part)} == {v for k, v in three.items() if k.startswith(part)}


def test_a_photo_that_is_there_twice_is_used_once(photos, tmp_path, capsys):
    shutil.copy(photos / "0.jpg", photos / "copy.jpg")
    counts = make_sketch2photo(photos, tmp_path / "set", size=48)
    assert counts["trainA"] + counts["trainB"] + counts["testA"] == 12
    assert "1 photos that are there twice" in capsys.readouterr().err


def test_photos_whose_names_collide_all_survive(photos, tmp_path):
    scene(20).save(photos / "0.png")
    scene(21).save(photos / "trip_8.bmp")
    counts = make_sketch2photo(photos, tmp_path / "set", size=48)
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
    with pytest.raises(UserError, match="exists already"):
        make_sketch2photo(photos, photos / "trip")
    assert len(list((photos / "trip").iterdir())) == 4


def test_a_kill_leaves_no_half_made_set_and_the_next_run_completes(photos, tmp_path):
    for i in range(150):
        scene(100 + i).save(photos / f"more{i}.jpg")
    out = tmp_path / "set"
    command = [sys.executable, "-m", "cyclegan.sketch2photo", str(photos), "-o", str(out), "--size", "256"]
    process = subprocess.Popen(command, cwd=ROOT)
    while not list(tmp_path.glob(".set*/squares/*.png")) and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    assert not out.exists()
    make_sketch2photo(photos, out, size=48)
    assert not [path for path in tmp_path.glob(".set*") if path.is_dir()]
    assert sum(len(names) for names in listing(out).values()) == 162 + 16


def test_help_does_not_wait_for_torch():
    code = "import sys, cyclegan.sketch2photo; sys.exit('torch' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert "drawing" in run("--help").stdout


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
