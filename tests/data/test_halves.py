"""Pictures that show A and B side by side: read as two, found in the layouts of pix2pix, refused where they are odd."""

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.data.config import PicturesConfig
from cyclegan.data.datasets import locate
from cyclegan.data.halves import LeftHalf, RightHalf, halves
from cyclegan.data.images import read_image
from cyclegan.data.reading import Reading
from cyclegan.data.source import SAMPLES
from cyclegan.system.errors import ImageError, UserError


def side_by_side(folder, count=5, width=40, seed=0, mode="RGB"):
    """A on the left; B is its negative."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for i in range(count):
        a = random.integers(0, 256, (40, width, 3), np.uint8)
        Image.fromarray(np.concatenate([a, 255 - a], 1)).convert(mode).save(folder / f"{i}.png")
    return folder


def opened(folder, **settings):
    return SAMPLES["paired"](str(folder), None, PicturesConfig(size=32, load=36, **settings), Reading())


def test_a_half_is_a_path_to_one_picture(tmp_path):
    path = side_by_side(tmp_path / "ab") / "0.png"
    left, right = LeftHalf(path), RightHalf(path)
    assert (left.stem, str(left), left.stat()) == (path.stem, str(path), path.stat())
    assert left != right and left != path and left == LeftHalf(path) and len({left, right, LeftHalf(path)}) == 2
    whole = read_image(path)
    assert np.array_equal(read_image(left), whole[:, :40]) and np.array_equal(read_image(right), whole[:, 40:])
    grey = side_by_side(tmp_path / "grey", mode="L") / "0.png"
    assert read_image(RightHalf(grey), 1).shape == (40, 40, 1)


def test_halves_of_16_bits_keep_the_span_of_the_whole(tmp_path):
    values = np.arange(40 * 80, dtype=np.uint16).reshape(40, 80)
    Image.fromarray(values).save(tmp_path / "deep.png")
    span = (0.0, 3199.0)
    whole = read_image(tmp_path / "deep.png", 1, span)
    parts = [read_image(half(tmp_path / "deep.png"), 1, span) for half in (LeftHalf, RightHalf)]
    assert np.array_equal(np.concatenate(parts, 1), whole)


@pytest.mark.parametrize(
    ("folders", "tests"),
    [(["train", "val", "test"], "test"), (["train", "val"], "val"), (["train"], None), ([""], None)],
)
def test_the_layouts_of_the_published_archives(tmp_path, folders, tests):
    for seed, name in enumerate(folders):
        side_by_side(tmp_path / "edges2shoes" / name, seed=seed)
    found = locate(tmp_path / "edges2shoes", side_by_side=True)
    assert found.domains == ("edges", "shoes") and found.side_by_side
    assert found.training() == halves([tmp_path / "edges2shoes" / folders[0] / f"{i}.png" for i in range(5)])
    assert [len(side) for side in found.test()] == ([5, 5] if tests else [0, 0])
    if tests:
        assert {path.parent.name for side in found.test() for path in side} == {tests}
        assert [(a.name, b.name) for a, b in found.test_pairs()] == [(f"{i}.png",) * 2 for i in range(5)]


def test_folders_a_domain_stay_what_they_are(squares):
    found = locate(squares, side_by_side=True)
    assert not found.side_by_side and found == locate(squares)


def test_both_halves_are_cropped_mirrored_and_coloured_alike(tmp_path):
    side_by_side(tmp_path / "ab" / "train")
    source = opened(tmp_path / "ab", affine=10.0, color=0.3)
    seen = set()
    for k in range(10):
        a, b = source.samples.sample(k)
        assert (a.int() + b.int() - 255).abs().max() <= 3, "both resized by themselves, each rounds"
        seen.add(a.numpy().tobytes())
    assert len(seen) == 10
    fixed_A, fixed_B = source.fixed(4, "stretch")
    assert fixed_A.shape == (4, 3, 32, 32) and (fixed_A.int() + fixed_B.int() - 255).abs().max() <= 3
    assert source.described == "5 pictures of A, 5 of B" and source.split == "test"


def test_odd_widths_are_refused_in_one_sentence_or_left_out(tmp_path):
    side_by_side(tmp_path / "ab" / "train")
    Image.new("RGB", (81, 40)).save(tmp_path / "ab" / "train" / "3.png")
    with pytest.raises(ImageError, match=r"3\.png is 81 pixels wide, an odd number, so A and B cannot be"):
        opened(tmp_path / "ab")
    said = []
    reading = Reading(skip_bad=True, say=said.append)
    source = SAMPLES["paired"](str(tmp_path / "ab"), None, PicturesConfig(size=32), reading)
    assert len(source.samples) == 4 and len(said) == 1 and "3.png cannot be read and is left out" in said[0]


def test_models_without_pairs_say_what_to_do_with_them(tmp_path):
    side_by_side(tmp_path / "ab" / "train")
    with pytest.raises(UserError, match=r"side by side, --model pix2pix takes it as it is, .* cut it in halves first"):
        SAMPLES["unpaired"](str(tmp_path / "ab"), None, PicturesConfig(size=32), Reading())


def test_one_damaged_picture_takes_its_partner_out(tmp_path):
    for name in ("trainA", "trainB"):
        side_by_side(tmp_path / "pairs" / name)
    (tmp_path / "pairs" / "trainB" / "2.png").write_bytes(b"no picture")
    reading = Reading(skip_bad=True, say=lambda line: None)
    source = SAMPLES["paired"](str(tmp_path / "pairs"), None, PicturesConfig(size=32), reading)
    assert len(source.samples) == 4
    assert all(torch.equal(*source.samples.sample(k)) for k in range(4)), "the others are still paired"
