"""Files and folders that appear whole or not at all, their locks, and the room that they need.

Everything unfinished has a dotted name beside the final one, which appears by one rename: whatever kills the process,
and whenever, a file or a folder is whole or absent.

    .NAME.PID.part    a file that is being written
    .new.part, .new   files that appear together, see ``file_sets``
    .NAME.unpacking   a folder that is being unpacked or made; the next attempt removes it
    .NAME.lock        held while one process works, so that a second one waits instead of interfering

Folders may come from strangers, so a link that lies at one of these names is removed and never followed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cyclegan.system.errors import NO_ROOM, UserError
from cyclegan.system.terminal import say

if TYPE_CHECKING:
    from filelock import FileLock

MORE_ROOM = "make room there, or let CYCLEGAN_DATASETS name a folder on a larger disk"


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a path to write to, beside ``path``; what was written there takes its place when all went well.

    Otherwise what was at ``path`` before stays. Makes the folder of ``path``. Raises OSError with the name of ``path``
    where the disk refuses. PyTorch's RuntimeError has that behind it only if PyTorch was given an open file: open one.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield part
        with open(part, "r+b") as file:  # Windows syncs only what is open for writing
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:
        refusal = _refusal(error)
        if refusal is None or (refusal.filename and str(part) not in map(str, (refusal.filename, refusal.filename2))):
            raise
        raise OSError(refusal.errno, refusal.strerror, os.fspath(path)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _refusal(error: BaseException | None) -> OSError | None:
    """The operating system's own error behind ``error``, if there is one."""
    while error is not None and not (isinstance(error, OSError) and error.errno):
        error = error.__cause__ or error.__context__
    return error


def write_whole(path: str | os.PathLike[str], data: bytes | memoryview | str) -> None:
    """Writes bytes, or text as UTF-8, the whole file or none; raises OSError."""
    with whole(path) as part:
        part.write_bytes(data.encode() if isinstance(data, str) else data)


def append(path: Path, text: str) -> None:
    """Adds text to the end of a file, made where it is not there; raises OSError with its name."""
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:  # of writing, which does not say where
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def sweep(folder: Path) -> None:
    """Removes the unfinished files of killed processes from ``folder`` and all below it; no other may be writing."""
    for part in folder.rglob(".*.part"):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def sweep_beside(targets: Iterable[Path]) -> None:
    """Removes what killed processes left of the files ``targets``; what others write, or still write, stays."""
    left: dict[Path, dict[str, list[Path]]] = {}  # in each folder, by the name of the file
    for target in targets:
        if target.parent not in left:
            left[target.parent] = _left_in(target.parent)
        for part in left[target.parent].get(target.name, ()):
            with suppress(OSError):  # a folder of that name is nobody's unfinished file
                part.unlink()


def _left_in(folder: Path) -> dict[str, list[Path]]:
    """Unfinished files of processes that are gone, by the name of the file."""
    found: dict[str, list[Path]] = {}
    for part in folder.glob(".*.part"):
        name, _, process = part.name.removesuffix(".part")[1:].rpartition(".")
        if process.isdecimal() and not _is_another(int(process)):
            found.setdefault(name, []).append(part)
    return found


def _is_another(process: int) -> bool:
    """Whether a process of this number runs beside this one."""
    if process == os.getpid() or os.name == "nt":  # Windows itself keeps what is open; its ``kill`` would end a process
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it is somebody else's
    return True


def lock(path: Path) -> FileLock:
    """The lock in the file ``path``, not taken yet; its folder has to be there."""
    from filelock import FileLock

    if path.is_symlink():  # what it leads to would be emptied
        path.unlink()
    return FileLock(path)


@contextmanager
def alone(target: Path, doing: str) -> Iterator[None]:
    """Waits until no other process is at ``target``, and keeps others waiting; ``doing`` says at what: "fetching"."""
    from filelock import Timeout

    target.parent.mkdir(parents=True, exist_ok=True)
    held = lock(target.with_name(f".{target.name}.lock"))
    try:
        held.acquire(timeout=0)
    except Timeout:
        say(f"Another process is {doing} {target}; waiting for it")
        held.acquire()
    try:
        yield
    finally:
        held.release()


def place(target: Path, build: Callable[[Path], Path]) -> None:
    """Makes the folder ``target`` appear whole or not at all.

    ``build(work)`` receives a path that does not exist yet, makes what it likes at that path and returns the folder to
    rename to ``target``. Nothing happens when ``target`` is there already, also when another process made it meanwhile.
    Raises ``UserError`` when the disk is full or not writable; what else ``build`` raises passes through. Either way
    ``work`` is gone.
    """
    work = target.with_name(f".{target.name}.unpacking")
    try:
        with alone(target, "preparing"):
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
    except OSError as error:
        if error.errno in NO_ROOM:
            raise UserError(f"the disk that holds {target.parent} is full: {MORE_ROOM}") from error
        where = f" ({error.filename})" if error.filename else ""
        raise UserError(f"cannot prepare {target}: {error.strerror or error}{where}") from error


def filled(folder: Path) -> bool:
    """Whether ``folder`` is there with something in it."""
    return folder.is_dir() and any(folder.iterdir())


def require_space(folder: Path, needed: int) -> None:
    """Raises ``UserError`` unless ``needed`` bytes are free in ``folder``."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        found = f"{megabytes(free)} are free in {folder} and {megabytes(needed)} are needed"
        raise UserError(f"{found}: {MORE_ROOM}")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def megabytes(size: int) -> str:
    """A number of bytes for people: 233.7 MB."""
    return f"{size / 1e6:,.1f} MB"
