"""Colours on request: what the palette does in CycleGAN's step, and that a small one learns to obey."""

import pytest
import torch
from coloured_squares import COLOURS, GREY, assert_obeys, square

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig
from cyclegan.models.losses import cycle_loss
from cyclegan.models.memory import PaletteMemory
from cyclegan.networks.palette import palette_of
from cyclegan.system.errors import UserError

SMALL = {"generator": "mobile", "width": 4, "width_D": 4, "blocks": 1}


def pictures(count=1, size=32, channels=3):
    return torch.rand(count, channels, size, size) * 2 - 1


def test_without_a_palette_nothing_is_there_of_it():
    model = CycleGAN(CycleGANConfig(**SMALL), size=32)
    losses = model.step(pictures(), pictures())
    assert not [name for name in (*losses, *model.local_state()) if "palette" in name]
    assert all("palettes" not in header and "palette" not in header["architecture"]
               for _, header in model.exports().values())  # fmt: skip


@pytest.mark.parametrize(("chosen", "generators"), [("A", {"G_BA"}), ("B", {"G_AB"}), ("both", {"G_AB", "G_BA"})])
def test_the_palette_loss_moves_the_generators_whose_colours_are_chosen(chosen, generators):
    model = CycleGAN(CycleGANConfig(**SMALL, palette=chosen), size=32)
    _, losses = model._generators_turn(pictures(), pictures())
    parameters = list(model.players["G"].networks.items())
    for domain, name in (("A", "G_BA"), ("B", "G_AB")):
        if name not in generators:
            assert f"palette_{domain}" not in losses
            continue
        for other, network in parameters:
            slopes = torch.autograd.grad(
                losses[f"palette_{domain}"], list(network.parameters()), allow_unused=True, retain_graph=True
            )
            assert any(s is not None and bool(s.any()) for s in slopes) == (other == name)
    model.step(pictures(), pictures())
    with_palettes = {name for name, (_, header) in model.exports().items() if "palettes" in header}
    assert with_palettes == generators


def test_ways_back_and_identities_get_the_palette_of_their_own_picture(monkeypatch):
    model = CycleGAN(CycleGANConfig(**SMALL, palette="B"), size=32)
    asked = []
    forward = model.G_AB.forward

    def listening(x, palette):
        asked.append((len(x), palette))
        return forward(x, palette)

    monkeypatch.setattr(model.G_AB, "forward", listening)
    real_B = pictures()
    model.step(pictures(), real_B)
    (count, first), (_, back) = asked
    own = palette_of(real_B)
    assert count == 2
    torch.testing.assert_close(first, torch.cat([own, own]))
    torch.testing.assert_close(back, own)


def test_luminance_alone_lets_colours_go():
    grey, red = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    red[:, 0], red[:, 1:] = 0.5, -0.5 * 0.299 / 0.701  # as bright as grey
    assert cycle_loss(red, grey, chroma=0.0) < 1e-6
    torch.testing.assert_close(cycle_loss(red, grey, chroma=0.5), cycle_loss(red, grey) / 2)


def test_a_grey_domain_has_no_colours_to_choose():
    with pytest.raises(UserError, match="grey"):
        CycleGAN(CycleGANConfig(**SMALL, palette="B"), size=32, channels=(3, 1))


def test_the_memory_gives_every_palette_the_same_chance_and_goes_on_as_it_was():
    kept = torch.zeros(40)
    for seed in range(300):
        memory = PaletteMemory(capacity=10, seed=seed)
        memory.add(torch.nn.functional.pad(torch.arange(40.0)[:, None], (0, 26)))
        kept[[int(p[0]) for p in memory.palettes]] += 1
    assert (kept / 300 - 0.25).abs().max() < 0.1
    copy = PaletteMemory(capacity=10)
    copy.load_state_dict(memory.state_dict())
    for one in (memory, copy):
        one.add(torch.rand(20, 27, generator=torch.Generator().manual_seed(1)))
    assert torch.equal(torch.stack(memory.palettes), torch.stack(copy.palettes))


def test_preview_shows_the_colours_of_every_real_picture():
    model = CycleGAN(CycleGANConfig(**SMALL, palette="B"), size=32, domains=("line", "emoji"))
    blocks = model.preview(pictures(2), pictures(3))
    assert {title: (len(rows), len(rows[0])) for title, rows in blocks.items()} == {
        "line → emoji → line": (2, 3), "line → emoji, other colours": (2, 3), "emoji → line → emoji": (3, 3),
    }  # fmt: skip


def test_learns_to_paint_the_colour_that_is_asked_for():
    """Grey squares become red, green or blue ones, as the palette says."""
    config = CycleGANConfig(generator="mobile", width=8, blocks=1, residual=2.0, discriminator="pixel", lr=2e-3,
                            palette="B", back_translation="B", lambda_identity=1.0, ema=0.95)  # fmt: skip
    model = CycleGAN(config, size=32)
    places = torch.randint(0, 16, (150, 4)).tolist()
    for (ya, xa, yb, xb), colour in zip(places, 50 * list(COLOURS.values()), strict=True):
        model.step(square(GREY, ya, xa), square(colour, yb, xb))
    assert_obeys(model.players["G"].best("G_AB").eval())
