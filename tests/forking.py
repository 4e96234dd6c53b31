"""Work in forks of this process, which begin at once: what training imports is imported here, once.

Forks compute with one thread, as PyTorch's pool of threads does not survive a fork. Needs POSIX.
"""

import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable

import kornia  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.figure  # noqa: F401
import torch
import torch.utils.tensorboard

import cyclegan.data.samples
import cyclegan.models.cyclegan
import cyclegan.train.session  # noqa: F401

SECONDS = 60  # of the processor for one fork: far more than any needs


def start(work: Callable[[], object]) -> int:
    """Runs ``work`` in a fork; returns the process's number. Its exit code is 0 unless it raises."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        torch.set_num_threads(1)
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def killed(work: Callable[[], object]) -> bool:
    """Runs ``work`` in a fork; returns whether a SIGKILL ended it."""
    _, status = os.waitpid(start(work), 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def together(count: int, work: Callable[[int], object]) -> list[int]:
    """Runs ``work(rank)`` in as many forks that find each other as those of ``torchrun`` do; their wait statuses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}

    def member(rank: int) -> None:
        os.environ.update(group, RANK=str(rank), LOCAL_RANK=str(rank))
        work(rank)

    children = {start(lambda rank=rank: member(rank)): rank for rank in range(count)}
    statuses = [-1] * count
    while children:
        for child in list(children):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                statuses[children.pop(child)] = status
                for other in children if status else ():  # which would wait for it for minutes
                    os.kill(other, signal.SIGKILL)
        time.sleep(0.005)
    return statuses
