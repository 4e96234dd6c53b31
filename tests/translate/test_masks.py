"""A mask: the translation inside, the picture's own pixels outside, to the bit."""

import numpy as np
import pytest
import torch
from pairs import make
from PIL import Image

from cyclegan.system.errors import ImageError
from cyclegan.translate.__main__ import main


def pixels(shape=(24, 36, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape, np.uint8)


def left(share=0.5, shape=(24, 36)):
    """White on the left."""
    mask = np.zeros(shape, np.uint8)
    mask[:, : int(shape[1] * share)] = 255
    return mask


def test_every_kind_of_picture_and_mask(tmp_path):
    translator, picture, mask = make(), pixels(), left()
    whole = translator(picture)
    wanted = np.where(mask[:, :, None] == 255, whole, picture)
    assert (wanted != picture).any() and (wanted != whole).any()
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "m.png")
    for given in (mask, mask > 0, mask / 255, mask // 255, Image.fromarray(mask), tmp_path / "m.png", [mask, mask * 0]):
        assert np.array_equal(translator(picture, mask=given), wanted)
    assert np.array_equal(np.array(translator(tmp_path / "a.png", mask=mask)), wanted)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)
    assert np.array_equal(translator(tensor, mask=torch.from_numpy(mask > 0)).permute(1, 2, 0).numpy(), wanted)
    signed = tensor / 127.5 - 1
    made = translator(signed, mask=torch.from_numpy(mask > 0))
    assert torch.equal(made[:, :, 18:], signed[:, :, 18:]) and not torch.equal(made, signed)


def test_grey_blends_and_smaller_masks_are_enlarged():
    translator, picture = make(), pixels()
    whole = translator(picture).astype(float)
    half = translator(picture, mask=np.full((24, 36), 0.5)).astype(float)
    assert np.abs(half - (whole + picture) / 2).max() <= 1.1
    made = translator(picture, mask=left(shape=(12, 18)))
    assert np.array_equal(made[:, 22:], picture[:, 22:]) and np.array_equal(made[:, :14], translator(picture)[:, :14])


def test_transparency_stays():
    translator, picture = make(), Image.fromarray(pixels((24, 36, 4)))
    made = translator(picture, mask=left())
    assert made.mode == "RGBA" and np.array_equal(np.array(made)[:, 18:], np.array(picture)[:, 18:])
    assert np.array_equal(np.array(made)[:, :, 3], np.array(picture)[:, :, 3])


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros((24, 30), np.uint8), "30 × 24 pixels and its picture 36 × 24"),
        (np.full((24, 36), 2.0), "in \\[0, 1\\]"),
        (np.full((24, 36), np.nan), "in \\[0, 1\\]"),
        (np.zeros((24, 36, 3), np.uint8), "a mask is \\(H, W\\)"),
        (np.zeros((24, 36), int), "a mask is \\(H, W\\)"),
        ([], "one at least"),
        ([left(), left(shape=(12, 18))], "of one size"),
    ],
)
def test_what_is_no_mask_gets_one_sentence(mask, sentence):
    with pytest.raises(ImageError, match=sentence):
        make()(pixels(), mask=mask)
    with pytest.raises(ImageError, match="belongs to one picture"):
        make()([pixels()], mask=left())


def test_masks_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make().save_pretrained("mine")
    for name in ("in", "masks"):
        (tmp_path / name).mkdir()
    for i in range(3):
        Image.fromarray(pixels(seed=i)).save(f"in/p_{i}.png")
    Image.fromarray(left()).save("masks/p_0.png")
    Image.fromarray(left(0.25)).save("masks/p_1_0.png")
    Image.fromarray(left()[:, ::-1]).save("masks/p_1_1.png")
    assert main(["mine", "in", "-o", "out", "--mask", "masks"]) == 2
    assert "no mask for in/p_2.png: it is called p_2.png" in capsys.readouterr().err
    Image.fromarray(left() * 0).save("masks/p_2.png")
    assert main(["mine", "in", "-o", "out", "--mask", "masks"]) == 0
    own, out = ([np.array(Image.open(f"{folder}/p_{i}.png")) for i in range(3)] for folder in ("in", "out"))
    assert np.array_equal(out[2], own[2])
    kept = (own[1] == out[1]).all((0, 2))
    assert kept[9:18].all() and not kept[:9].any() and not kept[18:].any(), "two masks count as one"
    assert main(["mine", "in/p_0.png", "-o", "one.png", "--mask", "masks/p_0.png"]) == 0
    assert np.array_equal(np.array(Image.open("one.png")), out[0])
    assert main(["mine", "in", "-o", "out2", "--mask", "masks/p_0.png"]) == 2
    assert "is one mask, and there are 3 pictures" in capsys.readouterr().err
