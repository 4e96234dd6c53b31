"""``python -m cyclegan.translate`` as people use it: files, folders, what is broken, what is there already."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan import Translator
from cyclegan.networks.build import build_generator
from cyclegan.translate.__main__ import main

ARCHITECTURE = {"name": "resnet", "width": 4, "blocks": 1}


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, direction in enumerate(("G_AB", "G_BA")):
        torch.manual_seed(seed)
        domains = ["horse", "zebra"][:: 1 - 2 * seed]
        header = {"architecture": ARCHITECTURE, "domains": domains, "size": 64, "provenance": {}}
        header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
        Translator(build_generator(ARCHITECTURE), header, "cpu", direction).save_pretrained("runs/mine")


def picture(path, size=(24, 18), mode="RGB", seed=0):
    path = os.fspath(path)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "CMYK": (4,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8)
    image = Image.fromarray(pixels, mode) if mode == "CMYK" else Image.fromarray(pixels)
    image.save(path)
    return path


def tree(folder):
    return sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files)


def pixels(path):
    return np.asarray(Image.open(path))


def assert_same_picture(path, expected):
    """Up to one level of 255: pictures that are translated side by side may be added up in another order."""
    assert np.abs(pixels(path).astype(int) - np.asarray(expected)).max() <= 1


def test_a_folder_keeps_names_subfolders_sizes_and_formats():
    names = ["a.png", "b.jpg", "sub/a.png", "sub/deep/c.webp", "grey.tif", "cmyk.jpeg", "see-through.png", "d.gif"]
    for i, name in enumerate(names):
        mode = {"grey.tif": "L", "cmyk.jpeg": "CMYK", "see-through.png": "RGBA", "d.gif": "L"}.get(name, "RGB")
        picture(f"in/{name}", (24 + i, 18), mode, seed=i)
    picture("in/.hidden.png")
    assert main(["runs/mine", "in", "-o", "out"]) == 0
    assert tree("out") == sorted(name.replace("d.gif", "d.png") for name in names)
    for i, name in enumerate(names):
        out = Image.open(f"out/{name}".replace(".gif", ".png"))
        assert out.size == (24 + i, 18) and out.mode == ("RGBA" if name == "see-through.png" else "RGB")
    t = Translator.from_pretrained("runs/mine", device="cpu")
    assert_same_picture("out/a.png", t("in/a.png"))
    assert_same_picture("out/sub/a.png", t("in/sub/a.png"))


def test_single_files_patterns_reverse_and_a_file_as_output():
    for name in ("x1.png", "x2.png", "y.png"):
        picture(name)
    assert main(["mine", "x*.png", "-o", "out", "--reverse"]) == 0
    assert tree("out") == ["x1.png", "x2.png"]
    assert main(["mine", "y.png", "-o", "new/zebra.png"]) == 0
    back = Translator.from_pretrained("mine", reverse=True, device="cpu")
    assert_same_picture("out/x1.png", back("x1.png"))
    with pytest.raises(AssertionError):
        assert_same_picture("out/x1.png", pixels("new/zebra.png"))


def test_brackets_in_names_are_meant_as_they_stand():
    for name in ("best [1]/a.png", "best [1]/b.jpg", "best 1/a.png", "a[1].png"):
        picture(name)
    assert main(["runs/mine", "best [1]/*.png", "a[1].png", "-o", "out"]) == 0
    assert tree("out") == ["a.png", "a[1].png"]


def test_links_to_folders_are_followed_and_debris_is_left():
    picture("far/a.png")
    picture("in/@eaDir/a.png")
    os.symlink(os.path.abspath("far"), "in/link")
    assert main(["runs/mine", "in", "-o", "out"]) == 0
    assert tree("out") == ["link/a.png"]


def test_several_frames_are_said_once(capsys):
    for name in ("a.tif", "b.tif", "c.webp"):
        frames = [Image.new("RGB", (24, 18), colour) for colour in ("red", "blue")]
        os.makedirs("in", exist_ok=True)
        frames[0].save(f"in/{name}", save_all=True, append_images=frames[1:])
    assert main(["runs/mine", "in", "-o", "out"]) == 0
    assert capsys.readouterr().err.count("several pages or frames, of which the first is translated") == 1


def test_what_cannot_be_read_is_listed_and_the_rest_is_done(capsys):
    for i in range(5):
        picture(f"in/{i}.png")
    with open("in/1.png", "r+b") as file:
        file.truncate(200)
    with open("in/3.jpg", "w") as file:
        file.write("this is text")
    assert main(["mine", "in", "-o", "out"]) == 1
    assert tree("out") == ["0.png", "2.png", "3.png", "4.png"]
    said = capsys.readouterr()
    assert "in/1.png" in said.err and "in/3.jpg" in said.err and "2 of 6" in said.err
    assert "4 translated" in said.out


def test_nothing_is_overwritten_unless_asked_for(capsys):
    picture("in/a.png")
    picture("out/a.png", (3, 3))
    before = pixels("out/a.png")
    picture("in/b.png")
    assert main(["mine", "in", "-o", "out"]) == 0
    assert np.array_equal(pixels("out/a.png"), before) and tree("out") == ["a.png", "b.png"]
    assert "1 there already" in capsys.readouterr().out
    for wrong in (["--palette", "red"], ["--seed", "1"], ["--size", "0"], ["--range", "2", "1"]):
        assert main(["mine", "in", "-o", "out", *wrong]) == 2
    assert main(["yours", "in", "-o", "out"]) == 2
    assert main(["mine", "in", "-o", "out", "--overwrite"]) == 0
    assert pixels("out/a.png").shape == (18, 24, 3)


def test_results_inside_the_input_folder_are_not_translated_again():
    picture("in/a.png")
    for _ in range(2):
        assert main(["mine", "in", "-o", "in/out"]) == 0
    assert tree("in") == ["a.png", "out/a.png"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["min", "in", "-o", "out"], "no translator 'min'"),
        (["runs/mine", "absent.png", "-o", "out"], "no file or folder absent.png"),
        (["runs/mine", "empty", "-o", "out"], "no pictures or videos in empty"),
        (["runs/mine", "in", "-o", "in"], "would replace the input"),
        (["runs/mine", "in", "two", "-o", "out"], "would both become"),
        (["runs/mine", "in/a.png", "two/a.jpg", "-o", "one.png"], "one file, and there are 2"),
        (["runs/mine", "in/a.png", "-o", "one.mp4"], "cannot become"),
        (["runs/mine", "in", "-o", "file"], "is a file and no folder"),
        (["runs/mine/G_AB.safetensors", "in", "-o", "out", "--reverse"], "no other direction"),
        (["runs/mine", "in", "-o", "out", "--device", "abacus"], "abacus"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(arguments, sentence, capsys):
    picture("in/a.png")
    picture("two/a.png")
    picture("two/a.jpg")
    os.makedirs("empty")
    open("file", "w").close()
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_help_needs_no_torch():
    code = "import sys, cyclegan.translate, cyclegan.convert, cyclegan.export; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    done = subprocess.run([sys.executable, "-m", "cyclegan.translate", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--reverse" in done.stdout
    done = subprocess.run([sys.executable, "-m", "cyclegan.translate", "mine"], capture_output=True, text=True)
    assert done.returncode == 2


def test_an_interruption_leaves_only_whole_pictures_and_the_next_call_goes_on():
    for i in range(60):
        picture(f"in/{i}.png", (160, 160), seed=i)
    command = [sys.executable, "-m", "cyclegan.translate", "mine", "in", "-o", "out"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for _ in range(1200):
        if os.path.isdir("out") and len(tree("out")) >= 3:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "goes on" in said and "Traceback" not in said
    done = tree("out")
    assert 3 <= len(done) < 60 and not any("part" in name for name in done)
    for name in done:
        Image.open(f"out/{name}").load()
    assert main(["mine", "in", "-o", "out"]) == 0
    assert len(tree("out")) == 60


@pytest.mark.parametrize("size", [(200, 150), (600, 500)])  # those that are done in parallel, and those that are not
def test_a_size_is_proposed_once_for_pictures_far_larger_than_the_training(size, capsys):
    for name in ("a", "b", "c"):
        picture(f"in/{name}.png", size)
    picture("near/a.png", (120, 128))
    assert main(["runs/mine", "near", "-o", "near_out"]) == 0
    assert main(["runs/mine", "in", "-o", "out", "--size", "64"]) == 0
    assert "--size" not in capsys.readouterr().err
    assert main(["runs/mine", "in", "-o", "again"]) == 0
    assert capsys.readouterr().err.count("much larger than what this translator learned from; try --size 64") == 1
