"""Pairs: partners by name, one draw for both."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.data.augment import Augment
from cyclegan.data.config import PicturesConfig
from cyclegan.data.finding import find_images
from cyclegan.data.paired import Paired, by_stem
from cyclegan.data.reading import Reading
from cyclegan.data.source import SAMPLES
from cyclegan.system.errors import ImageError, UserError


def folder(path, names, size=(40, 40)):
    path.mkdir(parents=True)
    for seed, name in enumerate(names):
        noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(noise).save(path / name)
    return path


@pytest.fixture
def pairs(tmp_path):
    """Partners are the same noise, so that any difference of crop or mirror shows."""
    names = [f"{i}.png" for i in range(5)]
    folder(tmp_path / "trainA", names)
    folder(tmp_path / "trainB", names)
    return tmp_path


def test_both_pictures_of_a_pair_are_cropped_and_mirrored_alike_and_pairs_are_not(pairs):
    source = SAMPLES["paired"](str(pairs), None, PicturesConfig(size=32, load=40), Reading())
    samples = [source.samples.sample(k) for k in range(10)]
    assert all(torch.equal(a, b) for a, b in samples)
    first, second = ({tuple(a[0, 0, :4].tolist()) for a, _ in samples[part]} for part in (slice(0, 5), slice(5, 10)))
    assert len(first) == 5 and first != second, "each epoch has every pair once, cropped anew"


def test_both_pictures_of_a_pair_are_augmented_alike(pairs):
    config = PicturesConfig(size=40, color=0.4, affine=20.0)
    source = SAMPLES["paired"](str(pairs), None, config, Reading())
    batch = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8)
    a, b = source.augment(torch.device("cpu"))(batch, batch)
    assert torch.equal(a, b) and not torch.equal(a, Augment(config, torch.device("cpu"))(batch)[0])
    apart = Augment(config, torch.device("cpu"))(batch, batch)
    assert not torch.equal(*apart)


def test_partners_are_found_by_name_whatever_their_ending(tmp_path):
    A = find_images(folder(tmp_path / "A", ["2.png", "10.png", "x.png"]))
    B = find_images(folder(tmp_path / "B", ["x.webp", "10.jpg", "2.png"]))
    assert [(a.stem, b.stem) for a, b in zip(*by_stem(A, B), strict=True)] == [(s, s) for s in ("2", "10", "x")]


def test_a_missing_partner_is_named_on_each_side(tmp_path):
    A = find_images(folder(tmp_path / "A", ["1.png", "2.png"]))
    B = find_images(folder(tmp_path / "B", ["1.png", "3.png"]))
    with pytest.raises(UserError, match=r"A/2\.png has no partner and .*B/3\.png has no partner"):
        by_stem(A, B)


def test_partners_of_other_proportions_are_refused_where_nothing_stretches_them(tmp_path):
    A = find_images(folder(tmp_path / "A", ["1.png"], (40, 40)))
    B = find_images(folder(tmp_path / "B", ["1.png"], (80, 40)))
    with pytest.raises(ImageError, match="different proportions"):
        Paired(A, B, PicturesConfig(size=32, resize="fit")).sample(0)
    assert Paired(A, B, PicturesConfig(size=32)).sample(0)[1].shape == (3, 32, 32)


def test_a_damaged_picture_takes_its_partner_with_it(pairs):
    (pairs / "trainB" / "3.png").write_bytes((pairs / "trainB" / "3.png").read_bytes()[:400])
    A, B = (find_images(pairs / f"train{d}") for d in "AB")
    with pytest.raises(ImageError):
        [Paired(A, B, PicturesConfig(size=32)).sample(k) for k in range(5)]
    samples = [Paired(A, B, PicturesConfig(size=32), skip_bad=True).sample(k) for k in range(5)]
    assert all(torch.equal(a, b) for a, b in samples)


def test_the_names_of_cyclegans_maps_are_pairs():
    A, B = [Path("1_A.jpg"), Path("2_A.jpg")], [Path("2_B.jpg"), Path("1_B.jpg")]
    assert by_stem(A, B) == (A, B[::-1])


def test_two_pictures_of_one_name_are_refused():
    with pytest.raises(UserError, match=r"a/1\.png and b/1\.jpg bear one name"):
        by_stem([Path("a/1.png"), Path("b/1.jpg")], [Path("1.png")])
