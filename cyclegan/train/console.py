"""What a training says while it runs: a live line on a terminal, plain lines everywhere else."""

import time
from collections import deque

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cyclegan.system.terminal import clock


class TrainingProgress:
    """Epoch, pictures per second, time to go and losses.

    Args:
        total: steps in all.
        first: steps made before, by an earlier part of the run.
        images: pictures per domain in one step, over all processes.
        console: where to; a ``rich`` console.
        seconds: how long the earlier parts trained.
    """

    def __init__(self, total: int, first: int, images: int, console: Console, seconds: float = 0.0):
        self.total, self.images, self.console = total, images, console
        self.begin = time.monotonic() - seconds
        self.marks = deque([(time.monotonic(), first)], maxlen=50)
        self.live = None
        if console.is_terminal and not console.quiet:
            columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rest]}"))
            self.live = Progress(*columns, console=console)
            self.task = self.live.add_task("training", total=total, completed=first, rest="")
            self.live.start()

    def advance(self, step: int) -> None:
        """After each step; costs nothing that would wait for the device."""
        if self.live:
            self.live.update(self.task, completed=step)

    def speed(self, step: int) -> dict:
        """Seconds since training began, pictures per second and seconds to go, from what the last marks measured."""
        now = time.monotonic()
        self.marks.append((now, step))
        then, before = self.marks[0]
        rate = max(step - before, 1e-9) / max(now - then, 1e-9)
        return {
            "seconds": round(now - self.begin, 1),
            "images_per_second": rate * self.images,
            "eta_seconds": (self.total - step) / rate,
        }

    def show(self, record: dict, words: list[str]) -> None:
        """One logged interval, in words, and whatever else there is to say."""
        losses = "  ".join(f"{name} {value:.3f}" for name, value in record["losses"].items())
        pace = f"{record['images_per_second']:.2f} images/s  ETA {clock(record['eta_seconds'])}"
        if self.live:
            self.live.update(self.task, description=f"epoch {record['epoch']}", rest=pace)
            self.say(f"step {record['step']}  {losses}")
        else:
            self.say(f"step {record['step']}/{self.total}  epoch {record['epoch']}  {pace}  {losses}")
        for line in words:
            self.say(line)

    def say(self, line: str) -> None:
        """A line above the live one, or a plain one."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        if self.live:
            self.live.stop()
