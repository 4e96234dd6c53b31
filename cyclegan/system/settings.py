"""Settings given by name, from Python or by a card: each is checked against the type of the field it is for.

The command line has tyro for that.
"""

import os
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from cyclegan.system.errors import UserError

Group = TypeVar("Group")
_WORDS = {bool: "True or False", int: "a whole number", float: "a number"}
_WORDS |= {str: "text", Path: "a path", NoneType: "None"}
_NOTHING = object()


def replaced(group: Group, values: dict[str, Any]) -> Group:
    """``group``, a dataclass, with some of its fields replaced.

    A path may be text and a tuple a list or a single entry; they become what the field's type says. Raises
    ``UserError`` for what does not fit.
    """
    hints = get_type_hints(type(group))
    fitting = {name: _fitting(name, value, hints[name]) for name, value in values.items()}
    return replace(group, **fitting)  # type: ignore[type-var]


def _fitting(name: str, value: Any, hint: Any) -> Any:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for kind in kinds:
        found = _as(kind, value)
        if found is not _NOTHING:
            return found
    raise UserError(f"{name} takes {' or '.join(_words(kind) for kind in kinds)}, not {value!r}")


def _as(kind: Any, value: Any) -> Any:
    """``value`` as ``kind``, or ``_NOTHING`` where it is nothing of that kind."""
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else _NOTHING
    if get_origin(kind) is tuple:
        entries = [_as(get_args(kind)[0], entry) for entry in (value if isinstance(value, (list, tuple)) else [value])]
        return _NOTHING if _NOTHING in entries else tuple(entries)
    if kind in (str, Path) and isinstance(value, (str, os.PathLike)):
        return kind(value)
    if kind in (int, float) and isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool):
        return kind(value)
    return value if kind in (bool, NoneType) and isinstance(value, kind) else _NOTHING


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return f"{_words(get_args(kind)[0])} or several"
    return _WORDS[kind]
