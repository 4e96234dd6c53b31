"""From a configuration to a training that is ready to run: the one place that puts model, data and judge together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from cyclegan.data.pixels import to_signed, to_unit
from cyclegan.data.reading import Reading, Say
from cyclegan.data.source import SAMPLES, Source
from cyclegan.models import load_model
from cyclegan.models.game import Game
from cyclegan.system.devices import computes_bfloat16, process_count, process_rank
from cyclegan.system.randomness import seed_everything
from cyclegan.train.config import Config, TrainingConfig
from cyclegan.train.judge import Judge
from cyclegan.train.same_run import recorded_data

STILL = 4  # pictures of each domain that the samples show


@dataclass(frozen=True)
class Training:
    """What the loop needs besides the run folder."""

    config: Config
    source: Source
    game: Game
    still: tuple[Tensor, ...]  # fixed test pictures in [-1, 1] on the device, one tensor a domain; then their masks
    judge: Judge | None

    @property
    def steps(self) -> int:
        """Steps of the whole run: ``--steps``, or as many as its epochs have."""
        training = self.config.training
        in_epochs = training.epochs * len(self.source.samples) / (training.pictures * process_count())
        return training.steps or max(1, round(in_epochs))


def open_source(config: Config, say: Say = print) -> Source:
    """The data set of a configuration, fetched or made where it is not there yet. Raises ``UserError``."""
    training = config.training
    before = lambda name: recorded_data(config.runs / config.run_name(name))  # noqa: E731
    model = load_model(config.algorithm)
    reading = Reading(training.seed, training.cache * 1e9, training.skip_bad, model.masks, say, before)
    return SAMPLES[model.samples](config.dataset, config.data, config.pictures, reading)


def build(config: Config, source: Source, device: torch.device, say: Say = print) -> Training:
    """The game, its fixed pictures and its judge, on ``device``; ``say`` takes lines for the user.

    Sets the global random states. Raises ``UserError``.
    """
    training = config.training
    if getattr(config.model, "lambda_identity", 0) and len(set(source.channels)) > 1:
        say("No identity loss: the two domains have different numbers of channels.")
    if training.precision == "bfloat16" and not computes_bfloat16(device):
        say(f"--precision bfloat16: {device} has no instructions for it, so a step may take many times as long as with "
            "--precision float32.")  # fmt: skip
    seed_everything(training.seed + process_rank())
    game = build_game(config, source.channels, source.domains, device, source.augment_D)
    if process_count() > 1 and _has_batch_norm(game):
        say(f"The batch norms of each of the {process_count()} processes see the {training.batch} pictures of its own "
            "batch.")  # fmt: skip
    prepare(game, training)
    still = tuple(to_signed(pictures, device) for pictures in source.fixed(STILL, "stretch"))
    still += tuple(to_unit(masks, device) for masks in source.fixed_masks(STILL, "stretch"))
    judge = Judge(game, source, config) if training.eval_every else None
    return Training(config, source, game, still, judge)


def build_game(
    config: Config,
    channels: tuple[int, ...],
    domains: tuple[str, ...] | None = None,
    device: torch.device | str = "cpu",
    augment_D: Callable[[Tensor], Tensor] | None = None,
) -> Game:
    """The model of a configuration with its initial weights; on the device ``meta`` its shapes only."""
    pictures = config.pictures
    model: Any = load_model(config.algorithm)
    return model(
        config.model,
        size=pictures.size,
        channels=channels,
        device=device,
        seed=config.training.seed,
        augment_D=augment_D,
        whole_size=pictures.whole_size,
        **({"domains": domains} if domains else {}),
    )


def _has_batch_norm(game: Game) -> bool:
    networks = (net for player in game.players.values() for net in player.networks.values())
    return any(isinstance(layer, _BatchNorm) for net in networks for layer in net.modules())


def prepare(game: Game, config: TrainingConfig) -> None:
    """Puts the game's networks into the fastest form the device has; values stay those of a plain run.

    On CUDA: channels last, TF32 and autotuned convolutions. bfloat16 where it was asked for, and by itself on cards and
    processors that compute it. Channels last would slow instance norm down on a CPU. With several processes all begin
    with rank 0's weights.
    """
    cuda = game.device.type == "cuda"
    if config.precision == "bfloat16" or (config.precision == "auto" and computes_bfloat16(game.device)):
        game.precision = torch.bfloat16
    networks = [net for player in game.players.values() for net in player.networks.values()]
    if cuda:
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        for network in networks:
            if all(parameter.dim() < 5 for parameter in network.parameters()):  # voxels have no channels_last
                network.to(memory_format=torch.channels_last)
    if config.compile:
        for network in networks:
            network.compile()  # in place: the keys of its state dict stay as they are
    if process_count() > 1:
        for player in game.players.values():
            player.synchronise()
