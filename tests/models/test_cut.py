"""CUT's step is the published one: against a textbook version, and piece by piece."""

import pytest
import torch
from textbook_cut import TextbookCUT, copies

from cyclegan.models.cut import CUT, CUTConfig
from cyclegan.models.losses import patch_nce
from cyclegan.models.schedules import schedule
from cyclegan.networks.antialias import BlurDown, BlurUp
from cyclegan.networks.build import build_generator
from cyclegan.networks.layers import parameter_count
from cyclegan.system.errors import UserError
from cyclegan.train.recipes import parse
from cyclegan.translate.translator import Translator

SMALL = {"width": 4, "width_D": 8, "blocks": 5, "patches": 8}
FAST = {"lambda_nce": 10.0, "nce_identity": False, "flip_equivariance": True}


def pictures(count=1, size=32, channels=3):
    return torch.rand(count, channels, size, size) * 2 - 1


@pytest.mark.parametrize("variant", [{}, FAST], ids=["cut", "fastcut"])
@pytest.mark.parametrize("batch", [1, 2])
def test_ten_steps_equal_the_textbook(variant, batch):
    torch.set_default_dtype(torch.float64)
    try:
        model = CUT(CUTConfig(**SMALL, **variant, ema=0), size=32)
        flags = {"lambda_nce": 10.0, "identity": False, "flip": True} if variant else {}
        textbook = TextbookCUT(*copies(model), patches=SMALL["patches"], **flags)
        for step in range(10 // batch):
            real_A, real_B = pictures(batch), pictures(batch)
            torch.manual_seed(step)
            ours = model.step(real_A, real_B)
            torch.manual_seed(step)
            theirs = textbook.step(real_A, real_B)
            assert ours.keys() == theirs.keys()
            for name, value in theirs.items():
                torch.testing.assert_close(ours[name], value.detach(), rtol=1e-6, atol=1e-8, msg=name)
        for mine, other in ((model.G_AB, textbook.G), (model.D_B, textbook.D), (model.F.heads, textbook.heads)):
            for a, b in zip(mine.parameters(), other.parameters(), strict=True):
                # A bias before a norm has no gradient but rounding, which Adam's eps of 1e-8 does not quite hide.
                torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_published_networks_have_their_layers_and_numbers_of_weights():
    """The filters count: convolutions 1, 4, 8, blocks from 12, convolutions 22, 26, 30; heads of 560,384 weights."""
    model = CUT(device="meta")
    keys = model.G_AB.state_dict().keys()
    assert {k.split(".")[1] for k in keys if k.endswith(".filt")} == {"7", "11", "21", "25"}
    assert {f"model.{i}.weight" for i in (1, 4, 8, 22, 26, 30)} <= keys
    assert "model.12.conv_block.1.weight" in keys and "model.20.conv_block.5.weight" in keys
    assert parameter_count(model.G_AB) == 11_378_179 and parameter_count(model.D_B) == 2_764_737
    assert parameter_count(model.F) == 560_384


def test_patch_nce_by_hand():
    """Two patches: -log of e^(q·k⁺/τ) over it, the other and e^(-10/τ)."""
    query = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    key = torch.tensor([[[0.6, 0.8], [0.8, 0.6]]])
    expected = torch.log(torch.exp(torch.tensor(0.6 / 0.5)) + torch.exp(torch.tensor(0.8 / 0.5)) + torch.exp(
        torch.tensor(-20.0))) - 0.6 / 0.5  # fmt: skip
    torch.testing.assert_close(patch_nce(query, key, 0.5), expected.expand(1, 2))
    key.requires_grad_()
    query.requires_grad_()
    patch_nce(query, key).sum().backward()
    assert key.grad is None and query.grad.any()


def test_filters_keep_what_is_flat_and_halve_and_double():
    flat = torch.full((1, 2, 6, 8), 0.7)
    assert torch.allclose(BlurDown(2)(flat), torch.full((1, 2, 3, 4), 0.7))
    assert torch.allclose(BlurUp(2)(flat), torch.full((1, 2, 12, 16), 0.7))
    checks = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    down = BlurDown(1)(checks[None, None])
    assert down.abs().max() < 1e-6, "the finest pattern vanishes instead of becoming a false one"


def test_the_same_layers_are_compared_with_and_without_filters():
    """The picture, both downward convolutions, and residual blocks 1 and 5."""
    picture = pictures()
    for antialias in (True, False):
        config = CUTConfig(**SMALL, antialias=antialias)
        network = build_generator(config.architecture(3, 3))
        maps = network.encode(picture, config.nce_layers)
        sides = [32 if antialias else 16, 16 if antialias else 8]
        assert [tuple(x.shape[1:]) for x in maps[:3]] == [(3, 38, 38), (8, *[sides[0]] * 2), (16, *[sides[1]] * 2)]
        assert [tuple(x.shape[1:]) for x in maps[3:]] == [(16, 8, 8)] * 2
        kinds = [type(network.model[i]).__name__ for i in config.nce_layers]
        assert kinds == ["ReflectionPad2d", "Conv2d", "Conv2d", "ResNetBlock", "ResNetBlock"]


def test_features_of_a_mirrored_translation_are_mirrored_back(monkeypatch):
    """Looking at the picture alone, a mirrored copy has its patches where the picture has them, once mirrored back."""
    monkeypatch.setattr(CUTConfig, "nce_layers", (0,))
    model = CUT(CUTConfig(**SMALL, **FAST), size=32)
    real = pictures()
    losses = []
    for made, flipped in ((real, False), (real.flip(3), True), (real.flip(3), False)):
        torch.manual_seed(0)
        losses.append(model._nce(real, made, flipped).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4) and losses[2] > losses[1] + 0.5


def test_only_the_generator_is_averaged_and_exported():
    model = CUT(CUTConfig(**SMALL), size=32)
    assert list(model.players["G"].averages) == ["G_AB"]
    assert list(model.exports()) == ["G_AB"]
    rows = model.preview(pictures(2), pictures(2))
    assert list(rows) == ["A → B", "B → B"] and model.G_AB.training


@pytest.mark.parametrize("config", [CUTConfig(), CUTConfig(**FAST), CUTConfig(generator="mobile", residual=2.0)])
def test_the_step_runs_on_the_meta_device(config):
    model = CUT(config, size=64, device="meta")
    batch = torch.empty(1, 3, 64, 64, device="meta")
    assert all(value.device.type == "meta" for value in model.step(batch, batch).values())


def test_domains_of_different_channels_are_refused_with_a_way_out():
    with pytest.raises(UserError, match=r"same number of channels, not 1 and 3: .*channels = \[3, 3\]"):
        CUT(CUTConfig(**SMALL), size=32, channels=(1, 3))


def test_large_pictures_go_through_its_filters_in_parts():
    torch.manual_seed(0)
    architecture = CUTConfig(**SMALL).architecture(3, 3)
    header = {"architecture": architecture, "domains": ["a", "b"], "size": 32, "preprocessing": {"channels": [3, 3]}}
    translator = Translator(build_generator(architecture), header, "cpu")
    picture = pictures(size=200)[0]
    whole, parts = translator(picture, tile=0), translator(picture, tile=48)
    assert (whole - parts).abs().mean() < 0.002 and parts.shape == whole.shape


def test_the_schedule_of_fastcut_holds_for_three_quarters():
    assert [schedule(p, 0.75) for p in (0, 0.5, 0.75, 0.875)] == [1, 1, 1, 0.5]


def test_recipes_choose_the_model():
    fast = parse(["photos", "--recipe", "fastcut"], lambda config: {})
    assert fast.algorithm == "cut" and fast.model.lambda_nce == 10 and fast.training.epochs == 200
    paper = parse(["photos", "--model", "cut"], lambda config: {})
    assert paper.recipe == "paper" and paper.training.epochs == 400 and paper.model.antialias


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (CUTConfig(blocks=3), "--blocks must be at least 5"),
        (CUTConfig(patches=1), "--patches must be at least 2"),
        (CUTConfig(constant=1.0), "--constant is a share"),
    ],
)
def test_settings_that_cannot_be_meant(config, sentence):
    with pytest.raises(UserError, match=sentence):
        config.check()
