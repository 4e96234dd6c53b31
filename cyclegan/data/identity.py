"""Which pictures a data set holds, in a few kilobytes: enough to know it again, wherever it lies.

A path does not say it: ``cats/dataset`` and ``dogs/dataset`` have the same last part, and a folder may move.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

MOST = 256  # pictures of each domain that are remembered
HEAD = 1 << 16  # bytes of each that are read
PLACE = 8  # hexadecimal digits that say which pictures are remembered; as many say what is in them


def fingerprints(files: Sequence[Path]) -> list[str]:
    """One fingerprint of each picture, of at most ``MOST``, in order: of its name, its size and its first bytes.

    Where there are more, the hashes of the names choose: so the choice stays nearly the same when pictures come or go.
    """
    places = sorted((_hash(path.name.encode()), path) for path in files)
    return sorted(place + _hash(_head(path)) for place, path in places[:MOST])


def share_kept(before: Sequence[str], now: Sequence[str]) -> float:
    """The share of the pictures ``before`` that are there ``now``: 1 where none is missing or changed, 0 for others.

    Of two long lists only the part that both could have chosen is compared.
    """
    full = [prints for prints in (before, now) if len(prints) == MOST]
    last = min((prints[-1][:PLACE] for prints in full), default="g")  # behind every hexadecimal digit
    compared = {entry for entry in before if entry[:PLACE] <= last}
    return len(compared & set(now)) / max(1, len(compared))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:PLACE]


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return b"%d " % path.stat().st_size + file.read(HEAD)
