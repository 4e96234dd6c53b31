"""Many visitors at once: ``python app.py --port 7860``, and beside it ``python benchmarks/app.py``.

Every client sends a picture of its own again and again. Alone, before the load, it asks once: what comes back then is
what must come back under load, exactly, so that an answer lost or given to somebody else is counted.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tyro
from machine import describe
from PIL import Image


@dataclass(frozen=True)
class Options:
    """Load a running page with clients that translate pictures, and count what is lost or mixed up."""

    address: str = "http://127.0.0.1:7860/"
    """Where the page is."""
    translator: str = ""
    """Which translator; the page's first one by default."""
    clients: int = 20
    """How many at the same time."""
    seconds: float = 60.0
    """For how long."""
    side: int = 256
    """Height and width of the pictures, in pixels."""


@dataclass
class Visitor:
    """One client with its own picture."""

    client: object
    file: Path
    translator: str
    expected: bytes = b""
    seconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    mixed: int = 0

    def ask(self) -> bytes:
        from gradio_client import handle_file

        file, _ = self.client.predict(handle_file(str(self.file)), self.translator, api_name="/translate")
        with Image.open(file) as image:
            return image.convert("RGB").tobytes()

    def stay(self, end: float) -> None:
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                self.mixed += self.ask() != self.expected
                self.seconds.append(time.monotonic() - start)
            except Exception as error:  # whatever it is, the answer is lost
                self.lost.append(f"{type(error).__name__}: {error}")


def main() -> int:
    options = tyro.cli(Options, prog="python benchmarks/app.py")
    from gradio_client import Client

    with tempfile.TemporaryDirectory() as folder:
        visitors = []
        for i in range(options.clients):
            file = Path(folder) / f"{i}.png"
            colours = np.random.default_rng(i).integers(0, 256, (6, 6, 3), np.uint8)
            Image.fromarray(colours).resize((options.side, options.side), Image.Resampling.BICUBIC).save(file)
            client = Client(options.address, verbose=False, download_files=str(Path(folder) / f"answers{i}"))
            visitors.append(Visitor(client, file, options.translator))
        for visitor in visitors:
            visitor.expected = visitor.ask()
        assert len({visitor.expected for visitor in visitors}) == len(visitors), "the answers cannot be told apart"
        alone = [_timed(visitors[0].ask) for _ in range(5)]
        start = time.monotonic()
        threads = [threading.Thread(target=v.stay, args=(start + options.seconds,)) for v in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - start
    return _report(options, visitors, alone, took)


def _timed(work) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _report(options: Options, visitors: list[Visitor], alone: list[float], took: float) -> int:
    waits = sorted(second for visitor in visitors for second in visitor.seconds)
    lost = [reason for visitor in visitors for reason in visitor.lost]
    counts = [len(visitor.seconds) for visitor in visitors]
    figures = {
        "clients": options.clients,
        "picture": f"{options.side} x {options.side}",
        "seconds": round(took, 1),
        "answers": len(waits),
        "answers_per_second": round(len(waits) / took, 2),
        "median_wait": round(statistics.median(waits), 2),
        "95_percent_wait_below": round(waits[int(0.95 * (len(waits) - 1))], 2),
        "longest_wait": round(waits[-1], 2),
        "alone": round(statistics.median(alone), 3),
        "fewest_and_most_answers_of_a_client": [min(counts), max(counts)],
        "lost": len(lost),
        "mixed_up": sum(visitor.mixed for visitor in visitors),
    }
    print(describe())
    print(json.dumps(figures, indent=2))
    for reason in sorted(set(lost)):
        print(reason, file=sys.stderr)
    return 1 if lost or figures["mixed_up"] else 0


if __name__ == "__main__":
    sys.exit(main())
