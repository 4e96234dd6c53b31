"""Masks beside training pictures: found by name, and cropped, mirrored, shrunk and turned as the picture is."""

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.data.augment import Augment
from cyclegan.data.config import PicturesConfig
from cyclegan.data.masks import masks_in
from cyclegan.data.reading import Reading
from cyclegan.data.source import SAMPLES
from cyclegan.system.errors import UserError


def blob(seed):
    """White places on black, 48 × 64."""
    small = np.random.default_rng(seed).random((6, 8)) > 0.6
    return Image.fromarray(np.kron(small, np.full((8, 8), 255, np.uint8)))


def photo_of(mask, seed):
    """A picture whose red shows where its mask is."""
    noise = np.random.default_rng(seed).integers(0, 255, (48, 64, 2), np.uint8)
    return Image.fromarray(np.dstack([np.array(mask), noise]))


@pytest.fixture
def photos(tmp_path):
    for side in ("horse", "horse_mask", "zebra"):
        (tmp_path / side).mkdir()
    for i in range(3):
        photo_of(blob(i), i).save(tmp_path / "horse" / f"p_{i}.png")
        blob(i).save(tmp_path / "horse_mask" / f"p_{i}.png")
        photo_of(blob(i), i).save(tmp_path / "zebra" / f"{i}.png")
    return tmp_path


def opened(folder, said=None, kind="unpaired", masks=True, **settings):
    say = (lambda line: None) if said is None else said.append
    return SAMPLES[kind](str(folder), None, PicturesConfig(size=32, **settings), Reading(masks=masks, say=say))


@pytest.mark.parametrize("settings", [{"resize": "fit", "affine": 15.0}, {"zoom": 1.4, "color": 0.2}])
def test_a_mask_goes_where_its_picture_goes(photos, settings):
    source = opened(photos, **settings)
    assert source.domains == ("horse", "zebra")
    parts = [torch.stack(part) for part in zip(*(source.samples.sample(k) for k in range(12)), strict=True)]
    assert [tuple(part.shape) for part in parts] == [(12, 3, 32, 32)] * 2 + [(12, 1, 32, 32)] * 2
    assert torch.equal(parts[0][:, :1], parts[2]) and len({bytes(mask.numpy()) for mask in parts[2]}) > 6
    assert (parts[3] == 255).all(), "a picture without a mask may change everywhere"
    config = PicturesConfig(size=32, affine=settings.get("affine", 0.0))
    real_A, _, mask_A, mask_B = Augment(config, torch.device("cpu"), masked=True)(*parts)
    torch.testing.assert_close((real_A[:, :1] + 1) / 2, mask_A)
    assert mask_B.min() > 0.99 and mask_A.min() >= 0 and mask_A.max() <= 1


def test_several_masks_count_as_one(photos):
    left, right = np.zeros((2, 48, 64), bool)
    left[:, :20] = right[:, 44:] = True
    (photos / "horse_mask" / "p_1.png").unlink()
    (photos / "horse_mask" / "p_2").mkdir()
    for i, part in enumerate((left, right)):
        Image.fromarray(part).save(photos / "horse_mask" / f"p_1_{i}.png")
        Image.fromarray(part).save(photos / "horse_mask" / "p_2" / f"{i}.png")
    found = masks_in(photos / "horse_mask", {"p_0", "p_1", "p_2", "p"})
    assert {name: len(masks) for name, masks in found.items()} == {"p_0": 1, "p_1": 2, "p_2": 3}
    said = []
    decoder = opened(photos, said).samples.decoders[0]
    assert "Masks: 3 of 3 pictures of horse." in said and any("Masks: no picture of zebra" in line for line in said)
    white = decoder(photos / "horse" / "p_1.png")[:, :, 3] == 255
    assert white[:, :10].all() and white[:, -10:].all() and not white[:, 14:22].any()


def test_masks_that_cannot_be_used_are_said(photos):
    said = []
    assert len(opened(photos, said, masks=False).samples.sample(0)) == 2
    assert any("this model takes none" in line for line in said)
    for side in ("zebra", "horse_mask"):
        for i, path in enumerate(sorted((photos / side).iterdir())):
            path.rename(path.with_name(f"p_{i}.png"))
    said.clear()
    assert len(opened(photos, said, "paired", masks=False).samples.sample(0)) == 2
    assert any("with pairs the true picture says what is to change" in line for line in said)
    Image.new("L", (40, 40)).save(photos / "horse_mask" / "p_1.png")
    with pytest.raises(UserError, match=r"p_1.png: the mask is 40 × 40 pixels and its picture 64 × 48"):
        opened(photos)
    for path in (photos / "horse_mask").iterdir():
        path.rename(path.with_name(f"other_{path.name}"))
    with pytest.raises(UserError, match=r"holds no mask of a picture in horse/: that of p_0 is called p_0.png"):
        opened(photos)


@pytest.mark.parametrize("resize", ["stretch", "fit"])
def test_the_pictures_of_samples_and_evaluations_have_masks_too(photos, resize):
    """Those of training stand in where there are none for the test."""
    source = opened(photos, resize=resize)
    (horses, _), (masks, white) = source.fixed(2, resize), source.fixed_masks(2, resize)
    assert torch.equal(horses[:, :1], masks) and (white == 255).all() and masks.min() == 0
    assert opened(photos, masks=False).fixed_masks(2, resize) == ()
    for kind in ("horse", "horse_mask", "zebra"):
        split = "train_mask" if kind == "horse_mask" else "train"
        (photos / kind).rename(photos / "moved")
        (photos / kind.removesuffix("_mask")).mkdir(exist_ok=True)
        (photos / "moved").rename(photos / kind.removesuffix("_mask") / split)
    (photos / "horse" / "test").mkdir()
    photo_of(blob(7), 7).save(photos / "horse" / "test" / "late.png")
    assert opened(photos, resize=resize).fixed_masks(2, resize) == (), "test pictures without masks"
    (photos / "horse" / "test_mask").mkdir()
    blob(7).save(photos / "horse" / "test_mask" / "late.png")
    source = opened(photos, resize=resize)
    assert torch.equal(source.fixed(2, resize)[0][:, :1], source.fixed_masks(2, resize)[0])
