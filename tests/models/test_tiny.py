"""The 2 × 2 lesson: its printed digits, its gradients by hand, and the same steps in the toolkit's loop."""

from math import log

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from cyclegan.data.slanted import FACES
from cyclegan.models.tiny import TinyGame, Weights, lesson, slope_of_G, slope_on_face, slope_on_fake
from cyclegan.sample.generator import Generator
from cyclegan.train.__main__ import main as train
from cyclegan.train.log import read_log


def printed(values) -> list[str]:
    return [f"{value:.8f}" for value in np.atleast_1d(values)]


def test_the_lesson_ends_in_the_digits_that_it_prints():
    weights, errors = lesson()
    assert printed(weights.G_w) == ["0.70702123", "0.03720449", "-0.45703394", "0.79375751"]
    assert printed(weights.G_b) == ["2.48490157", "-3.36725912", "-2.90139211", "2.81727260"]
    assert printed(weights.D_b) == ["-0.89551030"]
    of_D, of_G = errors[-50:].mean(0)  # the true errors, of the picture G(z): the lesson's own curve ends near 4.4
    assert abs(of_D - 1.455) < 0.01 and abs(of_G - 0.680) < 0.01


def of_seed(seed: int) -> Weights:
    draw = np.random.default_rng(seed)
    return Weights(draw.normal(size=4), draw.normal(), draw.normal(size=4), draw.normal(size=4))


def as_tensors(weights: Weights) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in weights]


@pytest.mark.parametrize("seed", range(4))
def test_gradients_by_hand_equal_those_of_autograd(seed):
    weights, z = of_seed(seed), 0.1 + 0.2 * seed
    x = np.array(FACES[seed], float)
    D_w, D_b, G_w, G_b = as_tensors(weights)
    logit = torch.tensor(x) @ D_w + D_b
    for by_hand, error in (
        (slope_on_face(x, weights.D_w, weights.D_b), -torch.log(torch.sigmoid(logit))),
        (slope_on_fake(x, weights.D_w, weights.D_b), -torch.log(1 - torch.sigmoid(logit))),
    ):
        expected = torch.autograd.grad(error, (D_w, D_b), retain_graph=True)
        np.testing.assert_allclose(by_hand[0], expected[0], rtol=1e-12)
        np.testing.assert_allclose(by_hand[1], expected[1], rtol=1e-12)
    fake = torch.sigmoid(z * G_w + G_b)
    expected = torch.autograd.grad(-torch.log(torch.sigmoid(fake @ D_w + D_b)), (G_w, G_b))
    for by_hand, slope in zip(slope_of_G(z, weights), expected, strict=True):
        np.testing.assert_allclose(by_hand, slope, rtol=1e-12)


def test_steps_of_the_game_are_steps_of_the_lesson(monkeypatch):
    """In float64, with the lesson's start, faces and draws, autograd's steps end where those by hand end."""
    game = TinyGame(size=2, channels=(1,))
    draws = np.random.RandomState(7)
    start = [draws.normal(size=4), draws.normal(), draws.normal(size=4), draws.normal(size=4)]
    parameters = [game.D.layer.weight, game.D.layer.bias, game.G.layer.weight, game.G.layer.bias]
    for parameter, value in zip(parameters, start, strict=True):
        parameter.data = torch.tensor(value, dtype=torch.float64).reshape(parameter.shape)
    monkeypatch.setattr(game, "noise", lambda count: torch.tensor([[draws.rand()]], dtype=torch.float64))
    faces = [torch.tensor(face, dtype=torch.float64).view(1, 1, 2, 2) * 2 - 1 for face in FACES]
    losses = [game.step(face) for face in faces * 20]
    weights, errors = lesson(epochs=20, seed=7)
    for parameter, expected in zip(parameters, weights, strict=True):
        np.testing.assert_allclose(parameter.detach().flatten().numpy(), np.atleast_1d(expected), rtol=1e-9)
    np.testing.assert_allclose([[float(loss["D"]), float(loss["G"])] for loss in losses], errors, rtol=1e-9)


def test_it_learns_the_diagonal_and_both_errors_come_near_the_ideal():
    game = TinyGame(size=2, channels=(1,), seed=3)
    for player in game.players.values():
        player.optimizer.param_groups[0]["lr"] = 0.1  # for the test's sake
        player._rates = [0.1]
    faces = torch.tensor(FACES).view(5, 1, 2, 2) * 2 - 1
    for _ in range(600):
        losses = game.step(faces)
    made = game.G(game.still).mean(0)[0]
    assert made[0, 0] > 0.4 and made[1, 1] > 0.4 and made[0, 1] < -0.4 and made[1, 0] < -0.4
    assert game.ideals == {"D": 2 * log(2), "G": log(2)}
    assert abs(losses["D"] - 2 * log(2)) < 0.25 and abs(losses["G"] - log(2)) < 0.25


def test_what_leaves_the_networks_is_in_the_range_of_the_toolkit_and_D_sees_it_in_that_of_the_lesson():
    game = TinyGame(size=2, channels=(1,))
    game.G.layer.bias.data[:] = 0
    game.G.layer.weight.data[:] = 0
    assert torch.equal(game.G(torch.zeros(1, 1)), torch.zeros(1, 1, 2, 2)), "σ(0) = ½ is the middle of [-1, 1]"
    black, white = torch.full((1, 1, 2, 2), -1.0), torch.ones(1, 1, 2, 2)
    assert torch.equal(game.D(black)[0], game.D.layer.bias)
    assert torch.allclose(game.D(white)[0], game.D.layer.weight.sum() + game.D.layer.bias)
    z = game.G.latents(1000)
    assert z.shape == (1000, 1) and 0 <= z.min() < 0.05 and 0.95 < z.max() < 1


def test_the_step_runs_on_the_meta_device():
    game = TinyGame(size=2, channels=(1,), device="meta")
    losses = game.step(torch.empty(1, 1, 2, 2, device="meta"))
    assert set(losses) == {"D", "G"} and game.generator_loss(torch.empty(1, 1, 2, 2)).is_meta


def test_the_command_makes_the_faces_and_trains(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = ["slanted", "--model", "tiny", "--log-every", "3", "--device", "cpu"]
    assert train([*flags, "--steps", "6", "--name", "six"]) == 0
    assert "5 pictures of face" in capsys.readouterr().out
    assert [set(record["losses"]) for record in read_log(tmp_path / "runs" / "six")][-1] == {"D", "G"}
    assert (tmp_path / "runs" / "six" / "curves.png").exists()
    picture = Generator.from_pretrained("six", "cpu")(1, seed=0)[0]
    assert picture.size == (2, 2) and picture.mode == "L"
    levels = sorted(int(p) for face in range(5) for p in np.asarray(Image.open(f"datasets/slanted/{face}.png")).ravel())
    assert levels == sorted(round(255 * value + 1e-9) for face in FACES for value in face)


def test_samples_show_what_G_makes_and_the_weights_as_squares():
    game = TinyGame(size=2, channels=(1,), domains=("face",))
    game.G.layer.weight.data[:] = torch.tensor([[4.0], [-4.0], [0.0], [2.0]])
    for rest in (game.G.layer.bias, game.D.layer.weight, game.D.layer.bias):
        rest.data[:] = 0
    shown = game.preview()
    assert list(shown) == ["face", "G, w", "G, b", "D, w", "D, b"]
    assert [len(row) for row in shown["face"]] == [5] * 5
    ((square,),) = shown["G, w"]
    assert square.shape == (1, 48, 48)
    assert [square[0, y, x].item() for y in (0, 47) for x in (0, 47)] == [1.0, -1.0, 0.0, 0.5]


def test_a_learning_rate_of_nothing_gets_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train(["slanted", "--model", "tiny", "--lr", "0"]) == 2
    assert "--lr must be above 0, not 0" in capsys.readouterr().err
    assert train(["slanted", "--model", "cyclegan"]) == 2
    assert "without a second domain" in capsys.readouterr().err
    assert F.softplus(torch.tensor(0.0)).item() == pytest.approx(log(2))
