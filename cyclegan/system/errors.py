"""What the user can put right, and how a command says it: one sentence, an exit code, no traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from threading import current_thread, main_thread

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # full, or a limit of the user or the process

_heard: list[bool] = []  # Ctrl-C since the command began


class UserError(ValueError):
    """Something the user can put right: one sentence that says what is wrong and what to do.

    Every command, the page and the Python API raise this family for wrong input and for nothing else.
    ``exit_code`` is what a command returns for it.
    """

    exit_code = 2


class ImageError(UserError):
    """A picture or a folder of pictures cannot be used; the message names it, says why, and what to do."""


class WeightsError(UserError):
    """A file that is no network of ours, or weights that do not fit the architecture beside them."""


class MissingPackage(UserError):
    """An optional package is not installed; the message says how to install it."""

    def __init__(self, what: str, package: str, extra: str):
        super().__init__(f"{what} needs the package {package}: pip install 'cyclegan-toolkit[{extra}]'")


def require(what: str, extra: str, *modules: str) -> None:
    """Raises ``MissingPackage`` unless all ``modules`` can be imported, at once instead of after minutes of work."""
    for module in modules:
        if find_spec(module) is None:
            raise MissingPackage(what, module.replace("_", "-"), extra)


def command(prog: str, body: Callable[[], int], on_interrupt: str = "Stopped.") -> int:
    """Runs the body of a command; returns its exit code, and prints what the user can put right as one line.

    Exit codes: those of ``body``; 2 (or the error's own) for a ``UserError``; 1 where the operating system refused to
    read or write, as a full disk does; 130 for Ctrl-C.
    """
    try:
        with _listening():
            return body()
    except UserError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if not error.errno:  # a library's own exception, which somebody forgot to catch
            raise
        where = f"{error.filename}: " if error.filename else ""
        kept = "; what was saved before is whole" if error.errno in NO_ROOM else ""
        print(f"{prog}: {where}{error.strerror}{kept}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(on_interrupt, file=sys.stderr)
        return 130


def heed_interrupt() -> None:
    """Raises the ``KeyboardInterrupt`` of a Ctrl-C that something swallowed since the command began.

    Libraries do, while they are imported: by an ``except`` without a name, or where Python itself ignores exceptions.
    """
    if _heard:
        raise KeyboardInterrupt


@contextmanager
def _listening() -> Iterator[None]:
    """Remembers a Ctrl-C beside raising it, unless somebody else deals with signals."""
    before = signal.getsignal(signal.SIGINT)
    if before not in (_leave, signal.default_int_handler) or current_thread() is not main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _heard.clear()


def _interrupt(*_: object) -> None:
    _heard.append(True)
    raise KeyboardInterrupt


def leave_on_interrupt() -> None:
    """Lets Ctrl-C end a command with one line while its modules are imported, until ``command`` takes over."""
    signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> None:
    print("Stopped.", file=sys.stderr, flush=True)
    os._exit(130)  # nothing has begun, and an exception could be swallowed by what is being imported
