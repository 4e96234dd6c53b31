"""Bring a verified archive to disk, and make a folder appear whole or not at all.

Everything unfinished lives under a dotted name beside the final folder, which appears by one rename: whatever
kills the process, and whenever, a data set is whole or absent.

    .NAME.zip.part    the transfer so far; the next attempt continues it
    .NAME.unpacking   what is being unpacked or made; the next attempt removes it
    .NAME.lock        held while one process works, so that a second one waits instead of interfering
"""

import errno
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from cyclegan.system.errors import UserError

STALLS = 2  # attempts that bring less than a hundredth of the file, before the next mirror is asked
MORE_ROOM = "make room there, or let CYCLEGAN_DATASETS name a folder on a larger disk"



class _Refused(Exception):
    """This mirror does not have the file; asking it again would not help."""


def place(target: Path, build: Callable[[Path], Path]) -> None:
    """Make the folder `target` appear whole or not at all.

    `build(work)` receives a path that does not exist yet, makes what it likes at that path and returns the
    folder to rename to `target`. Nothing happens when `target` is there already, also when another process
    made it meanwhile. Raises UserError when the disk is full or not writable; what else `build` raises passes
    through. Either way `work` is gone.
    """
    from filelock import FileLock, Timeout

    work = target.with_name(f".{target.name}.unpacking")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.with_name(f".{target.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"Another process is preparing {target}; waiting for it")
            lock.acquire()
        try:
            if filled(target):
                return
            if work.exists():  # left by an attempt that was killed
                shutil.rmtree(work)
            ready = build(work)
            if target.exists():  # empty, or `filled` would have said so
                target.rmdir()
            ready.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
            lock.release()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(f"the disk that holds {target.parent} is full: {MORE_ROOM}") from error
        where = f" ({error.filename})" if error.filename else ""
        raise UserError(f"cannot prepare {target}: {error.strerror or error}{where}") from error


def filled(folder: Path) -> bool:
    """Whether `folder` is there with something in it."""
    return folder.is_dir() and any(folder.iterdir())


def require_space(folder: Path, needed: int) -> None:
    """Raise UserError unless `needed` bytes are free in `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        found = f"{megabytes(free)} are free in {folder} and {megabytes(needed)} are needed"
        raise UserError(f"{found}: {MORE_ROOM}")


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


def sha256_of(path: Path) -> str:
    import pooch

    return pooch.file_hash(str(path), alg="sha256")


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
