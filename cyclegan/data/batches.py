"""From samples to batches of uint8 tensors, read ahead in threads.

Pillow and NumPy release the interpreter lock while they decode and resize, all threads share one cache, and nothing has
to be pickled, which is what breaks worker processes on Windows and in notebooks.
"""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from cyclegan.data.samples import Samples


def batches(
    samples: Samples,
    first: int,
    count: int,
    batch: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    pinned: bool = False,
) -> Generator[tuple[Tensor, ...], None, None]:
    """``count`` batches from step ``first`` on: one uint8 tensor (batch, C, H, W) for each part of a sample.

    ``pinned`` memory is copied to a CUDA device without waiting; the readers bring the batches there.

    Step s holds the samples s·batch·world … (s+1)·batch·world - 1, dealt out to the ranks in turn, so that two
    processes see together what one with the doubled batch sees.
    """

    def collate(step: int) -> tuple[Tensor, ...]:
        start = step * batch * world
        drawn = [samples.sample(start + rank + i * world) for i in range(batch)]
        # Stacked by NumPy: in each thread that stacks, PyTorch would start a pool of threads of its own.
        parts = zip(*drawn, strict=True)
        stacked = (torch.from_numpy(np.stack([sample.numpy() for sample in part])) for part in parts)
        return tuple(part.pin_memory() if pinned else part for part in stacked)

    def finished(entry: int | Future) -> tuple[Tensor, ...]:
        return collate(entry) if isinstance(entry, int) else entry.result()

    steps = range(first, first + count)
    if workers == 0:
        yield from map(collate, steps)
        return
    executor = ThreadPoolExecutor(workers, thread_name_prefix="reader")
    try:
        ahead: deque = deque()
        for step in steps:
            # A batch whose pictures are all decoded is collated here: a handover between threads would cost more.
            start, stop = step * batch * world, (step + 1) * batch * world
            ready = all(map(samples.in_memory, range(start + rank, stop, world)))
            ahead.append(step if ready else executor.submit(collate, step))
            if len(ahead) > 2 * workers:
                yield finished(ahead.popleft())
        while ahead:
            yield finished(ahead.popleft())
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
