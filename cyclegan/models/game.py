"""Goodfellow's two-player game, general: what every adversarial training shares.

A ``Player`` is a set of networks with one optimiser. It is the only place with backward, optimiser step, gradient
reduction over processes and weight averages. A ``Game`` is a set of players and one method, ``step``, that reads as
the algorithm in its paper. The training loop knows nothing else, so every model of this package trains in it.

One batch is one step: a critic that moves more often than its generator counts its own moves (``Player.moves``, which
the checkpoint holds) and lets the generator move in every n-th step.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from cyclegan.data.config import PicturesConfig
from cyclegan.system.devices import process_count

Factory = Callable[[list[nn.Parameter]], Optimizer]


def adam(lr: float, betas: tuple[float, float] = (0.9, 0.999)) -> Factory:
    """Adam (Kingma & Ba 2015) as a factory for ``Player``: one kernel for all tensors where the device has it."""

    def make(parameters: list[nn.Parameter]) -> Optimizer:
        fused = parameters[0].device.type in ("cpu", "cuda")  # meta has none
        return torch.optim.Adam(parameters, lr, betas, fused=fused)

    return make


def rmsprop(lr: float) -> Factory:
    """RMSprop (Tieleman & Hinton 2012) as a factory for ``Player``, as WGAN trains."""
    return partial(torch.optim.RMSprop, lr=lr)


def sgd(lr: float) -> Factory:
    """Plain gradient descent as a factory for ``Player``: w ← w - lr · ∂L/∂w."""
    return partial(torch.optim.SGD, lr=lr)


class Player:
    """Networks that move together: one optimiser, and optionally an exponential moving average (EMA) of the weights.

    Not an ``nn.Module``: it would register every network a second time.

    Args:
        networks: name → module, already on their device.
        optimizer: trainable parameters → their optimiser, for example ``adam(2e-4, (0.5, 0.999))``.
        ema: decay of the average per step, 0 for none. The decay warms up, so that a short run's average is not
            dominated by its random start. Buffers (the statistics of batch norms) are averaged as weights are.
        ema_of: names of the networks to average; all by default.
    """

    def __init__(
        self,
        networks: dict[str, nn.Module],
        optimizer: Factory,
        ema: float = 0.0,
        ema_of: Iterable[str] | None = None,
    ):
        self.networks, self.ema = networks, ema
        self.parameters = [p for net in networks.values() for p in net.parameters() if p.requires_grad]
        self.optimizer = optimizer(self.parameters)
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        names = networks if ema_of is None else ema_of
        self.averages = {name: self._average_of(networks[name]) for name in names} if ema else {}
        self.moves = 0
        self.parts = 1  # calls of ``move`` that make one move
        self._part = 0  # those that came since the last move
        self.waits = 0  # moves to let pass first, while another player catches up

    def _average_of(self, network: nn.Module) -> AveragedModel:
        average = AveragedModel(network, multi_avg_fn=self._lerp, use_buffers=True)
        average.n_averaged.fill_(1)  # at 0 the first update would copy; here the warm-up decides from the start
        return average.requires_grad_(False).eval()

    def _lerp(self, averages: list[Tensor], values: list[Tensor], _: Any) -> None:
        """averages ← decay · averages + (1 - decay) · values; counters, which are whole numbers, are copied."""
        decay = min(self.ema, self.moves / (self.moves + 9))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, 1 - decay)
        else:
            torch._foreach_copy_(averages, values)

    def move(self, loss: Tensor, rate: float = 1.0) -> None:
        """One descent step on ``loss`` (0-d) at ``rate`` × the optimiser's learning rate.

        Only this player's weights receive gradients: whatever else the graph passes through is left alone. With several
        ``parts`` the first calls add up gradients, and the last one steps on the mean of the losses. While the player
        ``waits``, nothing moves, and one wait is over instead.
        """
        if self.waits:
            self._part = (self._part + 1) % self.parts
            self.waits -= self._part == 0
            return
        if self._part == 0:
            self.optimizer.zero_grad(set_to_none=True)
        (loss / self.parts if self.parts > 1 else loss).backward(inputs=self.parameters)
        self._part = (self._part + 1) % self.parts
        if self._part:
            return
        self._reduce_gradients()
        for group, base in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = base * rate
        self.optimizer.step()
        self.moves += 1
        with torch.no_grad():
            for name, average in self.averages.items():
                average.update_parameters(self.networks[name])

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

    def best(self, name: str) -> nn.Module:
        """The network to show and to ship: the average where there is one."""
        return self.averages[name].module if name in self.averages else self.networks[name]

    def state_dict(self) -> dict:
        """Networks, averages, optimiser and the number of moves, for the checkpoint."""
        return {
            "networks": {name: net.state_dict() for name, net in self.networks.items()},
            "averages": {name: average.module.state_dict() for name, average in self.averages.items()},
            "optimizer": self.optimizer.state_dict(),
            "moves": self.moves,
            **({"waits": self.waits} if self.waits else {}),
        }

    def load_state_dict(self, state: dict) -> None:
        """Restores what ``state_dict`` gave, in place."""
        for name, net in self.networks.items():
            net.load_state_dict(state["networks"][name])
        for name, average in self.averages.items():
            average.module.load_state_dict(state["averages"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.moves = state["moves"]
        self.waits = state.get("waits", 0)

    def synchronise(self) -> None:
        """Gives every process the weights of the first, before training begins."""
        for net in self.networks.values():
            for tensor in (*net.parameters(), *net.buffers()):
                dist.broadcast(tensor.data, 0)
        for name, average in self.averages.items():
            average.module.load_state_dict(self.networks[name].state_dict())


class Game:
    """The base of every model: subclasses set ``players`` and write ``step``, ``preview`` and ``exports``.

    The constructor of every model takes ``(config, size, channels, domains, device, seed, augment_D, whole_size)``; see
    ``models.cyclegan.CycleGAN`` for what they mean. ``progress`` in [0, 1] is set by the loop before each step; the
    learning rate is a function of it.
    """

    kind: ClassVar[str] = "translator"  # what the exports are: translators, or generators from noise
    Config: ClassVar[type]  # a frozen dataclass: the model's own settings, which are its flags
    Data: ClassVar[type] = PicturesConfig  # the settings of its samples
    samples: ClassVar[str] = "unpaired"  # what a batch holds: a key of ``data.samples.SAMPLES``
    channels: ClassVar[tuple[int, ...]] = (3, 3)  # of each domain, where the data set does not say
    recipes: ClassVar[dict[str, dict[str, Any]]] = {"paper": {}}  # named sets of defaults of all settings
    ideals: ClassVar[dict[str, float]] = {}  # loss → its value where nobody can win any more, for the curves
    medians: ClassVar[dict[str, int]] = {}  # loss → values of the log over which its curve is median-filtered too
    masks: ClassVar[bool] = False  # whether ``step`` takes the masks of its pictures behind them
    divisible: ClassVar[bool] = False  # whether ``step_in_parts`` equals ``step``; see there

    players: dict[str, Player]
    progress: float = 0.0
    precision: torch.dtype | None = None  # bfloat16 where the device is fast at it
    device: torch.device

    def step(self, *batch: Tensor) -> dict[str, Tensor]:
        """One training step on a batch in [-1, 1]; returns its losses as detached 0-d tensors, not yet synchronised.

        A step may leave out a loss that it did not compute; the log averages over the steps that have it.
        """
        raise NotImplementedError

    def step_in_parts(self, parts: int, *batch: Tensor) -> dict[str, Tensor]:
        """``step``, but the batch goes through the networks in equal ``parts``, one after the other, to save memory.

        The players move once, on the mean of the parts' gradients. That is what the whole batch does to them where a
        model is ``divisible``: no turn depends on a move of the same step, and no norm on other pictures of the batch.
        What a step draws at random (dropout, ``augment_D``) is drawn in another order.
        """
        if parts == 1:
            return self.step(*batch)
        for player in self.players.values():
            player.parts = parts
        made = [self.step(*part) for part in zip(*(tensor.chunk(parts) for tensor in batch), strict=True)]
        return {name: torch.stack([losses[name] for losses in made]).mean(0) for name in made[0]}

    def generator_loss(self, *batch: Tensor) -> Tensor:
        """The generators' loss (0-d) with its graph: the turn that needs the most memory, for estimating it."""
        raise NotImplementedError

    @staticmethod
    def input_shapes(size: int, channels: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The shapes of a batch's tensors without their first dimension: by default a picture of each domain."""
        return [(c, size, size) for c in channels]

    def preview(self, *pictures: Tensor) -> dict[str, list[list[Tensor]]]:
        """Pictures to look at: title → rows of (C, H, W) tensors in [-1, 1].

        ``pictures`` are fixed test pictures, one tensor a domain, and behind them their masks as in ``step``, outside
        of which a translation shows its input; a model that makes pictures from noise has its own fixed latents
        instead. Leaves no trace in training.
        """
        raise NotImplementedError

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """What is left when training is over: file name → network and the header of its weights file."""
        return {}

    def notes(self, pictures: int, per_step: int) -> list[str]:
        """What to say before training on so many pictures, with ``per_step`` of them in a step."""
        return []

    def autocast(self) -> AbstractContextManager:
        """The precision of forward passes; backward follows it by itself."""
        if self.precision is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.precision)

    def state_dict(self) -> dict:
        """What all processes have in common, for the checkpoint."""
        return {name: player.state_dict() for name, player in self.players.items()}

    def load_state_dict(self, state: dict) -> None:
        """Restores what ``state_dict`` gave, in place."""
        for name, player in self.players.items():
            player.load_state_dict(state[name])

    def local_state(self) -> dict:
        """What each process has of its own, such as its pools, for the checkpoint."""
        return {}

    def load_local_state(self, state: dict) -> None:
        """Restores what ``local_state`` gave, in place."""
