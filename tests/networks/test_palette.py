"""Palettes of pictures with known colours, and generators that begin as if there were no palette."""

import pytest
import torch
from PIL import ImageColor

from cyclegan.networks.build import build_generator
from cyclegan.networks.layers import initialise
from cyclegan.networks.palette import (
    BLACK,
    COLOURS,
    HUES,
    WHITE,
    palette_distance,
    palette_loss,
    palette_of,
    spread_out,
    with_outlines,
)


def square(colour, y=4, x=4, size=32, side=16):
    """A square of a named colour on white paper, (1, 3, size, size) in [-1, 1]."""
    picture = torch.ones(1, 3, size, size)
    rgb = torch.tensor(ImageColor.getrgb(colour), dtype=torch.float32)
    picture[..., y : y + side, x : x + side] = rgb.view(3, 1, 1) / 127.5 - 1
    return picture


@pytest.mark.parametrize(("colour", "hue"), [("red", 0), ("yellow", 2), ("lime", 4), ("cyan", 6), ("blue", 8)])
def test_a_coloured_square_is_of_its_hue_dark_and_light_alike(colour, hue):
    palette = palette_of(square(colour))[0]
    assert palette[hue] > 0.4 and palette[HUES + hue] > 0.4
    torch.testing.assert_close(palette.sum(), torch.tensor(1.0))


@pytest.mark.parametrize(("colour", "place"), [("black", BLACK), ("grey", BLACK + 1), ("white", WHITE)])
def test_black_grey_and_white_have_places_of_their_own(colour, place):
    assert palette_of(square(colour))[0, place] > 0.9


def test_dark_and_light_tones_of_a_hue_differ():
    maroon, pink = palette_of(torch.cat([square("maroon"), square("pink")]))
    assert maroon[0] > 2 * maroon[HUES] and pink[HUES] > 2 * pink[0]


def test_the_place_and_the_size_of_the_paper_do_not_matter():
    here, there = palette_of(torch.cat([square("orange"), square("orange", 15, 9)]))
    torch.testing.assert_close(here, there)
    wide = palette_of(square("orange", size=64, side=32))[0]
    torch.testing.assert_close(here, wide)


def test_grey_pictures_have_palettes_too():
    assert palette_of(torch.full((1, 1, 8, 8), -1.0))[0, BLACK] > 0.9


@pytest.mark.parametrize(
    ("colour", "wanted", "channel"), [("gold", "red", 1), ("saddlebrown", "gold", 1), ("blue", "cyan", 1)]
)
def test_the_palette_loss_leads_to_the_wanted_colour(colour, wanted, channel):
    """Descent turns gold to red by less green, brown to gold by more green, and blue to cyan by more green."""
    target = palette_of(square(wanted))
    picture = square(colour).requires_grad_()
    palette_loss(palette_of(picture), target).backward()
    assert picture.grad.isfinite().all()
    slope = picture.grad[0, channel, 4:20, 4:20].mean()
    assert slope < 0 if wanted in ("cyan", "gold") else slope > 0
    assert palette_loss(target, target) == 0


def test_black_is_added_where_it_is_lacking_only():
    red = palette_of(square("red"))[0]
    outlined = with_outlines(red, 0.3)
    torch.testing.assert_close(outlined[BLACK], torch.tensor(0.3))
    torch.testing.assert_close(outlined.sum(), torch.tensor(1.0))
    assert with_outlines(outlined, 0.2) is outlined


def test_palettes_are_put_far_from_those_before():
    few = palette_of(torch.cat([square(c) for c in ("red", "red", "blue", "red", "lime")]))
    ordered = spread_out(few)
    assert palette_distance(ordered[:1], few[:1]) == 0  # red is the most typical
    assert palette_distance(ordered[:2], ordered[1:3]).min() > 0.9


ARCHITECTURES = [
    {"name": "resnet", "width": 4, "blocks": 2},
    {"name": "mobile", "width": 4, "blocks": 2, "residual": 2.0},
    {"name": "unet", "width": 4, "levels": 5},
]


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a["name"])
def test_a_new_palette_has_no_effect_and_the_weights_are_those_without(architecture):
    networks = []
    for asked in (architecture, architecture | {"palette": COLOURS}):
        torch.manual_seed(0)
        network = build_generator(asked)
        initialise(network)
        if "residual" in asked:  # which would hide everything behind a last layer of zeros
            torch.nn.init.normal_([p for n, p in network.named_parameters() if n.endswith("weight")][-1], 0, 0.1)
        networks.append(network)
    plain, coloured = networks
    pictures, palettes = torch.rand(2, 3, 32, 32) * 2 - 1, palette_of(torch.rand(2, 3, 8, 8) * 2 - 1)
    torch.testing.assert_close(coloured(pictures, palettes), plain(pictures))
    torch.testing.assert_close(coloured.eval()(pictures, palettes), plain.eval()(pictures))
    state = coloured.state_dict()
    assert all(torch.equal(state[f"network.{key}"], value) for key, value in plain.state_dict().items())


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a["name"])
def test_every_picture_follows_its_own_palette(architecture):
    network = initialise(build_generator(architecture | {"palette": COLOURS}))
    for name, parameter in network.named_parameters():
        torch.nn.init.normal_(parameter, 0, 0.5 if name.endswith("film") else 0.1)
    pictures, palettes = torch.rand(2, 3, 32, 32) * 2 - 1, torch.eye(COLOURS)[:2]
    together = network(pictures, palettes)
    for i in range(2):
        alone = network(pictures[i : i + 1], palettes[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-3, rtol=0)
        fixed = network.with_palette(palettes[i])
        torch.testing.assert_close(fixed(pictures[i : i + 1]), alone, atol=1e-3, rtol=0)
        plain = build_generator(architecture | {"norm": "instance_affine"})
        plain.load_state_dict(fixed.state_dict())
    assert (network(pictures, palettes.flip(0)) - together).abs().max() > 0.01
