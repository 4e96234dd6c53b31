"""The command line: names, defaults, precedence, help, sentences for what cannot be meant."""

import subprocess
import sys

import pytest

from cyclegan.system.errors import UserError
from cyclegan.train.config import as_dict
from cyclegan.train.recipes import parse


def no_card(config):
    return {}


def test_the_defaults_are_the_papers():
    config = parse(["photos"], no_card)
    m, p, t = config.model, config.pictures, config.training
    assert (m.generator, m.discriminator, m.adversarial) == ("resnet", "patch", "lsgan")
    assert (m.lambda_cycle, m.lambda_identity, m.pool, m.lr, m.beta1, m.beta2) == (10, 5, 50, 2e-4, 0.5, 0.999)
    assert (p.size, p.load_size, p.resize, p.flip) == (256, 286, "stretch", True)
    assert (t.epochs, t.batch) == (200, 1)
    assert m.architecture(256, 3, 3)["blocks"] == 9 and m.architecture(128, 3, 3)["blocks"] == 6


def test_flags_win_over_the_card_and_the_card_over_the_recipe():
    def card(config):
        return {"size": 128, "epochs": 7, "quick": {"size": 64}}

    paper = parse(["photos", "--epochs", "9"], card)
    assert (paper.pictures.size, paper.training.epochs) == (128, 9)
    quick = parse(["photos", "--recipe", "quick"], card)
    assert quick.pictures.size == 64 and quick.model.discriminator == "projected"
    assert parse(["photos", "--recipe", "quick", "--size", "96"], card).pictures.size == 96


def test_epochs_on_the_command_line_win_over_the_recipes_steps():
    assert parse(["photos", "--recipe", "quick"], no_card).training.steps == 6000
    assert parse(["photos", "--recipe", "quick", "--epochs", "3"], no_card).training.steps is None


def test_translators_are_told_the_scale_that_whole_pictures_had():
    assert parse(["photos"], no_card).pictures.whole_size == 256
    assert parse(["photos", "--size", "128", "--zoom", "1.8", "--load", "256"], no_card).pictures.whole_size == 256
    assert parse(["photos", "--size", "128", "--zoom", "1.5"], no_card).pictures.whole_size == 192
    assert parse(["photos", "--size", "128", "--load", "256"], no_card).pictures.whole_size == 256
    assert parse(["photos", "--size", "128", "--load", "143"], no_card).pictures.whole_size == 128


def test_a_card_with_an_unknown_setting_says_so():
    with pytest.raises(UserError, match="'sise'"):
        parse(["photos"], lambda config: {"sise": 128})


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--size", "16"], "at least 32"),
        (["--size", "130"], "multiple of 4, not 130; try 128"),
        (["--size", "128", "--load", "100"], "--load 100 is smaller"),
        (["--batch", "0"], "--batch"),
        (["--steps", "0"], "--steps"),
        (["--ema", "1"], "--ema"),
    ],
)
def test_settings_that_cannot_be_meant(flags, sentence):
    with pytest.raises(UserError, match=sentence):
        parse(["photos", *flags], no_card)


def test_a_unet_needs_a_size_that_halves():
    config = parse(["photos", "--generator", "unet", "--size", "100"], no_card)
    with pytest.raises(UserError, match="multiple of 32"):
        config.model.architecture(100, 3, 3)


def test_settings_survive_as_json():
    assert as_dict(parse(["photos"], no_card))["model"]["lambda_cycle"] == 10.0


def test_help_explains_without_what_only_training_needs():
    """Help should answer at once. It needs torch: a model's settings stand beside its step."""
    code = (
        "import sys\n"
        "from cyclegan.train.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torchvision', 'kornia', 'albumentations', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.replace("│", " ").split())  # lines are as wide as the terminal lets them
    for words in ("--lambda-identity", "uses a GPU", "--dry-run"):
        assert words in said
