"""Colours by name, by number and from pictures, in a call and on the command line."""

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan import Translator, UserError
from cyclegan.networks.build import build_generator
from cyclegan.networks.palette import BLACK, COLOURS, HUES, palette_of
from cyclegan.networks.weights import save_weights
from cyclegan.system.errors import WeightsError
from cyclegan.translate.__main__ import main
from cyclegan.translate.colours import read_palette

STORED = torch.eye(COLOURS)[[2, 0, 8, BLACK]]  # yellow, red, blue, black: a quarter of it is black on average
ARCHITECTURE = {"name": "mobile", "width": 4, "blocks": 1, "palette": COLOURS}


@pytest.fixture
def painter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = build_generator(ARCHITECTURE)
    for name, parameter in network.named_parameters():
        if name.endswith("film"):
            torch.nn.init.normal_(parameter, 0.0, 0.02)
    header = {"architecture": ARCHITECTURE, "domains": ["line", "emoji"], "size": 32, "provenance": {}}
    header |= {"palettes": STORED.tolist(), "preprocessing": {"range": [-1, 1], "channels": [3, 3]}}
    Translator(network, header, "cpu").save_pretrained("painter")
    return Translator.from_pretrained("painter", device="cpu")


@pytest.fixture
def picture():
    return torch.rand(3, 40, 36) * 2 - 1


def test_names_numbers_and_pictures_are_palettes(tmp_path):
    def read(wanted):
        return read_palette(wanted, STORED)

    red = read("red")
    assert red[0] == red[HUES] > 0.3 and abs(float(red[BLACK]) - 0.25) < 1e-6 and abs(float(red.sum()) - 1) < 1e-5
    blue = Image.new("RGB", (3000, 20), "blue")
    blue.save(tmp_path / "blue, really.png")
    for same in (blue, tmp_path / "blue, really.png", str(tmp_path / "blue, really.png"), "#0000ff", np.array(blue)):
        torch.testing.assert_close(read(same), read("blue"))
    torch.testing.assert_close(read("red, blue"), (red + read("blue")) / 2)
    torch.testing.assert_close(read(["red", blue]), read("red,blue"))
    assert torch.equal(read(None), STORED[0]) and torch.equal(read(6), STORED[2]) and torch.equal(read("6"), STORED[2])
    assert float(read("black")[BLACK]) > 0.9


def test_a_call_paints_in_what_is_asked_for(painter, picture):
    assert torch.equal(painter(picture), painter(picture, palette=0))
    outputs = [painter(picture, palette=wanted) for wanted in (0, 1, "red", "blue")]
    for i, first in enumerate(outputs):
        assert all((first - second).abs().max() > 0.01 for second in outputs[:i])
    batch = torch.stack([picture, -picture])
    palettes = torch.stack([read_palette("red", STORED)] * 2)
    torch.testing.assert_close(painter.run(batch, "red"), painter.network(batch, palettes), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(painter(batch, palette="red")[0], painter(picture, palette="red"))


def test_one_palette_can_be_kept_for_good(painter, picture):
    painter.with_palette("red").save_pretrained("red")
    red = Translator.from_pretrained("red", device="cpu")
    assert red.palettes is None
    torch.testing.assert_close(red(picture), painter(picture, palette="red"))


def test_what_is_no_palette_gets_one_sentence(painter, picture):
    for wanted, sentence in (("rde", "did you mean red"), ("nothing/here.png", "no colour"), ([], "empty"), ("", "''")):
        with pytest.raises(UserError, match=sentence):
            painter(picture, palette=wanted)
    with pytest.raises(UserError, match="without --palette"):
        painter.with_palette("red")(picture, palette="red")


def test_a_header_without_its_palettes_is_refused(painter, tmp_path):
    header = {k: v for k, v in painter.header.items() if k != "palettes"}
    with pytest.raises(WeightsError, match="palettes"):
        save_weights(tmp_path / "G.safetensors", painter.network, header)


def test_the_command_line_takes_colours(painter, capsys):
    Image.new("RGB", (40, 36), "grey").save("grey.png")
    for name, wanted in (("red", ["--palette", "red"]), ("none", []), ("seed", ["--palette", "0"])):
        assert main(["painter", "grey.png", "-o", f"{name}.png", *wanted]) == 0
    arrays = {name: np.asarray(Image.open(f"{name}.png")) for name in ("red", "none", "seed")}
    assert (arrays["none"] == arrays["seed"]).all() and (arrays["none"] != arrays["red"]).any()
    assert main(["painter", "grey.png", "-o", "x.png", "--palette", "rde"]) == 2
    assert main(["painter", "grey.png", "-o", "red.png", "--palette", "rde"]) == 2  # which is there already
    assert capsys.readouterr().err.count("\n") == 2


def test_palettes_of_pictures_are_those_of_the_training():
    """What is stored in a header and what a picture gives are the same measure."""
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    without_black = STORED * (torch.arange(COLOURS) != BLACK)
    torch.testing.assert_close(read_palette(picture[0], without_black), palette_of(picture)[0])


def test_training_and_evaluation_paint_every_picture_in_another_stored_palette(painter, tmp_path):
    from cyclegan.evaluate.entries import Pair, TestSet
    from cyclegan.evaluate.measure import Framing
    from cyclegan.train.judge import made

    for i in range(6):  # more than go through the network in one call
        Image.new("RGB", (32, 32), (40 * i, 90, 200 - 40 * i)).save(f"{i}.png")
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    test = TestSet("AB", ("line", "emoji"), (3, 3), paths, paths, [], {})
    pair = Pair("painter", painter, painter, {})
    examples = list(pair.examples(test, Framing(32)))
    inputs = torch.stack([example.source for example in examples])
    outputs = made(painter.network, inputs, torch.device("cpu"), painter.header["palettes"])
    for i, example in enumerate(examples):
        expected = painter(inputs[i], palette=i).int()
        assert (example.output - expected).abs().max() <= 1 and (outputs[i] - expected).abs().max() <= 1
    (chosen,) = pair.examples(test, Framing(32), [5])
    assert torch.equal(chosen.output, examples[5].output) and torch.equal(chosen.back, examples[5].back)
