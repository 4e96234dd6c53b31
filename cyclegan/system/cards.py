"""Cards: TOML files, one for each data set and each pretrained model, by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cyclegan.system.errors import UserError

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


LARGEST = 1 << 20  # bytes of a card


def package_folder(kind: str) -> Path:
    """The package's folder ``kind``, "datasets" or "pretrained": inside a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    return package / kind if (package / kind).is_dir() else package.parent / kind


def card_files(kind: str, own: Path) -> dict[str, Path]:
    """Name → card, in alphabetical order: the package's of that ``kind``, and the user's in the folder ``own``.

    Where both have one of the same name, the user's counts.
    """
    found = {path.stem: path for folder in (package_folder(kind), own) for path in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def read_card(path: Path) -> dict[str, Any]:
    """What a card says. Raises ``UserError`` for what is no TOML or no file of a card's size, and OSError."""
    if path.exists() and not (path.is_file() and path.stat().st_size <= LARGEST):
        raise UserError(f"the card {path} is no file of at most {LARGEST:,} bytes")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UserError(f"the card {path} is not valid TOML: {error}") from error
    except RecursionError:
        raise UserError(f"the card {path} is not valid TOML: it is nested too deeply") from None


def hint(name: str, known: Iterable[str]) -> str:
    """What to say to somebody who typed a ``name`` that is not ``known``: the nearest ones, or all."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
