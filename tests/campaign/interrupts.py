"""Ctrl-C at random moments from the start of the command on: one line, never a traceback, and it goes on."""

import functools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from kills import FLAGS
from painted import paint

PATIENCE = 300  # seconds; a busy machine may need some for the step that is under way


def interrupts(count: int, seed: int) -> tuple[str, int]:
    """What ``count`` of them led to, in words, and how many to a traceback or another exit code."""
    for side in ("trainA", "trainB"):
        paint(Path("data") / side, 3, (220, 30, 30))
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what runs in the background is deaf to it
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "cyclegan.train", "data", *FLAGS, "--steps", "100000"]
    begun = time.monotonic()
    watched = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    for line in watched.stdout:
        if line.startswith("step 2/"):
            break
    start_takes = time.monotonic() - begun
    watched.kill()
    watched.communicate()
    draw, wrong, saved = random.Random(seed), 0, 0
    for _ in range(count):
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heard,
        )
        time.sleep(0.1 + draw.uniform(0, start_takes))  # before, Python itself is starting
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            said = f"{process.communicate()[0]}\nnot stopped after {PATIENCE} s"
        # To a shell both are 130: to leave with that number, or by the signal itself after the line.
        fine = process.returncode in (130, -signal.SIGINT) and "Traceback" not in said
        saved += "the same command goes on" in said
        wrong += not fine
        if not fine:
            print(f"  exit code {process.returncode}: {said[-400:]}", flush=True)
    return f"{count} times Ctrl-C: {saved} saved, {count - saved} had nothing to save, {wrong} tracebacks", wrong
