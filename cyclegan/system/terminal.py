"""What commands say: lines on standard error, progress on a terminal, times in words."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def say(line: str) -> None:
    """One line for the user on standard error, at once."""
    print(line, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Seconds as 1 d 2 h, 2 h 05 min, 3 min 10 s."""
    seconds = round(seconds)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days} d {h} h"
    if hours:
        return f"{h} h {m:02d} min"
    return f"{m} min {s:02d} s" if m else f"{s} s"


def track(items: Iterable[T], title: str, total: int) -> Iterable[T]:
    """Goes through ``items`` under a progress bar, which shows only on a terminal and leaves nothing behind."""
    from rich.console import Console
    from rich.progress import track as rich_track

    console = Console(stderr=True)
    return rich_track(items, title, total, console=console, disable=not console.is_terminal, transient=True)


class Progress:
    """A live line with the number done and the time to go, on a terminal; silent elsewhere."""

    def __init__(self, title: str, in_bytes: bool = False, quiet: bool = False):
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Live

        console = Console(file=sys.stderr)
        hidden = quiet or not console.is_terminal
        count = DownloadColumn() if in_bytes else MofNCompleteColumn()
        columns = (TextColumn("{task.description}"), BarColumn(), count, TimeRemainingColumn())
        self.live = Live(*columns, console=console, disable=hidden, transient=True)
        self.title = title

    def __enter__(self) -> Progress:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def begin(self, total: int | None, what: str, done: int = 0) -> None:
        """A new line for ``total`` things, of which ``done`` are done."""
        self.task, self.done = self.live.add_task(f"{self.title}, {what}", total=total, completed=done), float(done)

    def advance(self, count: int = 1) -> None:
        """``count`` more are done."""
        self.done += count
        self.reach(self.done)

    def reach(self, done: float) -> None:
        """At least so many are done, of which the last one may be so in part."""
        seen = self.live.tasks[self.task].completed
        self.live.update(self.task, completed=max(seen, done))
