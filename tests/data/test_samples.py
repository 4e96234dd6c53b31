"""Order, decoding, caching and reading ahead."""

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.data.batches import batches
from cyclegan.data.check import check_heads
from cyclegan.data.config import PicturesConfig
from cyclegan.data.finding import find_images
from cyclegan.data.samples import Unpaired, fixed_pictures
from cyclegan.system.errors import ImageError


@pytest.fixture
def files(squares):
    return find_images(squares / "trainA"), find_images(squares / "trainB")


def marked(folder, count):
    """Pictures whose grey value is their number, so that the order shows."""
    folder.mkdir()
    for i in range(count):
        Image.new("L", (32, 32), i).save(folder / f"{i:03d}.png")
    return find_images(folder)


def numbers(dataset, ks):
    return [tuple(int(part[0, 0, 0]) for part in dataset.sample(k)) for k in ks]


SAME = PicturesConfig(size=32, load=32)


def test_an_epoch_is_every_picture_of_the_larger_domain_and_random_ones_of_the_other(tmp_path):
    A, B = marked(tmp_path / "A", 10), marked(tmp_path / "B", 4)
    dataset = Unpaired(A, B, SAME)
    first, second = numbers(dataset, range(10)), numbers(dataset, range(10, 20))
    assert len(dataset) == 10
    assert sorted(a for a, _ in first) == sorted(a for a, _ in second) == list(range(10))
    assert [a for a, _ in first] != [a for a, _ in second]
    assert [b for _, b in first] != [b for _, b in second]


def test_the_smaller_domain_comes_round_again(tmp_path):
    A, B = marked(tmp_path / "A", 3), marked(tmp_path / "B", 7)
    seen = [a for a, _ in numbers(Unpaired(A, B, SAME), range(7))]
    assert sorted(seen) in ([0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2, 2])


def test_the_seed_decides_and_the_number_of_threads_does_not(files):
    def all_batches(seed, workers):
        dataset = Unpaired(*files, PicturesConfig(size=32, resize="fit"), seed=seed)
        return [torch.cat(b) for b in batches(dataset, 0, 8, 2, workers)]

    plain = all_batches(0, 0)
    assert all(torch.equal(a, b) for a, b in zip(plain, all_batches(0, 3), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(plain, all_batches(1, 0), strict=True))


def test_two_ranks_see_together_what_one_sees_with_the_doubled_batch(files):
    dataset = Unpaired(*files, SAME)
    whole = list(batches(dataset, 0, 3, 4))
    ranks = [list(batches(dataset, 0, 3, 2, rank=rank, world=2)) for rank in (0, 1)]
    for step in range(3):
        for part in (0, 1):
            together = torch.stack([ranks[i % 2][step][part][i // 2] for i in range(4)])
            assert torch.equal(together, whole[step][part])


def test_the_cache_stays_within_its_bounds_and_changes_nothing(files):
    one = 36 * 36 * 3
    with_it = Unpaired(*files, PicturesConfig(size=32), cache=11 * one)  # room for all 6 + 5
    small = Unpaired(*files, PicturesConfig(size=32), cache=3 * one)
    without = Unpaired(*files, PicturesConfig(size=32))
    for k in range(12):
        samples = [d.sample(k) for d in (with_it, small, without)]
        assert all(torch.equal(s[i], samples[0][i]) for s in samples for i in (0, 1))
    assert sum(len(d._kept) for d in small.decoders) <= 3
    assert sum(len(d._kept) for d in without.decoders) == 0
    for path in files[0]:
        path.unlink()
    assert len(with_it.sample(30)) == 2  # from memory


def test_stretch_makes_squares_and_fit_keeps_proportions(tmp_path):
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, ::2] = 255  # columns: stretching to a square averages them to grey, fitting keeps the width
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        Image.fromarray(wide).save(tmp_path / name / "x.png")
    lists = find_images(tmp_path / "A"), find_images(tmp_path / "B")
    stretched = Unpaired(*lists, PicturesConfig(size=32, load=40)).sample(0)[0]
    fitted = Unpaired(*lists, PicturesConfig(size=32, load=40, resize="fit")).sample(0)[0]
    assert stretched.shape == fitted.shape == (3, 32, 32)
    assert stretched.float().std() < 40 and fitted.float().std() > 120


def ramp(folder, size):
    """One picture whose red is the row and whose green is the column, so that a crop shows where it came from."""
    folder.mkdir()
    rows, columns = np.mgrid[:size, :size].astype(np.uint8)
    Image.fromarray(np.stack([rows, columns, rows * 0], -1)).save(folder / "x.png")
    return find_images(folder)


def test_crops_are_whole_pixels_at_random_places(tmp_path):
    files = ramp(tmp_path / "A", 40)
    dataset = Unpaired(files, files, PicturesConfig(size=32, load=40, flip=False))
    tops, lefts = set(), set()
    for k in range(60):
        for image in dataset.sample(k):
            top, left = image[0, 0, 0].item(), image[1, 0, 0].item()
            assert torch.equal(image[0, :, 5], torch.arange(top, top + 32, dtype=torch.uint8))
            assert torch.equal(image[1, 5], torch.arange(left, left + 32, dtype=torch.uint8))
            tops.add(top), lefts.add(left)
    assert len(tops) >= 8 and len(lefts) >= 8 and max(tops | lefts) <= 8


def test_half_of_the_pictures_are_mirrored_each_domain_for_itself(tmp_path):
    files = ramp(tmp_path / "A", 32)
    dataset = Unpaired(files, files, SAME)
    straight = torch.arange(32, dtype=torch.uint8)
    mirrored = torch.zeros(2, 2)
    for k in range(120):
        flips = [int(torch.equal(image[1, 0], straight.flip(0))) for image in dataset.sample(k)]
        assert all(torch.equal(image[0, :, 0], straight) for image in dataset.sample(k))
        mirrored[flips[0], flips[1]] += 1
    assert mirrored.min() > 15  # of 120, all four ways are alike: 30 ± 3 standard deviations


@pytest.mark.parametrize("channels", [1, 3])
def test_zoom_shows_things_at_several_scales(tmp_path, channels):
    """The ramp's slope tells by how much a crop was shrunk: between 1 and ``zoom``."""
    files = ramp(tmp_path / "A", 64)
    dataset = Unpaired(files, files, PicturesConfig(size=32, zoom=2.0, flip=False), channels=(channels, channels))
    slopes = [(i[0, 24, 16].item() - i[0, 8, 16].item()) / 16 for k in range(40) for i in dataset.sample(k)]
    full = 1 if channels == 3 else 0.299
    assert 0.9 * full < min(slopes) and max(slopes) < 2.1 * full and max(slopes) - min(slopes) > 0.5 * full


def test_grey_domains_have_one_channel(files):
    grey, color = Unpaired(*files, PicturesConfig(size=32), channels=(1, 3)).sample(0)
    assert grey.shape == (1, 32, 32) and color.shape == (3, 32, 32) and grey.dtype == torch.uint8


def test_unreadable_pictures_are_named_or_skipped(squares):
    (squares / "trainA" / "broken.png").write_bytes(b"not a picture")
    found = find_images(squares / "trainA")
    with pytest.raises(ImageError, match=r"broken\.png"):
        check_heads(found, skip_bad=False)
    heads = check_heads(found, skip_bad=True)
    assert len(heads.files) == 6 and len(heads.complaints) == 1 and "broken.png" in heads.complaints[0]


def test_a_picture_damaged_behind_its_header_is_named_or_replaced(squares, files):
    data = files[0][2].read_bytes()
    files[0][2].write_bytes(data[: len(data) // 2])
    strict, lenient = (Unpaired(*files, SAME, skip_bad=skip) for skip in (False, True))
    with pytest.raises(ImageError, match=files[0][2].name):
        [strict.sample(k) for k in range(6)]
    assert all(s[0].shape == (3, 32, 32) for s in (lenient.sample(k) for k in range(6)))


def test_fixed_pictures_are_spread_over_the_files(tmp_path):
    files = marked(tmp_path / "A", 10)
    assert fixed_pictures(files, 5, 32, 1)[:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8]
    assert fixed_pictures(files[:2], 5, 32, 3).shape == (2, 3, 32, 32)
