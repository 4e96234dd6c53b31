"""Devices and processes: where a training runs, and what its processes tell each other."""

import os
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from cyclegan.system.errors import UserError

T = TypeVar("T")
AS_LONG_AS_IT_TAKES = timedelta(days=365)  # for processes that share out work of any length


def choose_device(wanted: str | None) -> torch.device:
    """The device asked for, or CUDA (each process its own card) where there is one, else the CPU.

    A number alone is that of a CUDA card, and ``gpu`` is CUDA.

    Raises ``UserError`` where PyTorch cannot use what was asked for.
    """
    if wanted is None:
        wanted = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    named = wanted.strip().lower().replace("gpu", "cuda")
    try:
        device = torch.device(f"cuda:{named}" if named.isdecimal() else named)
        device = torch.empty(1, device=device).device  # with the number that "cuda" alone leaves out
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--device {wanted} cannot be used here ({reason}); try --device cpu") from error
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16, and does not emulate it, which is slower than float32.

    On CPUs those are avx512_bf16 and AMX.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, name, lambda: False)() for name in asked)


def join_processes(device: torch.device, patience: timedelta | None = None) -> int:
    """Joins the processes that ``torchrun`` started, if it did; returns this one's rank.

    The backend follows the device that was chosen: gloo reduces tensors on the CPU, NCCL those on CUDA. ``patience`` is
    how long they wait for each other, by default as long as PyTorch has it: half an hour.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return 0
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=patience)
    return dist.get_rank()


def leave_processes() -> None:
    """Leaves the group of processes, where there is one."""
    if process_count() > 1:
        dist.destroy_process_group()


def process_rank() -> int:
    """This process's number among those that train together, 0 if it is alone."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def process_count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def from_first(value: T) -> T:
    """The first process's value, on all of them."""
    if process_count() == 1:
        return value
    holder = [value]
    dist.broadcast_object_list(holder, src=0)
    return holder[0]


def from_all(value: T) -> list[T]:
    """The values of all processes, in the order of their ranks, on all of them."""
    if process_count() == 1:
        return [value]
    values: list[Any] = [None] * process_count()
    dist.all_gather_object(values, value)
    return values


def anyone(flag: bool) -> bool:
    """Whether ``flag`` is true in at least one process; all have to ask."""
    if process_count() == 1:
        return flag
    votes = torch.tensor(int(flag))
    dist.all_reduce(votes)
    return bool(votes.item())
