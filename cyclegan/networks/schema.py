"""What an architecture may say: bounds that every network keeps, checked before anything is built.

Weights files come from strangers, and a header that asks for a million blocks would be built for ever.
"""

from math import isfinite
from typing import Any

from cyclegan.system.errors import UserError

PARAMETERS = 10**9  # of one network, at most
_MOST = {"blocks": 256, "levels": 16, "size": 4096, "width": 4096, "latent": 65536, "palette": 4096}
_FEWEST = {"blocks": 0}
_MOST_OF_OTHERS = 65536  # channels and such
_TEXTS = {"name", "norm", "up", "prior"}
_PROVENANCE = {"dataset": str, "class": str, "resize": str, "licence": str}  # the keys that are read again
_PROVENANCE |= {"steps": int, "ema": (int, float), "seen": list}  # type: ignore[dict-item]
_FRACTIONS = {"dropout", "noise", "momentum", "eps"}  # 0 to 1


def check_architecture(architecture: dict) -> None:
    """Raises ``UserError`` with one sentence for the first entry that no network here could have."""
    for key, value in architecture.items():
        if not _fits(key, value):
            raise UserError(f"the architecture has {key} = {_short(value)}, which no network here can have")


def _fits(key: str, value: Any) -> bool:
    if key in _TEXTS:
        return isinstance(value, str) and len(value) < 100
    if isinstance(value, list):
        return len(value) <= 64 and all(_fits(key, entry) and not isinstance(entry, list) for entry in value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, float):
        return isfinite(value) and (0 <= value < 1 if key in _FRACTIONS else abs(value) <= 1e6)
    if isinstance(value, int):
        if key in _FRACTIONS:
            return value == 0
        return _FEWEST.get(key, 0 if key == "residual" else 1) <= value <= _MOST.get(key, _MOST_OF_OTHERS)
    return isinstance(value, str) and len(value) < 100 and key not in _MOST


def check_size(size: Any) -> None:
    """Raises ``UserError`` unless ``size`` is a number of pixels, or None where nobody knows."""
    if size is not None and not (type(size) is int and 1 <= size <= 65536):
        raise UserError(f"the header has size {_short(size)}, which is no number of pixels")


def check_provenance(provenance: Any, where: str) -> None:
    """Raises ``UserError`` unless ``provenance`` is a table whose well-known keys have values of their kind."""
    if not isinstance(provenance, dict):
        raise UserError(f"{where} is {_short(provenance)}, and should be a table")
    for key, kind in _PROVENANCE.items():
        if key in provenance and (not isinstance(provenance[key], kind) or isinstance(provenance[key], bool)):
            raise UserError(f"{where} has {key} = {_short(provenance[key])}, which is nothing of that kind")
    if not all(isinstance(name, str) for name in provenance.get("seen", [])):
        raise UserError(f"{where} has seen = {_short(provenance['seen'])}, which should be names of networks")


def _short(value: Any) -> str:
    if isinstance(value, int) and abs(value) > 10**30:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
