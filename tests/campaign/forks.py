"""Attacked code in a process of its own, so that a crash is seen and a hang can be ended."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable

import forking

PATIENCE = 3600  # seconds by the clock for one attack: far more than any needs


def start(work: Callable[[], object], output: int | None = None) -> int:
    """Runs ``work`` in a fork, its words thrown away; returns the process's number. Exit code 0 unless it raises."""

    def silently():
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        result = work()
        if output is not None:
            os.write(output, json.dumps(result).encode())

    return forking.start(silently)


def outcome(work: Callable[[], str]) -> str:
    """What ``work`` returns, a word; or "crash" where the process died or raised, "hang" where it did not end."""
    reader, writer = os.pipe()
    child = start(work, writer)
    os.close(writer)
    end = time.monotonic() + PATIENCE
    while not (done := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < end:
        time.sleep(0.005)
    if not done[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        said = file.read()
    hung = not done[0] or (os.WIFSIGNALED(done[1]) and os.WTERMSIG(done[1]) in (signal.SIGXCPU, signal.SIGKILL))
    return json.loads(said) if said else "hang" if hung else "crash"


def counted(outcomes: list[str]) -> str:
    """2 refused, 1 translated."""
    words = sorted(set(outcomes), key=outcomes.count, reverse=True)
    return ", ".join(f"{outcomes.count(word)} {word}" for word in words)


def so_far(outcomes: list[str]) -> None:
    """Says every now and then what there is."""
    if len(outcomes) % 20 == 0:
        print(f"  {len(outcomes)}: {counted(outcomes)}", file=sys.stderr, flush=True)
