"""Weights that stay, settings files as input, and steps in parts: from the command line to the files."""

import json

import pytest

from cyclegan import Translator, evaluate, train
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main
from cyclegan.train.recipes import configure, parse

SMALL = {
    "generator": "mobile",
    "width": 4,
    "width_D": 4,
    "blocks": 1,
    "size": 32,
    "load": 36,
    "pool": 0,
    "device": "cpu",
}


def no_card(config):
    return {}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_kept_weights_translate_and_are_measured_as_a_curve(squares, here, monkeypatch):
    pytest.importorskip("timm")
    result = train(squares, **SMALL, steps=5, keep_every=2, name="mine")
    kept = sorted(path.name for path in (result.folder / "steps").iterdir())
    assert kept == ["000002", "000004"]
    first = Translator.from_pretrained(result.folder / "steps" / "000002")
    assert first.header["provenance"]["steps"] == 2
    last = Translator.from_pretrained(result.folder)
    assert any((a != b).any() for a, b in zip(first.network.parameters(), last.network.parameters(), strict=True))
    measured = evaluate("mine", every_kept=True, features="efficientnet-lite0", device="cpu")
    rows = [row["name"] for row in measured.report["directions"][0]["rows"] if row["kind"] == "translator"]
    assert rows == ["step 2", "step 4", "mine"]
    assert (measured.folder / "curve.png").stat().st_size > 5000
    assert measured.folder.resolve() == (result.folder / "steps" / "evaluation").resolve()


def test_a_run_without_kept_weights_says_how_to_have_some(squares, here):
    train(squares, **SMALL, steps=1)
    with pytest.raises(UserError, match="train with --keep-every"):
        evaluate("runs/squares", every_kept=True)


def test_a_step_in_parts_sees_the_pictures_of_the_larger_batch(squares, here):
    """And logs the mean of their losses; crops and flips are those of the samples' numbers either way."""
    steady = SMALL | {"steps": 2, "log_every": 1, "workers": 0, "precision": "float32"}
    losses = []
    for flags in ({"batch": 4}, {"batch": 2, "accumulate": 2}):
        run = train(squares, **steady, **flags, name=f"b{flags['batch']}").folder
        losses.append([json.loads(line)["losses"] for line in (run / "log.jsonl").read_text().splitlines()])
        assert "pictures = 8" in (run / "card.toml").read_text()
    for whole, parted in zip(*losses, strict=True):
        assert parted == pytest.approx(whole, rel=1e-3)


def test_a_model_whose_step_has_no_parts_says_so(capsys):
    assert main(["photos", "--model", "cut", "--accumulate", "2"]) == 2
    said = capsys.readouterr().err
    assert "a step of cut cannot be taken in parts" in said and said.count("\n") == 1


def test_a_settings_file_is_an_input_and_flags_win(squares, here):
    run = train(squares, **SMALL, lr=1e-4, steps=1, name="first").folder
    again = parse(["--config", str(run / "config.json")])
    assert again.dataset == str(squares) and again.name == "first", "alone it means its own run"
    other = parse(["elsewhere", "--config", str(run), "--size", "64", "--load", "64"], no_card)
    assert (other.dataset, other.name, other.model.lr, other.pictures.size) == ("elsewhere", None, 1e-4, 64)
    assert configure("elsewhere", no_card, config=run, lr=3e-4).model.lr == 3e-4
    assert main(["--config", str(run / "config.json"), "--steps", "2"]) == 0
    assert json.loads((run / "log.jsonl").read_text().splitlines()[-1])["step"] == 2


@pytest.mark.parametrize(
    ("text", "flags", "sentence"),
    [
        (None, [], "takes a run's config.json"),
        ("{", [], "is no JSON"),
        ("[]", [], "holds no settings of a run"),
        ('{"model": {}, "pictures": {}, "training": {"sise": 3}}', [], "sets 'sise'"),
        ('{"model": {}, "pictures": {}, "training": {"batch": "two"}}', [], "batch takes a whole number"),
        ('{"model": {}, "pictures": {}, "training": {}}', ["--model", "cut"], "leave out --model cut"),
        ('{"model": {}, "pictures": {}, "training": {}}', ["--recipe", "quick"], "leave out --recipe quick"),
    ],
)
def test_what_is_no_settings_file_gets_one_sentence(tmp_path, text, flags, sentence):
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        parse(["photos", "--config", str(path), *flags], no_card)
