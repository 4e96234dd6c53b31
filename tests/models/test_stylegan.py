"""StyleGAN: its step against the equations, its mixing, and the whole way from pictures to a board of mixed styles."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.data.augment import shift
from cyclegan.models.stylegan import StyleGAN, StyleGANConfig
from cyclegan.networks.weights import read_header
from cyclegan.sample.__main__ import main as sample
from cyclegan.sample.generator import Generator
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main as train

SMALL = {"latent": 8, "mapping": 2, "channel_base": 64, "channel_max": 8}
FLAGS = ["--model", "stylegan", "--size", "16", "--batch", "4", "--workers", "0", "--device", "cpu",
         *(f"--{key.replace('_', '-')}={value}" for key, value in SMALL.items())]  # fmt: skip


def small(**settings) -> StyleGAN:
    own = {key: settings.pop(key) for key in list(settings) if key not in ("size", "channels", "device", "augment_D")}
    return StyleGAN(StyleGANConfig(**SMALL, **own), **{"size": 8, **settings})


def test_a_step_is_that_of_the_papers():
    game = small(penalty=2.0, ema=0)
    by_hand = copy.deepcopy(game)
    G, D = by_hand.G, by_hand.D
    ratio = 16 / 17
    of_G = torch.optim.Adam(G.parameters(), 2e-3, (0.0, 0.99))
    of_D = torch.optim.Adam(D.parameters(), 2e-3 * ratio, (0.0, 0.99**ratio))
    batches = [torch.rand(4, 3, 8, 8) * 2 - 1 for _ in range(2)]

    torch.manual_seed(1)
    losses = [game.step(real) for real in batches]
    torch.manual_seed(1)
    for step, real in enumerate(batches):
        fake = by_hand.fake(4).detach()
        loss_D = -torch.log(torch.sigmoid(D(real))).mean() - torch.log(1 - torch.sigmoid(D(fake))).mean()
        move(of_D, loss_D)
        if step == 0:
            x = real.clone().requires_grad_()
            slope = torch.autograd.grad(D(x).sum(), x, create_graph=True)[0]
            R1 = slope.flatten(1).norm(dim=1).square().mean()
            move(of_D, 16 * 2.0 / 2 * R1)
            assert torch.allclose(losses[0]["R1"], R1, rtol=1e-4)
        loss_G = -torch.log(torch.sigmoid(D(by_hand.fake(4)))).mean()
        move(of_G, loss_G)
        assert torch.allclose(losses[step]["D"], loss_D, rtol=1e-4)
        assert torch.allclose(losses[step]["G"], loss_G, rtol=1e-4)
    assert "R1" not in losses[1]
    for mine, expected in ((game.G, G), (game.D, D)):
        for a, b in zip(mine.parameters(), expected.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-4)


def move(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = None


def test_the_penalty_comes_in_every_sixteenth_step():
    game = small()
    real = torch.rand(2, 3, 8, 8)
    assert ["R1" in game.step(real) for _ in range(18)] == [True, *[False] * 15, True, False]


def styles_of(game: StyleGAN, count: int) -> torch.Tensor:
    seen = []
    hook = game.G.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    game.fake(count)
    hook.remove()
    return seen[0]


def test_mixing_changes_the_style_once_at_any_layer():
    game = small(mixing=1.0)
    styles = styles_of(game, 200)
    changes = (styles[:, 1:] != styles[:, :-1]).any(2)
    assert (changes.sum(1) == 1).all(), "every picture has two styles"
    assert changes.any(0).all(), "which change at any layer"
    whole = styles_of(small(mixing=0.0), 20)
    assert (whole == whole[:, :1]).all()


def test_a_step_on_the_meta_device():
    game = small(device="meta", augment_D=shift)
    losses = game.step(torch.empty(4, 3, 8, 8, device="meta"))
    assert all(loss.device.type == "meta" for loss in losses.values())


def test_it_learns_one_colour():
    game = small(lr=2e-2, ema=0.9)
    colour = torch.tensor([0.8, 0.2, -0.6])[None, :, None, None]
    for _ in range(60):
        game.step(colour.expand(4, 3, 8, 8) + 0.05 * torch.randn(4, 3, 8, 8))
    made = torch.stack([picture for row in game.preview()["picture"] for picture in row])
    error = (made.mean((0, 2, 3)) - colour.flatten()).abs().max()
    assert error < 0.3, error


def test_moved_pictures_move_by_whole_pixels_and_leave_grey():
    pictures = torch.rand(64, 3, 16, 16) + 0.1
    moved = shift(pictures)
    offsets = set()
    for before, after in zip(pictures, moved, strict=True):
        rows, columns = ((after.abs().sum((0, axis)) > 0).nonzero().flatten() for axis in (2, 1))
        dy, dx = (int(part[0]) if part[0] else int(part[-1]) - 15 for part in (rows, columns))
        kept = before[:, max(0, -dy) : 16 - max(0, dy), max(0, -dx) : 16 - max(0, dx)]
        assert torch.equal(after[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], kept)
        offsets |= {dy, dx}
    assert offsets == {-2, -1, 0, 1, 2}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(6):
        Image.fromarray(draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    return "photos"


def test_from_pictures_to_a_board_of_mixed_styles(photos, capsys):
    assert train([photos, *FLAGS, "--steps", "3", "--name", "g"]) == 0
    header = read_header("runs/g/G.safetensors")
    assert (header["inputs"], header["outputs"]) == ([8], [3, 16, 16])
    assert sample(["g", "-n", "7", "--mix", "-o", "board.png"]) == 0
    assert Image.open("board.png").size == (4 * 17 + 1, 5 * 17 + 1), "3 columns and 4 rows, and their own pictures"
    generator = Generator.from_pretrained("g", "cpu")
    a, b = generator.latents(2, seed=1)
    assert a.shape == (6, 8)
    assert np.array_equal(generator.mix(a, a, at=2)[0], generator.images(a[None])[0])
    assert len(generator.mix(a, torch.stack([a, b]), at=2)) == 2
    walk = generator.interpolate(a, b, 3)
    assert np.array_equal(walk[1], generator.images((a + b)[None] / 2)[0])
    flat = [generator(1, seed, truncation=0.0)[0] for seed in (1, 2)]
    assert np.array_equal(*flat)
    for flags in (["--at", "0"], ["--at", "6"], ["--interpolate", "3"], ["-n", "1"]):
        assert sample(["g", "-n", "4", "--mix", "-o", "board.png", *flags]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_mistakes_get_one_sentence(photos, capsys):
    for flags, sentence in (
        (["--size", "48"], "power of two"),
        (["--mixing", "2"], "between 0 and 1"),
        (["--mapping", "0"], "at least 1"),
        (["--penalty", "-1"], "cannot be negative"),
    ):
        assert train([photos, *FLAGS, *flags, "--steps", "1"]) == 2
        said = capsys.readouterr().err.strip()
        assert sentence in said and len(said.splitlines()) == 1


def test_only_a_stylegan_mixes():
    from cyclegan.networks.tiny import OneLayer

    generator = Generator(OneLayer(), {"domains": ["face"], "outputs": [1, 2, 2]}, "cpu")
    with pytest.raises(UserError, match="only a StyleGAN mixes"):
        generator.mix(*generator.latents(2), at=1)
