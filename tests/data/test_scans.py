"""Scans, on the files that pydicom and nibabel bring along: DICOM in what was measured, volumes slice by slice."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cyclegan import Translator
from cyclegan.data.check import find_spans
from cyclegan.data.config import PicturesConfig
from cyclegan.data.finding import find_images
from cyclegan.data.images import load_image, read_image
from cyclegan.data.paired import by_stem
from cyclegan.data.source import SAMPLES, Reading
from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import save_weights
from cyclegan.system.errors import ImageError, MissingPackage
from cyclegan.translate.__main__ import main


def dicom(name):
    data = pytest.importorskip("pydicom.data", reason="extra: medical")
    return Path(data.get_testdata_file(name, download=False))


def volume(name):
    nibabel = pytest.importorskip("nibabel", reason="extra: medical")
    path = Path(nibabel.__file__).parent / "tests" / "data" / name
    return path if path.is_file() else pytest.skip("this nibabel comes without its test files")


def weights(folder, spans):
    """A run's folder with an untrained generator."""
    architecture = {"name": "mobile", "width": 4, "blocks": 1}
    header = {"architecture": architecture, "domains": ["mr", "ct"], "size": 32}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]} | ({"spans": spans} if spans else {})
    save_weights(folder / "G_AB.safetensors", build_generator(architecture), header)
    return str(folder)


def test_ct_comes_in_hounsfield_units_and_mr_in_its_window():
    from pydicom import dcmread

    ct = dicom("CT_small.dcm")
    assert np.array_equal(np.asarray(load_image(ct)), dcmread(ct).pixel_array - 1024.0)
    assert read_image(ct, 1, (-1024, 1024)).dtype == np.uint8
    with pytest.raises(ImageError, match=r"CT_small\.dcm holds numbers from -896 to 1167.*--range LOW HIGH"):
        read_image(ct, 1)
    mr = dicom("MR_small.dcm")  # its window: centre 600, width 1600
    stored = dcmread(mr).pixel_array
    assert np.array_equal(read_image(mr, 1)[..., 0], read_image(mr, 1, (-200, 1399))[..., 0])
    assert (read_image(mr, 1)[..., 0] == 255).sum() == (stored >= 1396).sum()
    assert find_spans([[mr], [ct]], [1, 1], skip_bad=False) == [(-896, 1399)] * 2, "one range for both"
    assert load_image(dicom("examples_rgb_color.dcm")).mode == "RGB"


def test_a_volume_is_its_axial_slices_however_it_is_stored(tmp_path):
    import nibabel

    path = volume("anatomical.nii")
    stored = nibabel.load(path)
    turned = nibabel.Nifti1Image(np.swapaxes(stored.get_fdata(), 0, 2)[::-1], stored.affine[:, [2, 1, 0, 3]])
    turned.affine[:3, 3] += turned.affine[:3, 0] * (turned.shape[0] - 1)
    turned.affine[:3, 0] *= -1
    nibabel.save(turned, tmp_path / "trainA.nii.gz")
    here = find_images(tmp_path)
    upright = nibabel.as_closest_canonical(stored).get_fdata()
    assert len(here) == len(set(here)) == upright.shape[2] == 25 and here[3].stem == "trainA_0003"
    for i in (3, 20):
        assert np.array_equal(np.asarray(load_image(here[i])), upright[::-1, ::-1, i].T.astype(np.float32))
    A, B = by_stem(here, here[::-1])
    assert A == B, "slices are pairs by number"
    with pytest.raises(ImageError, match="is a volume"):
        Translator.from_pretrained(weights(tmp_path / "run", None), device="cpu")(tmp_path / "trainA.nii.gz")


def test_scans_are_trained_on_and_volumes_come_out_where_they_lay(tmp_path, monkeypatch, capsys):
    import nibabel

    monkeypatch.chdir(tmp_path)
    for side in "AB":
        (tmp_path / f"scans/train{side}").mkdir(parents=True)
    (tmp_path / "scans/trainA/head.nii").symlink_to(volume("anatomical.nii"))
    (tmp_path / "scans/trainB/1.dcm").symlink_to(dicom("CT_small.dcm"))
    source = SAMPLES["unpaired"]("scans", None, PicturesConfig(size=32, load=32), Reading())
    assert source.described == "25 pictures of A, 1 of B" and source.samples.sample(0)[0].shape == (3, 32, 32)
    assert "(found over all of them" in capsys.readouterr().out
    run = weights(tmp_path / "run", source.record["spans"])
    assert main([run, "scans/trainA", "scans/trainB/1.dcm", "-o", "out", "--device", "cpu"]) == 0
    given, made = nibabel.load("scans/trainA/head.nii"), nibabel.load("out/head.nii")
    assert made.shape == nibabel.as_closest_canonical(given).shape and made.get_data_dtype() == np.float32
    assert np.allclose(made.affine, nibabel.as_closest_canonical(given).affine)
    low, high = source.record["spans"][1]
    assert low <= made.get_fdata().min() < made.get_fdata().max() <= high
    assert Image.open("out/1.tif").mode == "F"
    (tmp_path / "bad.nii.gz").write_bytes(b"no volume")
    assert main([run, "bad.nii.gz", "-o", "out", "--device", "cpu"]) == 1
    assert "bad.nii.gz" in capsys.readouterr().err


def test_without_the_package_the_command_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    (tmp_path / "1.dcm").write_bytes(b"")
    with pytest.raises(MissingPackage, match=r"needs the package pydicom: pip install 'cyclegan-toolkit\[medical\]'"):
        load_image(tmp_path / "1.dcm")
