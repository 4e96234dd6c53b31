"""Work in a thread of its own, which says how far it is and can be stopped. No gradio here."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator
from typing import Any

PATIENCE = 60  # seconds that stopped work gets for its last step


class Stopped(Exception):
    """The visitor pressed Cancel or Stop, asked for something else, or left."""


def in_background(
    work: Callable[[Callable[[Any], None]], Any], stop: threading.Event, every: float = 0.5
) -> Generator[Any, None, Any]:
    """Calls ``work(tell)`` in a thread and returns what it returns, or raises what it raises.

    Meanwhile it yields the last thing that ``tell`` was given (None before) every ``every`` seconds. ``tell`` raises
    ``Stopped`` after ``stop`` was set, which also happens where the generator is closed.
    """
    said: Any = None
    outcome: list = []

    def tell(progress: Any) -> None:
        nonlocal said
        said = progress
        if stop.is_set():
            raise Stopped

    def run() -> None:
        try:
            outcome.extend((work(tell), None))
        except BaseException as error:
            outcome.extend((None, error))

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    try:
        worker.join(every)
        while worker.is_alive():
            yield said
            worker.join(every)
    finally:
        if worker.is_alive():
            stop.set()
            worker.join(PATIENCE)
    result, error = outcome
    if error is not None:
        raise error
    return result


class Turn(threading.Event):
    """One thing that a visitor asked for; it is set where that shall end: for a newer one, or as it was cancelled."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.cancelled = number, False


class Turns:
    """What every visitor asked for last, by session: a new thing ends the one before."""

    def __init__(self) -> None:
        self._last: dict[str, Turn] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def begin(self, session: str) -> Turn:
        """A new turn of that visitor; the one before is set."""
        with self._lock:
            self._end(session)
            self._last[session] = turn = Turn(next(self._numbers))
        return turn

    def last(self, session: str) -> Turn | None:
        """The visitor's last turn; None where it was ended."""
        with self._lock:
            return self._last.get(session)

    def cancel(self, session: str) -> None:
        """Ends what the visitor has running."""
        with self._lock:
            if session in self._last:
                self._last[session].cancelled = True
                self._end(session)

    def _end(self, session: str) -> None:
        if turn := self._last.pop(session, None):
            turn.set()
