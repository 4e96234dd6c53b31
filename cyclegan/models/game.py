"""What every adversarial training shares: players that move, and a game that says in which order.

A ``Player`` is a set of networks with one optimiser; it is the only place with backward, optimiser step, gradient
reduction over processes and weight averages. A ``Game`` is a set of players and one method, ``step``, that reads as
the algorithm in its paper. The loop (``run``) knows nothing else, so the relatives of CycleGAN train in it as well.
"""

import copy
from contextlib import nullcontext

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Player:
    """Networks that move together: Adam, and optionally an exponential moving average (EMA) of their weights.

    Not an ``nn.Module``: it would register every network a second time.

    Args:
        networks: name → module, already on their device.
        lr, betas: of Adam.
        ema: decay of the average per step, 0 for none. The decay warms up, so that a short run's average is not
            dominated by its random start.
    """

    def __init__(self, networks: dict[str, nn.Module], lr: float, betas: tuple[float, float], ema: float = 0.0):
        self.networks, self.lr, self.ema = networks, lr, ema
        self.parameters = [p for net in networks.values() for p in net.parameters() if p.requires_grad]
        fused = self.parameters[0].device.type in ("cpu", "cuda")  # one kernel for all tensors; meta has none
        self.optimizer = torch.optim.Adam(self.parameters, lr, betas, fused=fused)
        self.averages = {name: _frozen_copy(net) for name, net in networks.items()} if ema else {}
        self._kept = [p for net in self.averages.values() for p in net.parameters()]
        self._moving = [p for name in self.averages for p in networks[name].parameters()]
        self.moves = 0

    def move(self, loss: Tensor, rate: float = 1.0) -> None:
        """One descent step on ``loss`` (0-d) at ``rate`` × the learning rate.

        Only this player's weights receive gradients: whatever else the graph passes through is left alone.
        """
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=self.parameters)
        self._reduce_gradients()
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * rate
        self.optimizer.step()
        self.moves += 1
        self._average()

    def _reduce_gradients(self) -> None:
        """Averages the gradients over all processes, in one message."""
        if process_count() == 1:
            return
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= process_count()
        parts = flat.split([g.numel() for g in gradients])
        torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)])

    @torch.no_grad()
    def _average(self) -> None:
        if self._kept:
            decay = min(self.ema, self.moves / (self.moves + 9))
            torch._foreach_lerp_(self._kept, self._moving, 1 - decay)

    def best(self, name: str) -> nn.Module:
        """The network to show and to ship: the average where there is one."""
        return self.averages.get(name) or self.networks[name]

    def state_dict(self) -> dict:
        return {
            "networks": {name: net.state_dict() for name, net in self.networks.items()},
            "averages": {name: net.state_dict() for name, net in self.averages.items()},
            "optimizer": self.optimizer.state_dict(),
            "moves": self.moves,
        }

    def load_state_dict(self, state: dict) -> None:
        for name, net in self.networks.items():
            net.load_state_dict(state["networks"][name])
        for name, net in self.averages.items():
            net.load_state_dict(state["averages"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.moves = state["moves"]


def _frozen_copy(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network).requires_grad_(False).eval()


class Game:
    """The base of every model: subclasses set ``players`` and write ``step`` and ``preview``.

    ``progress`` in [0, 1] is set by the loop before each step; the learning rate is a function of it.
    """

    players: dict[str, Player]
    progress: float = 0.0
    precision: torch.dtype | None = None  # bfloat16 where the device is fast at it
    device: torch.device

    def step(self, *batch: Tensor) -> dict[str, Tensor]:
        """One training step on a batch in [-1, 1]; returns its losses as detached 0-d tensors, not yet synchronised."""
        raise NotImplementedError

    def preview(self, *batch: Tensor) -> dict[str, list[list[Tensor]]]:
        """Pictures to look at: title → rows of (C, H, W) tensors in [-1, 1]."""
        raise NotImplementedError

    def autocast(self):
        """The precision of forward passes; backward follows it by itself."""
        if self.precision is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.precision)

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """What is left when training is over: file name → network and the header of its weights file."""
        return {}

    def state_dict(self) -> dict:
        """What all processes have in common."""
        return {name: player.state_dict() for name, player in self.players.items()}

    def load_state_dict(self, state: dict) -> None:
        for name, player in self.players.items():
            player.load_state_dict(state[name])

    def local_state(self) -> dict:
        """What each process has of its own, such as its pools."""
        return {}

    def load_local_state(self, state: dict) -> None:
        pass


def process_rank() -> int:
    """This process's number among those that train together, 0 if it is alone."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def process_count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
