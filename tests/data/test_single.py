"""Pictures of one domain: published files and folders, with and without classes."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from cyclegan.data.config import ImagesConfig
from cyclegan.data.datasets import locate
from cyclegan.data.reading import Reading
from cyclegan.data.source import images
from cyclegan.system.errors import UserError


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def digits(tmp_path):
    """Six training digits and two for testing, in MNIST's files; every pixel holds 10 × its label, in tests + 1."""
    folder = tmp_path / "digits" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for part, count, more in (("train", 6, 0), ("t10k", 2, 1)):
        labels = np.arange(count, dtype=np.uint8) % 3
        pixels = np.broadcast_to(10 * labels[:, None, None] + more, (count, 28, 28)).astype(np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(pixels))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder


def levels(source):
    return sorted({int(source.samples.sample(k)[0].float().mean()) for k in range(len(source.samples))})


@pytest.mark.parametrize("up", [0, 1])
def test_mnist_is_read_from_its_files_plain_or_packed(digits, up):
    source = images("mnist", digits.parents[up], ImagesConfig(size=28), Reading())
    assert (source.name, source.domains, source.channels) == ("mnist", ("digit",), (1,))
    assert levels(source) == [0, 10, 20] and len(source.samples) == 6
    (fixed,) = source.fixed(4, "fit")
    assert fixed.shape == (2, 1, 28, 28) and fixed.unique().tolist() == [1, 11], "the test part"


def test_a_class_is_chosen_by_its_label_and_names_the_run(digits):
    source = images("mnist", digits, ImagesConfig(size=32, category="2"), Reading())
    assert levels(source) == [20] and (source.name, source.domains) == ("mnist_2", ("2",))
    assert source.samples.sample(0)[0].shape == (1, 32, 32)


def paint(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (level,) * 3).save(path)


@pytest.fixture
def classes(tmp_path):
    for split, name, level in (("train", "cat", 10), ("train", "dog", 20), ("test", "cat", 30)):
        paint(tmp_path / "pets" / split / name / "a.png", level)
    return tmp_path / "pets"


def test_a_folder_of_classes_keeps_its_test_pictures_for_looking_at(classes):
    source = images(str(classes), None, ImagesConfig(size=16), Reading())
    assert levels(source) == [10, 20] and source.fixed(9, "fit")[0].unique().tolist() == [30]
    dogs = images(str(classes), None, ImagesConfig(size=16, category="dog"), Reading())
    assert levels(dogs) == [20] and dogs.fixed(9, "fit")[0].unique().tolist() == [20], "no dog is left for testing"


def test_a_wrapped_folder_is_entered_and_a_single_class_is_none(classes, tmp_path):
    source = images(str(tmp_path), None, ImagesConfig(size=16, category="dog"), Reading())
    assert levels(source) == [20]
    paint(tmp_path / "one" / "bird" / "a.png", 70)
    one = images(str(tmp_path / "one"), None, ImagesConfig(size=16, category="bird"), Reading())
    assert levels(one) == [70]
    paint(tmp_path / "one" / "b.png", 90)
    assert levels(images(str(tmp_path / "one"), None, ImagesConfig(size=16), Reading())) == [70, 90]


def test_pictures_of_a_card_may_lie_in_folders_of_classes(classes):
    source = images("cifar10", classes, ImagesConfig(size=16, category="cat"), Reading())
    assert levels(source) == [10] and source.name == "cifar10_cat"


def test_a_pair_of_domains_gives_two_classes(squares):
    name = "A"
    red = images(str(squares), None, ImagesConfig(size=16, category=name), Reading())
    assert len(red.samples) == 6 and len(red.fixed(9, "fit")[0]) == 2


def test_a_grey_folder_says_so_on_its_card(classes):
    (classes / "card.toml").write_text('domains = ["pet"]\nchannels = [1]\n')
    source = images(str(classes), None, ImagesConfig(size=16), Reading())
    assert (source.domains, source.channels) == (("pet",), (1,)) and source.samples.sample(0)[0].shape[0] == 1


@pytest.mark.parametrize(
    ("name", "data", "category", "sentence"),
    [
        ("mnist", "digits", "7", "mnist_7 has no pictures"),
        ("mnist", "digits", "horse", "has no class 'horse'"),
        ("./pets", None, "cow", "has no class 'cow': it has cat, dog"),
        ("./squares", None, None, "two kinds of pictures: choose --class A or --class B"),
        ("mnist", "empty", None, "empty holds no pictures"),
        ("mnist", "absent", None, "there is no file or folder absent"),
        ("./absent", None, None, "there is no folder"),
        ("mnst", None, None, "did you mean mnist"),
    ],
)
def test_mistakes_get_one_sentence(name, data, category, sentence, digits, classes, squares, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=sentence) as caught:
        images(name, data, ImagesConfig(size=28, category=category), Reading())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [lambda raw: raw[:-5], lambda raw: b"hello", lambda raw: b""])
def test_damaged_files_are_named(digits, damage):
    path = digits / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="train-images-idx3-ubyte is cut off or no idx file"):
        images("mnist", digits, ImagesConfig(size=28), Reading())


def test_batches_that_are_not_cifars_are_not_opened(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(b"no pickle")
    with pytest.raises(UserError, match="not complete, or not CIFAR-10"):
        images("cifar10", tmp_path, ImagesConfig(size=32), Reading())


def test_a_set_of_one_domain_has_no_pair_for_translators():
    with pytest.raises(UserError, match=r"mnist is a set of pictures without a second domain.*--model"):
        locate("mnist")
