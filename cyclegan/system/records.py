"""What a run keeps in JSON, read with care: the files may be damaged, or come from a stranger."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any

from cyclegan.system.errors import UserError

LARGEST = 1 << 24  # bytes of one file; a run's own have some kilobytes
GROUPS = ("model", "pictures", "training")  # of a run's settings
LAST_STEP = 10**12  # no run gets there, and larger numbers are hostile


def as_object(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object that ``text`` is; None for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number of thousands of digits, or nested too deeply
        return None
    return value if isinstance(value, dict) else None


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; {} where there is no file. Raises ``UserError`` for anything else, and OSError."""
    if not path.is_file():
        return {}
    found = as_object(path.read_bytes()) if path.stat().st_size <= LARGEST else None
    if found is None:
        raise UserError(f"{path} is damaged: put a copy in its place, or remove it")
    return found


def run_settings(folder: Path) -> dict[str, Any]:
    """The settings of the run in ``folder``, its config.json: text as algorithm and dataset, and an object a group.

    {} where there is none. Raises ``UserError`` where the file is damaged.
    """
    path = folder / "config.json"
    if not (settings := read_object(path)):
        return {}
    settings.setdefault("algorithm", "cyclegan")
    for key in ("algorithm", "dataset", "data", *GROUPS):
        kind, what = (dict, "settings") if key in GROUPS else (str, "text")
        value = settings.setdefault(key, None if key == "data" else kind())
        if not (isinstance(value, kind) or (value is None and key == "data")):
            raise UserError(f"{path} is damaged: its {key} is not {what}; put a copy in its place, or remove it")
    return settings


def is_log_record(record: dict[str, Any]) -> bool:
    """Whether a line of log.jsonl is what a training writes: a step, losses, and figures that are numbers."""
    figures = [record.get(key, 0) for key in ("epoch", "seconds", "images_per_second", "eta_seconds")]
    warnings = record.get("warnings", [])
    return (
        _is_step(record.get("step"))
        and _is_table(record.get("losses"))
        and all(_is_table(record.get(key, {})) for key in ("metrics", "change"))
        and all(len(name.split(" ")) == 3 for name in record.get("metrics", {}))
        and all(_is_number(figure) and isfinite(figure) for figure in figures)
        and isinstance(warnings, list)
        and all(isinstance(warning, str) for warning in warnings)
    )


def _is_step(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LAST_STEP


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= 100 and all(map(_is_number, value.values()))


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) <= LAST_STEP)
