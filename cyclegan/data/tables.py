"""Tables of pictures, row by row: lists of paths in CSV and JSON, and data sets of Hugging Face in parquet and Arrow.

    pictures.csv, .tsv       a line of column names first
    pictures.jsonl           an object a line
    pictures.json            a list of objects, or one object of two lists of paths: {"horse": [...], "zebra": [...]}
    pictures.parquet         or a folder of such files, whose names begin with their split: train-00000-of-00004.parquet
    a folder of .arrow files, as ``datasets.save_to_disk`` leaves it, with a folder for each split or without

Parquet and Arrow are read by pyarrow (extra: ``tables``); what they hold of pictures is written out as it is.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from cyclegan.data.finding import is_picture, walk
from cyclegan.system.errors import MissingPackage, UserError

LISTS, PACKED = (".csv", ".tsv", ".jsonl", ".ndjson", ".json"), (".parquet", ".arrow")


class Row(NamedTuple):
    """One row: the file and the line that it stands in, its split where the place of the file says it, its cells."""

    file: Path
    number: int
    split: str
    cells: dict[str, Any]  # text, numbers, bytes, or Hugging Face's {"bytes": …, "path": …}


def is_table(path: Path) -> bool:
    """Whether a file is a table of this kind; or a folder holds such files, parquet or Arrow, and no pictures."""
    if not path.is_dir():
        return path.suffix.lower() in LISTS + PACKED
    first = next((file for file in walk(path) if is_picture(file) or file.suffix.lower() in PACKED), None)
    return first is not None and not is_picture(first)


def rows(table: Path) -> Iterator[Row]:
    """All rows, in order. Raises ``UserError`` for a file that cannot be read."""
    for file in _files(table) if table.is_dir() else [table]:
        split = _split_of(file, table) if table.is_dir() else ""
        try:
            for number, cells in enumerate(_READERS[file.suffix.lower()](file), 1):
                yield Row(file, number, split, cells)
        except UserError:
            raise
        except (OSError, ValueError, csv.Error) as error:
            raise UserError(f"{file} cannot be read as a table ({str(error).splitlines()[0]}): save it anew") from error


def fetch_tables(repository: str) -> Path:
    """The folder of the parquet files of OWNER/NAME on Hugging Face, cached by ``huggingface_hub``.

    Where it has none of its own, those that Hugging Face makes of every data set. Raises ``UserError``.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    for revision in ("main", "refs/convert/parquet"):
        try:
            found = Path(
                snapshot_download(repository, repo_type="dataset", revision=revision, allow_patterns="*.parquet")
            )
        except RepositoryNotFoundError as error:
            said = "and no such data set on Hugging Face (or it is private: log in first)"
            raise UserError(f"there is no folder {repository}, {said}") from error
        except LocalEntryNotFoundError as error:
            raise UserError(f"there is no folder {repository}, and Hugging Face could not be reached for it") from error
        except (OSError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"could not fetch {repository} from Hugging Face: {reason}") from error
        if _files(found):
            return found
    raise UserError(f"the data set {repository} on Hugging Face holds no parquet files")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in walk(folder) if path.suffix in PACKED and not path.name.startswith("cache-"))


def _split_of(file: Path, table: Path) -> str:
    """The split of a file in a folder: the name of its folder, or what its own begins with."""
    inside = file.relative_to(table).parts[:-1]
    if file.suffix == ".arrow":
        return inside[0] if inside else ""
    named = file.stem.split("-")[0]
    return named if "-" in file.stem or named in ("train", "test", "validation") else next(iter(inside[-1:]), "")


def _csv(file: Path) -> Iterator[dict[str, Any]]:
    with open(file, newline="", encoding="utf-8-sig") as opened:
        head = opened.readline()
        opened.seek(0)
        delimiter = max(",;\t", key=head.count)
        for line in csv.DictReader(opened, delimiter=delimiter):
            yield {str(key): value for key, value in line.items() if key}


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    with open(file, encoding="utf-8-sig") as opened:
        yield from (_object(json.loads(line)) for line in opened if line.strip())


def _json(file: Path) -> Iterator[dict[str, Any]]:
    content = json.loads(file.read_text(encoding="utf-8-sig"))
    if isinstance(content, dict) and content and all(isinstance(value, list) for value in content.values()):
        content = [dict(zip(content, row, strict=True)) for row in zip_longest(*content.values())]
    if not isinstance(content, list):
        raise UserError(f"{file} holds neither a list of objects nor lists of paths by domain")
    yield from map(_object, content)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"an object by column was expected, not {str(value)[:40]}")
    return value


def _parquet(file: Path) -> Iterator[dict[str, Any]]:
    from_pyarrow = _pyarrow("pyarrow.parquet")
    opened = from_pyarrow.ParquetFile(file)
    names = _label_names(opened.schema_arrow)
    for batch in opened.iter_batches(batch_size=64):
        yield from _named(batch.to_pylist(), names)


def _arrow(file: Path) -> Iterator[dict[str, Any]]:
    ipc = _pyarrow("pyarrow.ipc")
    with open(file, "rb") as opened, ipc.open_stream(opened) as stream:
        names = _label_names(stream.schema)
        for batch in stream:
            yield from _named(batch.to_pylist(), names)


def _named(cells: list[dict[str, Any]], names: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """The rows with the names of their labels in place of the numbers."""
    for row in cells:
        for column, labels in names.items():
            if isinstance(row.get(column), int) and 0 <= row[column] < len(labels):
                row[column] = labels[row[column]]
        yield row


def _label_names(schema: Any) -> dict[str, list[str]]:
    """The names of numbered labels by column, which Hugging Face keeps beside the schema."""
    stored = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(stored).get("info", {}).get("features", {}) if stored else {}
    return {
        column: feature["names"]
        for column, feature in features.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }


def _pyarrow(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackage("a data set in parquet or Arrow files", "pyarrow", "tables") from error


_READERS = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".parquet": _parquet,
    ".arrow": _arrow,
}
