"""How far a translation is, and a way to end it: what ``Translator`` calls ``watch``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

Watch = Callable[[float], Any]  # is told the share of the work that is done, 0 to 1; what it raises ends the work
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)  # where the time goes


@contextmanager
def watched(network: nn.Module, watch: Watch | None) -> Iterator[None]:
    """Tells ``watch`` after every convolution of one call of ``network``, which other threads may be calling too."""
    if watch is None:
        yield
        return
    mine, layers, done = threading.get_ident(), [m for m in network.modules() if isinstance(m, CONVOLUTIONS)], 0

    def tell(*_: Any) -> None:
        nonlocal done
        if threading.get_ident() == mine:
            done += 1
            watch(min(1.0, done / len(layers)))

    hooks = [layer.register_forward_hook(tell) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def part_of(watch: Watch | None, before: int, count: int, total: int) -> Watch | None:
    """For the work on ``count`` of ``total`` things, of which ``before`` are done: its share becomes that of all."""
    return watch and (lambda share: watch((before + count * share) / total))
