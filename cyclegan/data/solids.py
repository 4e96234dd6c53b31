"""Files of solids: ``.npz``, ``.mat`` and ``.binvox`` → boolean cubes.

========  ============================================================================================================
.npz      ``x_train`` and ``x_test``, uint8 (N, B): solids as packed bits, with ``shape`` (3,), and optionally
          ``names_train`` and ``names_test``; or any one array (N, X, Y, Z) or (X, Y, Z)
.mat      one solid, as 3D ShapeNets keeps them (``instance``), or the first array of three dimensions
.binvox   one solid, run-length coded (Patrick Min, https://www.patrickmin.com/binvox/binvox.html)
========  ============================================================================================================
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan.system.errors import MissingPackage, UserError

ENDINGS = (".npz", ".mat", ".binvox")


@dataclass(frozen=True)
class Solids:
    """Solids of one size, with the names of their files."""

    cells: np.ndarray  # bool (N, X, Y, Z)
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def posed(self, pose: int | None) -> "Solids":
        """Those whose name ends in ``_pose``; all for None. Raises ``UserError`` where there are none."""
        if pose is None:
            return self
        chosen = [i for i, name in enumerate(self.names) if name.rpartition("_")[2] == str(pose)]
        if not chosen:
            raise UserError(f"no solid's name ends in _{pose}, such as {self.names[0]}: leave out --pose")
        return Solids(self.cells[chosen], [self.names[i] for i in chosen])


def read_solids(place: Path, train: bool = True) -> Solids | None:
    """The training or test solids of a file, or of a folder of files with or without train/ and test/.

    None where there are none for the test. Raises ``UserError``.
    """
    files = _files(place, train)
    if not files:
        if not train:
            return None
        raise UserError(f"{place} holds no solids: name a folder with .npz, .mat or .binvox files")
    parts = [part for part in (_read(file, train) for file in files) if part is not None]
    if not parts:
        return None
    for file, part in zip(files, parts, strict=False):
        if part.cells.shape[1:] != parts[0].cells.shape[1:]:
            sizes = " and ".join(_size(p.cells) for p in (parts[0], part))
            raise UserError(f"{place} holds solids of {sizes} ({file.name}): put those of one size into a folder")
    return Solids(np.concatenate([p.cells for p in parts]), [name for p in parts for name in p.names])


def fitted(cells: np.ndarray, size: int) -> np.ndarray:
    """bool (…, n, n, n) → (…, size, size, size): enlarged by a whole factor, then set in the middle.

    Raises ``UserError`` for solids that are no cubes, or too large.
    """
    shape = cells.shape[-3:]
    if len(set(shape)) > 1:
        raise UserError(f"these solids are {_size(cells)}: they must be cubes, such as 32 x 32 x 32")
    if shape[0] > size:
        larger = next((s for s in (16, 32, 64, 128) if s >= shape[0]), None)
        hint = f"give --size {larger}" if larger else "at most 128 x 128 x 128 can be learned"
        raise UserError(f"these solids are {_size(cells)}, which does not fit into --size {size}: {hint}")
    factor = size // shape[0]
    for axis in (-3, -2, -1):
        cells = cells.repeat(factor, axis) if factor > 1 else cells
    before = (size - cells.shape[-1]) // 2
    edges = (before, size - cells.shape[-1] - before)
    return np.pad(cells, [(0, 0)] * (cells.ndim - 3) + [edges] * 3)


def _size(cells: np.ndarray) -> str:
    return " x ".join(map(str, cells.shape[-3:]))


def _files(place: Path, train: bool) -> list[Path]:
    if place.is_file():
        return [place]
    split = place / ("train" if train else "test")
    if split.is_dir():
        place = split
    elif not train and not list(place.glob("*.npz")):  # an .npz may hold both parts itself
        return []
    return sorted(path for path in place.rglob("*") if path.suffix.lower() in ENDINGS and path.name[0] != ".")


def _read(file: Path, train: bool) -> Solids | None:
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise UserError(f"{file} is no file of solids: those end in {', '.join(ENDINGS)}")
    try:
        if ending == ".npz":
            return _npz(file, train)
        cells = _mat(file) if ending == ".mat" else _binvox(file)
    except UserError:
        raise
    except Exception as error:  # NumPy, SciPy and zip have many for a damaged file
        raise UserError(f"{file} cannot be read ({_line(error)}): copy or download it again") from error
    return Solids(cells[None], [file.stem])


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _npz(file: Path, train: bool) -> Solids | None:
    part = "train" if train else "test"
    with np.load(file, allow_pickle=False) as arrays:
        if "x_train" in arrays:
            if f"x_{part}" not in arrays:
                return None
            shape = tuple(int(n) for n in arrays["shape"])
            bits = np.unpackbits(arrays[f"x_{part}"], axis=1, count=int(np.prod(shape)))
            cells = bits.reshape(-1, *shape).astype(bool)
            named = arrays[f"names_{part}"] if f"names_{part}" in arrays else range(len(cells))
            return Solids(cells, [Path(str(name)).stem for name in named])
        whole = [arrays[key] for key in arrays.files if arrays[key].ndim in (3, 4)]
    if not whole:
        raise UserError(f"{file} holds no solids: an array of shape (N, X, Y, Z) or (X, Y, Z) is needed")
    if not train and file.parent.name != "test":
        return None
    cells = whole[0] if whole[0].ndim == 4 else whole[0][None]
    return Solids(cells > 0, [f"{file.stem}_{i}" if len(cells) > 1 else file.stem for i in range(len(cells))])


def _mat(file: Path) -> np.ndarray:
    try:
        from scipy.io import loadmat
    except ModuleNotFoundError as error:
        raise MissingPackage(f"reading {file.name}", "scipy", "solids") from error
    arrays = {key: value for key, value in loadmat(file).items() if getattr(value, "ndim", 0) == 3}
    if not arrays:
        raise UserError(f"{file} holds no solid: an array of three dimensions is needed")
    return arrays.get("instance", next(iter(arrays.values()))) > 0


def _binvox(file: Path) -> np.ndarray:
    """Runs of (value, length) bytes behind a text header; x runs slowest, then z, then y, and y is up."""
    head, found, body = file.read_bytes().partition(b"\ndata\n")
    lines = dict(line.split(" ", 1) for line in head.decode("ascii").splitlines() if " " in line)
    if not found or not head.startswith(b"#binvox") or "dim" not in lines:
        raise UserError(f"{file} is no .binvox file: its header is missing")
    shape = tuple(map(int, lines["dim"].split()))
    runs = np.frombuffer(body, np.uint8)
    cells = np.repeat(runs[::2], runs[1::2]).astype(bool)
    if cells.size != np.prod(shape):
        raise UserError(f"{file} is cut off: copy or download it again")
    return cells.reshape(shape)
