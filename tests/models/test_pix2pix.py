"""pix2pix's step is the published one: against a textbook version, and piece by piece."""

import copy
import os
import signal

import pytest
import torch
from painted import paint
from resuming import assert_same_ending, checkpoint
from textbook_pix2pix import TextbookPix2Pix, with_weights_of

from cyclegan import Translator
from cyclegan.models.pix2pix import Pix2Pix, Pix2PixConfig
from cyclegan.networks.build import build_generator
from cyclegan.networks.layers import parameter_count
from cyclegan.networks.weights import read_header
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main
from cyclegan.train.run import Run


def pictures(count=1, size=64, channels=3):
    return torch.rand(count, channels, size, size) * 2 - 1


@pytest.mark.parametrize(
    ("adversarial", "batch", "channels"), [("vanilla", 1, (3, 3)), ("lsgan", 1, (3, 1)), ("vanilla", 2, (1, 3))]
)
def test_ten_steps_equal_the_textbook(adversarial, batch, channels):
    """Both draw the same dropout, so losses and updated weights are the same to rounding."""
    torch.set_default_dtype(torch.float64)
    try:
        model = Pix2Pix(Pix2PixConfig(width=4, width_D=8, adversarial=adversarial, ema=0), size=64, channels=channels)
        textbook = TextbookPix2Pix(model, adversarial)
        before = [p.clone() for p in model.G.parameters()]
        for step in range(10):
            real_A, real_B = (pictures(batch, channels=c) for c in channels)
            torch.manual_seed(step)
            ours = model.step(real_A, real_B)
            torch.manual_seed(step)
            theirs = textbook.step(real_A, real_B)
            assert ours.keys() == theirs.keys()
            for name, value in theirs.items():
                torch.testing.assert_close(ours[name], value.detach(), rtol=1e-8, atol=1e-10, msg=f"{name}, {step}")
        assert all(not torch.equal(a, b) for a, b in zip(before, model.G.parameters(), strict=True))
        for mine, other in ((model.G, textbook.G), (model.D, textbook.D)):
            expected = with_weights_of(copy.deepcopy(other), mine).parameters()
            for a, b in zip(expected, other.parameters(), strict=True):
                torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_published_networks():
    model = Pix2Pix(device="meta")
    assert parameter_count(model.G) == 54_413_955 and parameter_count(model.D) == 2_768_705
    assert model.architecture["levels"] == 8 and model.architecture["noise"] == 0.5


@pytest.mark.parametrize("size", [32, 64, 96, 384])
def test_the_step_runs_at_other_sizes_on_the_meta_device(size):
    model = Pix2Pix(Pix2PixConfig(direction="BA"), size=size, channels=(1, 3), device="meta")
    batch = [torch.empty(1, c, size, size, device="meta") for c in (1, 3)]
    assert all(value.device.type == "meta" for value in model.step(*batch).values())


def test_the_other_direction_swaps_everything():
    model = Pix2Pix(
        Pix2PixConfig(width=4, width_D=8, direction="BA"), size=64, channels=(1, 3), domains=("label", "photo")
    )
    name, (network, header) = next(iter(model.exports().items()))
    assert (name, header["domains"]) == ("G_BA", ["photo", "label"])
    assert (header["architecture"]["in_channels"], header["architecture"]["out_channels"]) == (3, 1)
    assert set(model.step(pictures(channels=1), pictures(channels=3))) == {"G_BA", "L1", "D"}
    real_A, real_B = pictures(2, channels=1), pictures(2)
    ((title, rows),) = model.preview(real_A, real_B).items()
    assert title == "photo → label, and the true label" and model.G.training
    for i, (shown, made, true) in enumerate(rows):
        assert torch.equal(shown, real_B[i]) and torch.equal(true, real_A[i])
        assert torch.equal(made, network(real_B[i : i + 1])[0])


@pytest.mark.parametrize("generator", ["resnet", "mobile"])
def test_cyclegans_generators_take_the_place_of_the_unet(generator):
    """For pictures of any size and without noise; they learn as the U-Net does."""
    config = Pix2PixConfig(generator=generator, width_D=8, width=4, blocks=1, up="resize", residual=2.0, lr=2e-3)
    model = Pix2Pix(config, size=32, channels=(3, 1) if generator == "resnet" else (3, 3))
    assert not model.notes(100, 1)
    real_A = pictures(size=32)
    real_B = -real_A[:, : 1 if generator == "resnet" else 3]
    first = model.step(real_A, real_B)["L1"]
    for _ in range(15):
        last = model.step(real_A, real_B)["L1"]
    assert last < 0.8 * first
    (network, header) = model.exports()["G_AB"]
    again = build_generator(header["architecture"])
    again.load_state_dict(network.state_dict())
    odd = pictures(size=36)[..., :28]
    assert torch.equal(again.eval()(odd), network.eval()(odd)) and network(odd).shape[-2:] == odd.shape[-2:]
    with pytest.raises(UserError, match="a U-Net makes the whole picture"):
        Pix2PixConfig(residual=2.0).check()


def test_the_discriminator_learns_which_outputs_fit():
    """True pairs against pairs that are swapped: both hold real pictures, so only what is beside them tells."""
    model = Pix2Pix(Pix2PixConfig(width=4, width_D=8, lr=2e-3), size=32)
    shades = torch.linspace(-1, 1, 4).view(4, 1, 1, 1).expand(4, 3, 32, 32)
    inputs = shades + 0.1 * torch.randn(4, 3, 32, 32)
    for _ in range(60):
        loss = model._judge(inputs, -inputs, -inputs.roll(1, 0))
        model.players["D"].move(loss)
    assert loss < 0.2


def test_learns_pairs_within_a_hundred_steps():
    """Negatives of squares at random places: an L1 distance that no constant picture reaches."""
    model = Pix2Pix(Pix2PixConfig(width=8, width_D=8, lr=2e-3, noise=0.2), size=32)

    def square(y, x):
        image = torch.full((1, 3, 32, 32), -0.8)
        image[..., y : y + 16, x : x + 16] = 0.8
        return image

    for y, x in torch.randint(0, 16, (100, 2)).tolist():
        model.step(square(y, x), -square(y, x))
    made = model.players["G"].best("G_AB")(square(4, 9))
    assert (made + square(4, 9)).abs().mean() < 0.25


@pytest.fixture
def pairs(tmp_path):
    """Squares and their partners of another colour, under the same names."""
    root = tmp_path / "pairs"
    for split, count, seed in (("train", 6, 1), ("test", 3, 2)):
        paint(root / f"{split}A", count, (220, 30, 30), seed=seed)
        paint(root / f"{split}B", count, (30, 30, 220), seed=seed)
    return root


FLAGS = ["--model", "pix2pix", "--width", "4", "--width-D", "4", "--size", "64", "--log-every", "1"]


def train(folder, runs, *flags):
    return main([str(folder), "--runs", str(runs), *FLAGS, *flags])


def test_three_and_three_steps_equal_six_bit_for_bit(pairs, tmp_path, monkeypatch):
    """Dropout, batch statistics, order and crops included; and with augmentation, which pairs share."""
    flags = ["--steps", "6", "--affine", "5", "--color", "0.2", "--diffaug"]
    assert train(pairs, tmp_path / "six", *flags) == 0
    log = Run.log

    def log_and_stop(run, record):
        log(run, record)
        if record["step"] == 2:  # arrives while the next step is under way
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Run, "log", log_and_stop)
    assert train(pairs, tmp_path / "three", *flags) == 130
    monkeypatch.undo()
    torch.manual_seed(999)
    assert checkpoint(tmp_path / "three" / "pix2pix_pairs")["step"] == 3
    assert train(pairs, tmp_path / "three", *flags) == 0
    assert_same_ending(tmp_path / "three" / "pix2pix_pairs", tmp_path / "six" / "pix2pix_pairs")


def test_a_run_says_its_sizes_and_how_to_translate(pairs, tmp_path, capsys):
    assert train(pairs, tmp_path / "runs", "--steps", "1", "--direction", "BA") == 0
    said = capsys.readouterr().out
    run = tmp_path / "runs" / "pix2pix_pairs"
    assert "multiples of 64" in said and f"python -m cyclegan.translate {run} --reverse IN -o OUT" in said
    assert read_header(run / "G_BA.safetensors")["provenance"]["paired"] is True
    translator = Translator.from_pretrained(run, reverse=True, device="cpu")
    assert translator.domains == ("B", "A")
    with pytest.raises(UserError, match=r"holds only G_BA\.safetensors.*--reverse"):
        Translator.from_pretrained(run, device="cpu")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--size", "100"], "a U-Net needs a size that is a multiple of 32, such as 64, 128 or 256, not 100"),
        (["--noise", "1"], "--noise is a share from 0 to below 1, not 1"),
    ],
)
def test_settings_that_cannot_be_meant(pairs, tmp_path, capsys, flags, sentence):
    assert train(pairs, tmp_path / "runs", "--steps", "1", *flags) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_a_run_of_another_model_is_not_gone_on_with(pairs, tmp_path, capsys):
    assert train(pairs, tmp_path / "runs", "--steps", "1", "--name", "mine") == 0
    capsys.readouterr()
    other = ["--model", "cyclegan", "--generator", "mobile"]
    assert train(pairs, tmp_path / "runs", "--steps", "1", "--name", "mine", *other) == 2
    said = capsys.readouterr().err
    assert "was begun with --model pix2pix (now cyclegan)" in said and said.count("\n") == 1


def test_unpaired_folders_name_the_first_without_a_partner_on_each_side(pairs, tmp_path, capsys):
    (pairs / "trainA" / "002.png").rename(pairs / "trainA" / "alone.png")
    assert train(pairs, tmp_path / "runs", "--steps", "1") == 2
    said = capsys.readouterr().err
    assert "alone.png has no partner and" in said and "002.png has no partner" in said and said.count("\n") == 1
