"""Files that belong together, such as the two translators of a pair, appear as one.

A file system renames one name after the other, and a process may be killed in between. So the files are written into a
folder beside their places, which appears as ``.new`` by one rename: from then on they are the current ones, wherever
they lie, and move to their places one by one. Who reads one asks ``current`` where it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEW = ".new"


@contextmanager
def together(folder: Path) -> Iterator[Path]:
    """Gives an empty folder; what was written there takes its place in ``folder`` as one when all went well.

    Otherwise all that was in ``folder`` stays. One process at a time may do so. Raises OSError with the name of the
    file that was wanted where the disk refuses.
    """
    settle(folder)
    part = folder / f"{NEW}.part"
    _remove(part)
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(folder / NEW)
    except OSError as error:
        if error.filename and Path(error.filename).parent == part:
            error.filename = os.fspath(folder / Path(error.filename).name)
        raise
    finally:
        _remove(part)
    settle(folder)


def settle(folder: Path) -> None:
    """Moves what a killed process left under way to its place; no other may be writing."""
    new = folder / NEW
    if new.is_symlink():  # not ours: we make folders
        new.unlink()
    if new.is_dir():
        for file in sorted(new.iterdir()):
            os.replace(file, folder / file.name)
        new.rmdir()


def current(path: Path) -> Path:
    """Where the file that belongs at ``path`` is now: there, or still on its way."""
    waiting = path.parent / NEW / path.name
    return waiting if waiting.is_file() else path


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
