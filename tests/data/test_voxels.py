"""Solids from files to samples, and the pictures drawn of them."""

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.data.config import VoxelsConfig
from cyclegan.data.render import framed, render
from cyclegan.data.solids import fitted, read_solids
from cyclegan.data.voxels import Voxels, open_solids
from cyclegan.system.errors import UserError


def solids(count: int, size: int = 6) -> np.ndarray:
    return np.random.default_rng(0).random((count, size, size, size)) > 0.6


def write_binvox(path, cells: np.ndarray) -> None:
    flat = cells.ravel()
    ends = np.flatnonzero(np.diff(flat, append=2))
    runs = np.diff(ends, prepend=-1)
    body = b"".join(bytes((int(flat[end]), run)) for end, run in zip(ends, runs.tolist(), strict=True))
    size = " ".join(map(str, cells.shape)).encode()
    path.write_bytes(b"#binvox 1\ndim " + size + b"\ntranslate 0 0 0\nscale 1\ndata\n" + body)


def test_packed_bits_with_names_and_a_test_part(tmp_path):
    train, test = solids(4), solids(2)
    packed = {f"x_{part}": np.packbits(x.reshape(len(x), -1), axis=1) for part, x in (("train", train), ("test", test))}
    names = np.array(["a_1.mat", "a_2.mat", "b_1.mat", "b_12.mat"])
    np.savez(tmp_path / "chairs.npz", shape=[6, 6, 6], names_train=names, **packed)
    found = read_solids(tmp_path)
    assert found.names == ["a_1", "a_2", "b_1", "b_12"] and np.array_equal(found.cells, train)
    assert np.array_equal(read_solids(tmp_path / "chairs.npz", train=False).cells, test)
    assert np.array_equal(found.posed(1).cells, train[[0, 2]]), "of the pose _1, not of _12 as well"


def test_folders_of_single_solids(tmp_path):
    io = pytest.importorskip("scipy.io", reason="extra: solids")
    cells = solids(3)
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
    io.savemat(tmp_path / "train" / "a.mat", {"instance": cells[0].astype(np.uint8)})
    write_binvox(tmp_path / "train" / "b.binvox", cells[1])
    np.savez(tmp_path / "test" / "c.npz", cells[2])
    assert np.array_equal(read_solids(tmp_path).cells, cells[:2])
    assert np.array_equal(read_solids(tmp_path, train=False).cells, cells[2:])


def test_small_solids_are_enlarged_and_set_in_the_middle():
    cells = solids(2, 30)
    assert np.array_equal(fitted(cells, 32)[:, 1:31, 1:31, 1:31], cells) and fitted(cells, 32).sum() == cells.sum()
    assert np.array_equal(fitted(cells, 64)[:, 2:62:2, 3:62:2, 2:62:2], cells)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (np.ones((2, 40, 40, 40), bool), "does not fit into --size 32: give --size 64"),
        (np.ones((2, 8, 8, 9), bool), "they must be cubes"),
        (np.ones((8, 8)), "holds no solids"),
        (None, "cannot be read"),
    ],
)
def test_solids_that_do_not_fit_are_one_sentence(tmp_path, content, sentence):
    file = tmp_path / "x.npz"
    file.write_bytes(b"PK\3\4 cut off") if content is None else np.savez(file, content)
    with pytest.raises(UserError, match=sentence) as caught:
        open_solids(str(file), None, VoxelsConfig())
    assert "\n" not in str(caught.value)


def test_other_mistakes_are_one_sentence(tmp_path):
    (tmp_path / "x.binvox").write_bytes(b"#binvox 1\ndim 4 4 4\ndata\n\1\3")
    for path, sentence in ((tmp_path, "x.binvox is cut off"), (tmp_path / "none.npz", "there is no file")):
        with pytest.raises(UserError, match=sentence):
            open_solids(str(path), None, VoxelsConfig())
    with pytest.raises(UserError, match="is no file of solids"):
        read_solids(tmp_path / "x.stl" if (tmp_path / "x.stl").write_text("solid") else tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="holds no solids"):
        read_solids(empty)


def test_samples_depend_on_their_number_alone_and_mirror_solid_and_picture_together():
    cells = fitted(solids(5, 12), 16)
    config = VoxelsConfig(size=16, view=32, views=2)
    one, other = Voxels(cells, config, seed=3), Voxels(cells, config, seed=3, cache=1e6)
    backwards = {k: other.sample(k) for k in reversed(range(12))}
    mirrored = 0
    for k in range(12):
        (solid, picture), (same, alike) = one.sample(k), backwards[k]
        assert torch.equal(solid, same) and torch.equal(picture, alike)
        assert solid.shape == (1, 16, 16, 16) and set(solid.unique().tolist()) == {0, 255}
        place, view, flipped = one._draw(k)
        drawn = one.picture(place, view)
        mirrored += flipped
        assert np.array_equal(picture[0].numpy(), drawn[:, ::-1] if flipped else drawn)
        assert np.array_equal(solid[0].numpy() > 0, cells[place][:, ::-1] if flipped else cells[place])
    assert 0 < mirrored < 12 and sorted({one._draw(k)[0] for k in range(5)}) == list(range(5))


def test_a_mirrored_solid_looks_like_its_mirrored_picture():
    cells = solids(1, 8)[0]
    there, back = (render(x, 64, a, 20) < 250 for x, a in ((cells, 30), (cells[:, ::-1], -30)))
    assert (there != back[:, ::-1]).mean() < 0.03, "but for the rounding of middles to pixels"


def test_what_is_in_front_hides_what_is_behind():
    """A wall at the front (low X), seen from the front, hides a bar behind it; seen from behind, it does not."""
    wall, bar = np.zeros((12, 12, 12), bool), np.zeros((12, 12, 12), bool)
    wall[1, 1:11, 1:11] = True
    bar[9:11, 5:7, 3:9] = True
    assert np.array_equal(render(wall | bar, 48, 0, 0) < 250, render(wall, 48, 0, 0) < 250)
    behind = render(wall | bar, 48, 180, 0).astype(int)
    assert np.abs(behind - render(wall, 48, 180, 0)).max() > 20
    above = np.zeros((12, 12, 12), bool)
    above[4:8, 4:8, 0:10] = True  # a tower: upright in the picture
    rows, columns = np.nonzero(render(above, 48, 0, 0) < 250)
    assert np.ptp(rows) > 2 * np.ptp(columns)
    assert (render(np.zeros((4, 4, 4), bool), 16) == 255).all()


def test_pictures_of_things_are_framed_as_solids_are():
    drawn = render(np.ones((4, 6, 8), bool), 64)
    canvas = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    thing = Image.fromarray(drawn).resize((128, 128), Image.Resampling.BICUBIC)
    canvas.paste(Image.merge("RGBA", [thing] * 3 + [thing.point(lambda v: 255 if v < 250 else 0)]), (130, 40))
    assert np.abs(framed(canvas, 64).astype(int) - drawn).mean() < 8
    assert framed(Image.new("RGB", (50, 80), "white"), 32).shape == (32, 32)
