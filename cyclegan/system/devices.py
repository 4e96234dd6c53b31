"""Devices and processes: where a training runs and how it prepares for speed there."""

import os

import torch
import torch.distributed as dist

from cyclegan.models.game import Game, process_count
from cyclegan.train.config import ConfigError, TrainingConfig


def join_processes() -> int:
    """Joins the processes that ``torchrun`` started, if it did; returns this one's rank."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return 0
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return dist.get_rank()


def leave_processes() -> None:
    if process_count() > 1:
        dist.destroy_process_group()


def choose_device(wanted: str | None) -> torch.device:
    """The device asked for, or CUDA (each process its own card) where there is one, else the CPU.

    Raises ``ConfigError`` where PyTorch cannot use what was asked for.
    """
    if wanted is None:
        wanted = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--device {wanted} cannot be used here ({reason}); try --device cpu") from error
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def prepare(game: Game, config: TrainingConfig) -> None:
    """Puts the game's networks into the fastest form the device has; values stay those of a plain run.

    On CUDA: channels last, TF32 and autotuned convolutions, bfloat16 where the card computes it. On the CPU nothing
    changes: channels last slows instance norm down there. With several processes all begin with rank 0's weights.
    """
    cuda = game.device.type == "cuda"
    if config.precision == "bfloat16" or (config.precision == "auto" and cuda and torch.cuda.is_bf16_supported()):
        game.precision = torch.bfloat16
    networks = [net for player in game.players.values() for net in player.networks.values()]
    if cuda:
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        for network in networks:
            network.to(memory_format=torch.channels_last)
    if config.compile:
        for network in networks:
            network.compile()  # in place: the keys of its state dict stay as they are
    if process_count() > 1:
        for player in game.players.values():
            for tensor in player.parameters:
                dist.broadcast(tensor.data, 0)
            for name, average in player.averages.items():
                average.load_state_dict(player.networks[name].state_dict())
