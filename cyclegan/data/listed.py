"""From a table of pictures to the folder of a data set: ``SPLIT/DOMAIN/ROW_NAME``, whole or not at all.

A table has two columns of pictures, one for each domain, or one column of pictures and one that says what they show;
a column called ``split`` may part training from test. Files that a list names are linked to, so nothing is copied.
The pictures of one row bear the same name, by which pix2pix knows that they belong together.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import tomli_w
from PIL import Image

from cyclegan.data.finding import SUFFIXES, is_picture
from cyclegan.data.folders import TEST, TRAIN
from cyclegan.data.scans import is_volume
from cyclegan.data.tables import Row, rows
from cyclegan.system.errors import UserError
from cyclegan.system.files import filled, place, sha256_of
from cyclegan.system.terminal import say

LABELS, SPLITS = ("label", "labels", "class", "category", "domain"), ("split", "subset", "fold")
_MARK = ".table"  # in the folder: what it was made from


def from_table(target: Path, table: Path) -> None:
    """Makes the folder ``target`` out of a table, a file or a folder. Raises ``UserError``."""
    digest = _digest(table)
    mark = target / _MARK
    if filled(target) and not (mark.is_file() and mark.read_text() == digest):
        raise UserError(f"{target} is there already and was not made from {table} as it is now: remove or rename it")

    def build(work: Path) -> Path:
        say(f"Making {target} from {table}")
        work.mkdir()
        _lay_out(table, work)
        (work / _MARK).write_text(digest)
        return work

    place(target, build)


def _lay_out(table: Path, work: Path) -> None:
    columns: list[str] = []
    label: str | None = None
    domains: list[str] = []
    for number, row in enumerate(rows(table)):
        if not columns:
            columns, label = _columns(row)
            domains = list(columns)
        split = _split(row)
        name = None
        for column in columns:
            cell = row.cells.get(column)
            if cell in (None, ""):
                continue
            what = str(row.cells.get(label)) if label else column if len(columns) > 1 else ""
            name = name or f"{number:06d}_{_stem(cell)}".rstrip("_")
            _put(cell, row, work / split / _safe(what) / name)
    if not columns:
        raise UserError(f"{table} holds no rows")
    if len(domains) == 2:
        (work / "card.toml").write_text(tomli_w.dumps({"domains": [_safe(domain) for domain in domains]}))


def _columns(row: Row) -> tuple[list[str], str | None]:
    """The columns of pictures, and the one that says what they show. Raises ``UserError``."""
    pictures = [column for column, cell in row.cells.items() if _is_picture(cell)]
    if not pictures:
        said = f"{row.file} has the columns {', '.join(row.cells) or 'that nobody can name'}, and none of them"
        raise UserError(f"{said} holds pictures in its first row: paths that end in .png, .jpg and so on, or bytes")
    if len(pictures) > 1:
        return pictures, None
    return pictures, next((column for column in row.cells if column.lower() in LABELS), None)


def _is_picture(cell: Any) -> bool:
    if isinstance(cell, dict):
        return "bytes" in cell and "path" in cell
    return isinstance(cell, bytes) or (isinstance(cell, str) and is_picture(cell))


def _split(row: Row) -> str:
    """The folder of the row's split: train, or what its own is called."""
    own = next((str(cell) for column, cell in row.cells.items() if column.lower() in SPLITS and cell), row.split)
    if not own or own.lower() in TRAIN:
        return "train"
    return own.lower() if own.lower() in TEST else _safe(own)


def _stem(cell: Any) -> str:
    path = cell.get("path") if isinstance(cell, dict) else cell if isinstance(cell, str) else None
    return _safe(Path(path).stem) if path else ""


def _safe(name: str) -> str:
    """A name that is one part of a path, on Windows too."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name).lstrip(".")


def _put(cell: Any, row: Row, place: Path) -> None:
    """Writes the picture of a cell to ``place`` with its ending, or a link to its file. Raises ``UserError``."""
    place.parent.mkdir(parents=True, exist_ok=True)
    data, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, cell)
    if isinstance(data, bytes):
        suffix = Path(path).suffix.lower() if isinstance(path, str) else ""
        place.with_name(place.name + (suffix if suffix in SUFFIXES else _suffix(data, row))).write_bytes(data)
        return
    source = Path(str(path)).expanduser()
    found = next((p for p in (row.file.parent / source, source) if p.is_file()), None)
    if found is None:
        raise UserError(f"{row.file}, row {row.number}: there is no file {source}; paths count from the table's folder")
    _link(
        found.resolve(),
        place.with_name(place.name + (".nii.gz" if is_volume(source) and source.suffix == ".gz" else source.suffix)),
    )


def _suffix(data: bytes, row: Row) -> str:
    with suppress(Exception), Image.open(BytesIO(data)) as image:
        return f".{str(image.format).lower()}".replace(".jpeg", ".jpg").replace(".tiff", ".tif")
    raise UserError(f"{row.file}, row {row.number}: what it holds is no picture that can be read here")


def _link(source: Path, place: Path) -> None:
    for make in (os.symlink, os.link, shutil.copyfile):  # Windows lets few people link
        with suppress(OSError, NotImplementedError):
            make(source, place)
            return
    raise UserError(f"{source} could not be linked to {place}")


def _digest(table: Path) -> str:
    """What tells the table from another: the hash of a file, or of the names and sizes of a folder's."""
    if table.is_file():
        return sha256_of(table)
    listed = sorted((str(p.relative_to(table)), p.stat().st_size) for p in table.rglob("*") if p.is_file())
    return hashlib.sha256(repr(listed).encode()).hexdigest()
