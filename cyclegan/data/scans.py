"""Medical scans: DICOM files and the slices of NIfTI volumes, as greys in the values that the scanner measured.

**DICOM** (pydicom): the rescale of the file is applied, so that CT comes in Hounsfield units, and the window in it, if
any, is what is black and white where nobody says otherwise. MONOCHROME1, where low is white, is turned over. Of several
frames the first is read. Colour is read as it is.

**NIfTI** (nibabel): a volume is a picture for each axial slice, with the patient's right on the left and the front at
the top, as DICOM has it, however the file stores it. Of several volumes in time the first is read.

Both need the extra ``medical``.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cyclegan.system.errors import ImageError, MissingPackage

DICOM, NIFTI = {".dcm", ".ima"}, (".nii", ".nii.gz")
_KEPT = 2  # packed volumes in memory, since a slice of one is had only with all before it


class Slice(type(Path())):  # type: ignore[misc]  # the class of paths here, as for ``data.halves``
    """The path of a NIfTI volume of which one axial slice is meant, counted from the feet."""

    index: int

    @classmethod
    def of(cls, path: Path, index: int) -> Slice:
        """Slice ``index`` of the volume in the file ``path``."""
        made = cls(path)
        made.index = index
        return made

    @property
    def stem(self) -> str:
        """The name of the volume and the number of the slice, by which pairs belong together."""
        return f"{volume_stem(self)}_{self.index:04d}"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.index == other.index and super().__eq__(other)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.index, super().__hash__()))


def is_volume(path: str | os.PathLike) -> bool:
    """Whether a file is a NIfTI volume, by its name."""
    return os.fspath(path).lower().endswith(NIFTI)


def is_scan(source: Any) -> bool:
    """Whether a picture's source is the path of a scan, by its name."""
    return isinstance(source, (str, os.PathLike)) and (
        is_volume(source) or os.path.splitext(os.fspath(source))[1].lower() in DICOM
    )


def volume_stem(path: Path) -> str:
    """The name of a volume without its ending, which may be a double one."""
    return path.name[: -7 if path.name.lower().endswith(".gz") else -4]


def slices(path: Path) -> list[Path]:
    """The axial slices of a volume. Raises ``ImageError`` and ``MissingPackage``."""
    return [Slice.of(path, i) for i in range(read_volume(path).count)]


def read_scan(source: str | os.PathLike) -> Image.Image:
    """A scan as a picture of mode F, or RGB where it is colour; ``info`` has ``several`` and, of DICOM, ``window``.

    Of a volume as a whole the middle slice. Raises ``ImageError``, whose sentence lacks the file's name.
    """
    if not is_volume(source):
        return _read_dicom(source)
    volume = read_volume(source)
    image = Image.fromarray(volume.slice(source.index if isinstance(source, Slice) else volume.count // 2))
    image.info["several"] = not isinstance(source, Slice)
    return image


class Volume:
    """An opened NIfTI volume."""

    def __init__(self, image: Any):
        from nibabel.orientations import io_orientation

        if len(image.shape) < 3 or 0 in image.shape:
            raise ImageError(f"is no volume but an array of {' × '.join(map(str, image.shape))}")
        self.image, self.orientation = image, io_orientation(image.affine).astype(int)
        self.axes = [int(np.flatnonzero(self.orientation[:, 0] == i)[0]) for i in range(3)]  # of right, front, head

    @property
    def count(self) -> int:
        """How many axial slices there are."""
        return self.image.shape[self.axes[2]]

    def slice(self, index: int) -> np.ndarray:
        """Axial slice ``index`` as float32 (H, W): right to left, front to back."""
        x, y, z = self.axes
        forward = self.orientation[:, 1] > 0
        place: list[Any] = [slice(None)] * 3 + [0] * (len(self.image.shape) - 3)
        place[z] = index if forward[z] else self.count - 1 - index
        plane = np.asanyarray(self.image.dataobj[tuple(place)]).astype(np.float32)
        plane = plane if x < y else plane.T
        plane = plane[:: -1 if forward[x] else 1, :: -1 if forward[y] else 1]
        return np.ascontiguousarray(plane.T)

    def encoded(self, planes: list[np.ndarray], packed: bool) -> bytes:
        """A NIfTI file of these axial slices, which lies where this volume lies."""
        import gzip

        from nibabel.nifti1 import Nifti1Image
        from nibabel.orientations import inv_ornt_aff

        affine = self.image.affine @ inv_ornt_aff(self.orientation, self.image.shape[:3])
        data = np.stack([plane.T[::-1, ::-1] for plane in planes], 2)
        made = Nifti1Image(data, affine)
        made.header.set_xyzt_units(*self.image.header.get_xyzt_units())
        return gzip.compress(made.to_bytes()) if packed else made.to_bytes()


def read_volume(path: str | os.PathLike) -> Volume:
    """Opens a NIfTI volume. Raises ``ImageError`` and ``MissingPackage``."""
    return _volume(os.fspath(path), os.stat(path).st_mtime_ns)


@lru_cache(_KEPT)
def _volume(path: str, modified: int) -> Volume:
    try:
        import nibabel
    except ImportError as error:
        raise MissingPackage("a NIfTI volume", "nibabel", "medical") from error
    image: Any = nibabel.load(path)
    if path.lower().endswith(".gz"):
        image = nibabel.Nifti1Image(np.asanyarray(image.dataobj), image.affine, image.header)
    return Volume(image)


def _read_dicom(source: str | os.PathLike) -> Image.Image:
    try:
        import pydicom
    except ImportError as error:
        raise MissingPackage("a DICOM file", "pydicom", "medical") from error
    from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array

    data = pydicom.dcmread(source)
    frames = int(data.get("NumberOfFrames", 1) or 1)
    try:
        pixels = pixel_array(data, index=0 if frames > 1 else None)
    except (RuntimeError, NotImplementedError) as error:  # no decoder for it
        packed = data.file_meta.TransferSyntaxUID.name
        raise ImageError(f"is packed as {packed}: pip install 'pylibjpeg[all]' reads it") from error
    kind, window = data.PhotometricInterpretation, _window(data)
    if kind == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
        pixels = pixels >> 8 if pixels.dtype == np.uint16 else pixels
    if pixels.ndim == 3:
        image = Image.fromarray(pixels.astype(np.uint8))
    else:
        values = np.asarray(apply_modality_lut(pixels, data), np.float32)
        if (
            window is None
            and pixels.dtype == np.uint8
            and not {"RescaleSlope", "ModalityLUTSequence"} & set(data.dir())
        ):
            window = 0.0, 255.0
        if kind == "MONOCHROME1":
            values = sum(window or (float(values.min()), float(values.max()))) - values
        image = Image.fromarray(values)
        image.info |= {"window": window} if window else {}
    image.info["several"] = frames > 1
    return image


def _window(data: Any) -> tuple[float, float] | None:
    """The values that are black and white by the file's first window (DICOM PS3.3, C.11.2.1.2)."""
    centre, width = (data.get(key) for key in ("WindowCenter", "WindowWidth"))
    centre, width = (float(v[0]) if hasattr(v, "__len__") and not isinstance(v, str) else v for v in (centre, width))
    if centre is None or width is None or float(width) <= 1:
        return None
    half = (float(width) - 1) / 2
    return float(centre) - 0.5 - half, float(centre) - 0.5 + half
