"""What every benchmark prints about where it ran, and how it compares: interleaved, by the median of ratios."""

import os
import platform
import statistics
import time
from collections.abc import Callable

import torch


def describe(device: torch.device | None = None) -> str:
    """Versions, processor and threads, and the CUDA card where the work is done on one, in one line."""
    try:
        with open("/proc/cpuinfo") as file:
            cpu = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    card = f"{torch.cuda.get_device_name(device)}, " if device is not None and device.type == "cuda" else ""
    return (
        f"{card}Python {platform.python_version()}, torch {torch.__version__}, {cpu}, "
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    )


def finished(device: torch.device) -> int:
    """1, once the device has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1


def interleave(rounds: int, **contestants: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each contestant, taken in turns, so that a busy moment of the machine hits all alike.

    Each contestant does its work when called; what it returns is how much (steps, pictures), to divide by. The first
    round warms up and is left out.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(rounds + 1):
        for name, work in contestants.items():
            start = time.perf_counter()
            amount = work()
            if i:
                seconds[name].append((time.perf_counter() - start) / amount)
    return seconds


def table(seconds: dict[str, list[float]], unit: str) -> str:
    """Milliseconds and, against the first contestant, the median of the rounds' ratios with their quartiles."""
    (base, *_) = seconds.values()
    lines = [f"| {'':32} | ms / {unit} | times as fast | quartiles |", f"|{'-' * 34}|---|---|---|"]
    for name, values in seconds.items():
        ratios = sorted(b / v for b, v in zip(base, values, strict=True))
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        ms = 1e3 * statistics.median(values)
        lines.append(f"| {name:32} | {ms:.1f} | {middle:.2f} | {low:.2f} – {high:.2f} |")
    return "\n".join(lines)
