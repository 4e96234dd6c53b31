"""The one downloader: goes on where it broke off, asks the next mirror, checks what came, and is bounded.

A server that never stops fills neither the disk nor the memory: no more is taken than the size that is known, or than a
limit.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from cyclegan.system.errors import UserError
from cyclegan.system.files import megabytes
from cyclegan.system.terminal import Progress, say

STALLS = 2  # attempts that bring less than a hundredth of the file, before the next mirror is asked
BLOCK = 1 << 14  # bytes; what is lost when the connection breaks
TIMEOUT = 30  # seconds without a byte


class NotFetched(UserError):
    """No mirror has the file; the message says what went wrong at each: "URL: reason; URL: reason"."""


class _Refused(Exception):
    """This mirror does not have the file; asking it again would not help."""


@dataclass(frozen=True)
class _Wanted:
    size: int | None  # bytes
    sha256: str | None
    limit: int  # bytes
    aloud: bool = True

    @property
    def most(self) -> int:
        return self.size or self.limit


def download(
    urls: Sequence[str], part: Path, *, size: int | None = None, sha256: str | None = None, limit: int = 0
) -> None:
    """Brings a file to ``part`` from the first of ``urls`` that has it.

    ``size`` in bytes and ``sha256`` are checked where they are given; without a size no more than ``limit`` bytes are
    taken. With a ``sha256`` it goes on after what is in ``part``; without, nobody could say whether that belongs to it.
    Raises ``NotFetched``, which leaves in ``part`` what came, and OSError where it cannot be written.
    """
    if part.is_symlink():  # a stranger's, and what it leads to would be written to
        part.unlink()
    reasons = []
    with open(part, "a+b") as file:
        for url in urls:
            reason = _from_mirror(url, file, _Wanted(size, sha256, limit))
            if not reason:
                return
            reasons.append(f"{url}: {reason}")
        kept = sha256 is not None and file.seek(0, 2) > 0
    if not kept:
        part.unlink()
    raise NotFetched("; ".join(reasons))


def fetch(url: str, limit: int) -> bytes:
    """The bytes behind a URL, ``limit`` of them at most. Raises ``NotFetched``."""
    file = BytesIO()
    if reason := _from_mirror(url, file, _Wanted(None, None, limit, aloud=False)):
        raise NotFetched(reason)
    return file.getvalue()


def _from_mirror(url: str, file: IO[bytes], wanted: _Wanted) -> str:
    """Appends to ``file`` what is missing of it; returns "", or what went wrong."""
    from requests import RequestException

    reason, stalls = "", 0
    while stalls < STALLS:
        if reason:
            time.sleep(1)
        if not wanted.sha256:
            _empty(file)
        start, done = file.seek(0, 2), False
        try:
            if wanted.aloud and (start or not reason):
                say(_announced(url, start, wanted))
            done = start == wanted.size or _transfer(url, file, wanted)
            reason = reason if done else "the connection broke off"  # what HTTP without a length cannot tell
        except _Refused as error:
            return str(error)
        except RequestException as error:
            reason = _in_words(error)
        if done:
            if not wanted.sha256 or _sha256(file) == wanted.sha256:
                return ""
            _empty(file)
            reason = "the file there is not the one on the card (its sha256 differs)"
            if start == 0:
                return reason  # otherwise the fault may lie in the bytes that were kept: once more from 0
        elif not wanted.sha256 or file.seek(0, 2) - start < (wanted.size or 0) // 100 + 1:
            stalls += 1
    return reason


def _announced(url: str, start: int, wanted: _Wanted) -> str:
    facts = [megabytes(wanted.size)] if wanted.size else []
    facts += [f"of which {megabytes(start)} are here"] if start else []
    return f"Downloading {url}" + (f" ({', '.join(facts)})" if facts else "")


def _transfer(url: str, file: IO[bytes], wanted: _Wanted) -> bool:
    """Appends what is missing; whether all of it came.

    Raises ``_Refused`` when it is not there or not the right one, and requests' exceptions when the connection fails.
    """
    import requests

    start = file.seek(0, 2)
    headers = {"Accept-Encoding": "identity"}  # compressed bytes would not add up to the card's
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if start and response.status_code == 416:  # nothing comes after what is here
            return True
        total = _total(response, wanted)
        if response.status_code == 200:  # the whole file, whatever part of it was asked for
            _empty(file)
        with Progress("Downloading", in_bytes=True, quiet=not wanted.aloud) as progress:
            progress.begin(total, Path(url).name, file.tell())
            for block in response.iter_content(BLOCK):
                if file.tell() + len(block) > wanted.most:
                    whose = f"the card's {wanted.size:,} bytes" if wanted.size else megabytes(wanted.limit)
                    raise _Refused(f"the file there has more than {whose}")
                file.write(block)
                progress.advance(len(block))
    file.flush()
    return file.tell() == (wanted.size or total or file.tell())


def _total(response: Any, wanted: _Wanted) -> int | None:
    """The size of the whole file, where the server says it; raises ``_Refused`` where that is a wrong one."""
    status = response.status_code
    if 400 <= status < 500 and status not in (408, 429):
        raise _Refused(f"HTTP {status}")
    response.raise_for_status()
    said = response.headers.get("Content-Length", "")
    if status == 206:
        said = response.headers.get("Content-Range", "").rpartition("/")[2]
    if not said.isdigit() or "Content-Encoding" in response.headers:
        return None
    total = int(said)
    if wanted.size and total != wanted.size:
        raise _Refused(f"the file there has {total:,} bytes, the card says {wanted.size:,}")
    if total > wanted.most:
        raise _Refused(f"the file there has {megabytes(total)}, and {megabytes(wanted.most)} are taken at most")
    return total


def _empty(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


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
