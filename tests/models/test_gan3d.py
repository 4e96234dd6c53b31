"""3D-GAN: the step by its equations, the balance of the players, resuming, solids from pictures."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from resuming import checkpoint

from cyclegan.data.render import render
from cyclegan.models.gan3d import Gan3D, Gan3DConfig, entropy, kl_to_normal, squares
from cyclegan.networks.solid import SolidDiscriminator, SolidGenerator, ViewEncoder
from cyclegan.networks.weights import read_header
from cyclegan.sample.__main__ import main as sample
from cyclegan.sample.generator import Generator
from cyclegan.train.__main__ import main as train
from cyclegan.train.log import read_log

TINY = Gan3DConfig(width=8, latent=6, encoder_width=2, lambda_kl=0.5, lambda_recon=0.25, lambda_adversarial=2.0)
FLAGS = ["--model", "gan3d", "--size", "16", "--view", "32", "--width", "8", "--latent", "6", "--encoder-width", "2"]
FLAGS += ["--batch", "4", "--workers", "0", "--device", "cpu", "--log-every", "3", "--sample-every", "3"]


def boxes(count: int, size: int = 16) -> np.ndarray:
    """Boxes whose height varies: bool (N, size, size, size)."""
    cells = np.zeros((count, size, size, size), bool)
    for i in range(count):
        cells[i, 4:12, 3:13, 2 : 5 + i % 9] = True
    return cells


def batch(count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    cells = boxes(count)
    pictures = np.stack([render(solid, 32) for solid in cells])[:, None]
    return torch.from_numpy(cells[:, None]).float() * 2 - 1, torch.from_numpy(pictures).float() / 127.5 - 1


def game(config: Gan3DConfig = TINY, **settings) -> Gan3D:
    return Gan3D(config, size=16, channels=(1,), domains=("box",), whole_size=32, **settings)


@pytest.fixture
def solids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("boxes.npz", solids=boxes(9))
    return "boxes.npz"


def test_the_published_layout():
    widths = [tuple(p.shape[:2]) for p in SolidGenerator().parameters() if p.dim() == 5]
    assert widths == [(200, 512), (512, 256), (256, 128), (128, 64), (64, 1)]
    widths = [tuple(p.shape[:2]) for p in SolidDiscriminator().parameters() if p.dim() == 5]
    assert widths == [(64, 1), (128, 64), (256, 128), (512, 256), (1, 512)]
    kernels = [tuple(p.shape[:1]) + tuple(p.shape[2:]) for p in ViewEncoder(256, 64).parameters() if p.dim() == 4]
    assert kernels == [(64, 11, 11), (128, 5, 5), (256, 5, 5), (512, 5, 5), (400, 8, 8)]


def test_losses_are_those_of_their_distributions():
    mean, log_variance = torch.randn(3, 5), torch.randn(3, 5)
    Normal = torch.distributions.Normal
    normal, standard = Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(normal, standard).sum(1).mean()
    torch.testing.assert_close(kl_to_normal(mean, log_variance), expected)
    share, full = torch.rand(2, 1, 3, 3, 3) * 0.9 + 0.05, (torch.rand(2, 1, 3, 3, 3) > 0.5).float()
    each = torch.distributions.Bernoulli(share).log_prob(full)
    torch.testing.assert_close(entropy(2 * share - 1, 2 * full - 1), -each.sum() / 2)
    weighed = -(each * torch.where(full > 0, 3.0, 1.0)).sum() / 2
    torch.testing.assert_close(entropy(2 * share - 1, 2 * full - 1, 3.0), weighed)
    torch.testing.assert_close(squares(2 * share - 1, 2 * full - 1), (share - full).square().sum() / 2)


def test_a_step_is_written_out():
    """The textbook's step with its own optimisers ends in the same weights."""
    ours, by_hand = game(), game()
    real, picture = batch()
    torch.manual_seed(1)
    losses = ours.step(real, picture)
    torch.manual_seed(1)
    G, D, E = by_hand.G, by_hand.D, by_hand.E
    move_D = torch.optim.Adam(D.parameters(), TINY.lr_D, (0.5, 0.999))
    move_G = torch.optim.Adam([*G.parameters(), *E.parameters()], TINY.lr, (0.5, 0.999))
    z = torch.randn(4, 6)
    mean, log_variance = E(picture)
    made = G(torch.cat([z, mean + (log_variance / 2).exp() * torch.randn_like(mean)]))
    fake, rebuilt = made[:4], made[4:]
    of_real, of_fake = D(real), D(fake.detach())
    ones = torch.ones(4)
    loss_D = F.binary_cross_entropy_with_logits(of_real, ones) + F.binary_cross_entropy_with_logits(of_fake, 0 * ones)
    assert ((of_real > 0).sum() + (of_fake < 0).sum()) / 8 == losses["accuracy"] <= 0.8, "or D would not move"
    loss_D.backward()
    move_D.step()
    move_G.zero_grad()
    fooled = F.binary_cross_entropy_with_logits(D(fake), ones)
    kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum() / 4
    recon = ((rebuilt + 1) / 2 - (real + 1) / 2).square().sum() / 4
    (2.0 * fooled + 0.5 * kl + 0.25 * recon).backward()
    move_G.step()
    for name in ("G", "D", "E"):
        pairs = zip(getattr(ours, name).state_dict().items(), getattr(by_hand, name).state_dict().values(), strict=True)
        for (key, a), b in pairs:
            torch.testing.assert_close(a, b, msg=f"{name}.{key}")


@pytest.mark.parametrize(("offset", "moves"), [(0.0, 1), (50.0, 0)])
def test_a_discriminator_that_is_too_good_waits(offset, moves, monkeypatch):
    """Told apart by the mean of their cells, real and generated solids are all judged rightly."""
    played = game()

    def judge(solids):
        logits = played.D.model(solids).flatten()
        return logits + (offset * torch.where(solids.amax((1, 2, 3, 4)) == 1, 1.0, -1.0) if offset else 0)

    monkeypatch.setattr(played.D, "forward", judge)
    played.step(*batch())
    assert (played.players["D"].moves, played.players["G"].moves) == (moves, 1)


def test_a_step_runs_on_shapes_alone():
    played = game(device="meta")
    shapes = played.input_shapes(16, (1,))
    losses = played.step(*(torch.empty(4, *shape, device="meta") for shape in shapes))
    assert set(losses) == {"D", "accuracy", "G", "KL", "recon"} and losses["G"].is_meta
    alone = game(Gan3DConfig(width=8, latent=6, encoder=False, prior="uniform"), device="meta")
    losses = alone.step(*(torch.empty(4, *shape, device="meta") for shape in shapes))
    assert set(losses) == {"D", "accuracy", "G"} and set(alone.exports()) == {"G"}
    assert SolidGenerator(16, 8, 6, "uniform").latents(200).min() >= 0


def test_it_learns_boxes_from_their_pictures():
    """Of a height that only the picture tells: far better than the mean box."""
    torch.manual_seed(0)
    settings = {"lambda_adversarial": 0.01, "lambda_recon": 1e-2, "lambda_kl": 1e-4, "recon": "entropy"}
    learner = game(Gan3DConfig(width=16, latent=8, encoder_width=4, lr=3e-3, **settings))
    real, picture = batch(9)
    for _ in range(100):
        learner.step(real, picture)
    learner.G.eval(), learner.E.eval()
    with torch.no_grad():
        made = learner.G(learner.E(picture)[0]) > 0
    full = real > 0

    def iou(a, b):
        return ((a & b).flatten(1).sum(1) / (a | b).flatten(1).sum(1)).mean()

    mean = (full.float().mean(0, keepdim=True) > 0.5).expand_as(full)
    assert iou(made, full) > 0.5 + 0.5 * iou(mean, full)


def test_a_run_exports_generator_and_encoder(solids, tmp_path, capsys):
    run = tmp_path / "runs" / "g"
    assert train([solids, *FLAGS, "--steps", "3", "--name", "g"]) == 0
    assert [path.name for path in (run / "samples").iterdir()] == ["step_000003.png"]
    assert set(read_log(run)[-1]["losses"]) == {"D", "accuracy", "G", "KL", "recon"}
    assert checkpoint(run)["game"]["G"]["moves"] == 3
    G, E = (read_header(run / f"{part}.safetensors") for part in ("G", "E"))
    assert (G["kind"], G["inputs"], G["outputs"]) == ("generator", [6], [1, 16, 16, 16])
    assert (E["kind"], E["inputs"], E["outputs"]) == ("encoder", [1, 32, 32], [6])
    card = (run / "card.toml").read_text()
    assert "[G]" in card and "[E]" in card and 'domains = [\n    "boxes",\n]' in card
    capsys.readouterr()
    assert train([solids, *FLAGS, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out.rpartition("}")[0] + "}")["pictures"]["view"] == 32


def test_pictures_cells_and_surfaces_of_solids(solids, tmp_path, capsys):
    assert train([solids, *FLAGS, "--steps", "2", "--name", "g"]) == 0
    assert sample(["g", "-n", "4", "-o", "sheet.png"]) == 0
    assert Image.open("sheet.png").size[0] > 2 * 128
    Image.fromarray(render(boxes(5)[4], 200)).save("box.png")
    assert sample(["g", "--image", "box.png", "-o", "box.npz"]) == 0
    with np.load("box.npz") as found:
        assert found["solids"].dtype == bool and found["solids"].shape == (1, 16, 16, 16)
    generator = Generator.from_pretrained("g", "cpu")
    assert generator.makes_solids and len(generator(3, seed=1)) == 3
    capsys.readouterr()
    for flags, sentence in (
        (["--image", "none.png", "-o", "x.npz"], "there is no file none.png"),
        (["--image", "box.png", "-o", "folder"], "such as -o chair.glb"),
        (["-n", "0", "-o", "x.npz"], "must be at least 1"),
        (["-o", "x.stl"], "must end in"),
    ):
        assert sample(["g", *flags]) == 2
        said = capsys.readouterr().err.strip()
        assert sentence in said and len(said.splitlines()) == 1
    (tmp_path / "runs" / "g" / "E.safetensors").unlink()
    assert sample(["g", "--image", "box.png", "-o", "x.npz"]) == 2
    assert "holds no encoder" in capsys.readouterr().err
    assert sample(["tiny_slanted", "-o", "x.npz"]) == 2
    assert "makes pictures and no solids" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--size", "24"], "--size of solids must be 16, 32, 64 or 128"),
        (["--width", "1"], "--width must be at least 2"),
        (["--prior", "uniform"], "--no-encoder"),
        (["--balance", "0"], "--balance is a share"),
        (["--pose", "3", "--steps", "1"], "no solid's name ends in _3"),
        (["--eval-every", "1", "--steps", "1"], "leave out --eval-every"),
    ],
)
def test_mistakes_get_one_sentence(solids, capsys, flags, sentence):
    if "--eval-every" in flags:
        pytest.importorskip("timm", reason="extra: eval")
    if "--pose" in flags:
        np.savez("boxes.npz", solids=boxes(2))
    assert train([solids, *FLAGS, *flags]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and len(said.splitlines()) == 1
