"""Bring a verified archive to disk: from the first mirror that has it, going on where it broke off."""

import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from cyclegan.system.files import megabytes, sha256_of
from cyclegan.system.terminal import say

STALLS = 2  # attempts that bring less than a hundredth of the file, before the next mirror is asked


class _Refused(Exception):
    """This mirror does not have the file; asking it again would not help."""


def download(urls: Sequence[str], size: int, sha256: str, part: Path) -> str:
    """Bring the archive to `part` from the first mirror that has it; "" once its size and sha256 are right.

    Otherwise what went wrong, mirror by mirror; what was transferred stays in `part` for the next attempt.
    Raises OSError when it cannot be written.
    """
    reasons = []
    for url in urls:
        reason = _from_mirror(url, part, size, sha256)
        if not reason:
            return ""
        reasons.append(f"{url}: {reason}")
    if part.exists() and part.stat().st_size == 0:
        part.unlink()
    return "; ".join(reasons)


def _from_mirror(url: str, part: Path, size: int, sha256: str) -> str:
    from requests import RequestException

    reason, stalls = "", 0
    while stalls < STALLS:
        if reason:
            time.sleep(1)
        start = part.stat().st_size if part.exists() else 0
        try:
            if start < size:
                if start or not reason:
                    here = f", of which {megabytes(start)} are here" if start else ""
                    say(f"Downloading {url} ({megabytes(size)}{here})")
                reason = "the connection broke off"  # what HTTP without a length cannot tell
                _transfer(url, part, size)
        except _Refused as error:
            return str(error)
        except RequestException as error:
            reason = _in_words(error)
        now = part.stat().st_size
        if now >= size:
            if now == size and sha256_of(part) == sha256:
                return ""
            part.unlink()
            reason = "the file there is not the one on the card (its sha256 differs)"
            if start == 0:
                return reason  # otherwise the fault may lie in the bytes that were kept: once more from 0
        elif now - start < size // 100:
            stalls += 1
    return reason


def _transfer(url: str, part: Path, size: int) -> None:
    """Append to `part` what is missing of the file at `url`.

    Raises _Refused when it is not there or not the right one, and requests' exceptions when the connection
    fails; `part` then holds what arrived.
    """
    import pooch

    with open(part, "ab") as file:
        start = file.tell()

        def inspect(response, **_):
            status, total = response.status_code, response.headers.get("Content-Length", "")
            if 400 <= status < 500 and status not in (408, 429):
                raise _Refused(f"HTTP {status}")
            if status == 206:
                total = response.headers.get("Content-Range", "").rpartition("/")[2]
            if status in (200, 206) and total.isdigit() and int(total) != size:
                raise _Refused(f"the file there has {int(total):,} bytes, the card says {size:,}")
            if status == 200:  # the whole file, whatever part of it was asked for
                file.seek(0)
                file.truncate()

        headers = {"Accept-Encoding": "identity"}  # compressed bytes would not add up to the card's
        if start:
            headers["Range"] = f"bytes={start}-"
        pooch.HTTPDownloader(
            progressbar=sys.stderr.isatty() and find_spec("tqdm") is not None,
            chunk_size=1 << 14,  # what is lost when the connection breaks; 1024, the default, is slow
            headers=headers,
            hooks={"response": inspect},
        )(url, _Bounded(file, size), None)


class _Bounded:
    """A file that takes `size` bytes and no more: a server that never stops must not fill the disk."""

    def __init__(self, file: BinaryIO, size: int):
        self.file, self.size = file, size
        self.flush = file.flush

    def write(self, chunk: bytes) -> int:
        if self.file.tell() + len(chunk) > self.size:
            raise _Refused(f"the file there has more than the card's {self.size:,} bytes")
        return self.file.write(chunk)


def _in_words(error: Exception) -> str:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    for kind, words in (
        (exceptions.SSLError, "its certificate was not accepted"),
        (exceptions.Timeout, "no answer in time"),
        (exceptions.ChunkedEncodingError, "the connection broke off"),
        (exceptions.ConnectionError, "no connection"),
    ):
        if isinstance(error, kind):
            return words
    return type(error).__name__
