"""WGAN: a critic that estimates the Wasserstein distance (Arjovsky et al. 2017, arXiv:1701.07875).

And with ``--penalty`` WGAN-GP, which bounds the critic's slope by a penalty and clips nothing (Gulrajani et al. 2017,
arXiv:1704.00028).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Player, adam, rmsprop
from cyclegan.models.losses import gradient_penalty, raw_generator, wasserstein_discriminator
from cyclegan.networks.convolutional import DCGANDiscriminator, doublings
from cyclegan.networks.layers import initialise
from cyclegan.system.errors import UserError

# The authors' code, main.py: long rounds of the critic at the start and now and then.
LONG, FIRST, AGAIN = 100, 25, 500


@dataclass(frozen=True)
class WGANConfig:
    """Networks and optimiser of WGAN; the paper's by default. One training step is one step of the critic."""

    latent: int = 100
    """Numbers that a picture starts from, each from N(0, 1)."""
    width: int = 64
    """Channels next to the picture, in both networks; they double with each halving of the picture."""
    critic_steps: int = 5
    """Steps of the critic to one of the generator; 100 in its first 25 and in every 500th, unless with --penalty."""
    clip: float = 0.01
    """Clip the critic's weights to plus or minus this after each of its steps."""
    penalty: bool = False
    """WGAN-GP instead: a penalty on the critic's slope, no clipping, no batch norm in the critic, and Adam."""
    lambda_penalty: float = 10.0
    """Weight of that penalty."""
    lr: float | None = None
    """Learning rate. Default: 5e-5 of RMSprop, and 1e-4 of Adam with --penalty."""
    ema: float = 0.0
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights. Batch
    norms are per process: with several, each takes the statistics of its own part of the batch."""

    def architecture(self, size: int, channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        doublings(size)
        return {"name": "dcgan", "size": size, "out_channels": channels, "width": self.width, "latent": self.latent}

    def seen(self) -> list[str]:
        """No feature network judges while training."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if min(self.latent, self.width, self.critic_steps) < 1:
            raise UserError("--latent, --width and --critic-steps must be at least 1")
        if self.clip <= 0:
            raise UserError(f"--clip must be above 0, not {self.clip:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")


class WGAN(NoiseGame):
    """A generator and a critic, which goes up for real pictures and down for generated ones (algorithm 1)."""

    Config = WGANConfig
    medians: ClassVar[dict[str, int]] = {"wasserstein": 11}
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # Section 4 and the authors' code: 64 pixels, batches of 64, 25 epochs, samples every 500 steps.
        "paper": {"size": 64, "batch": 64, "epochs": 25, "sample_every": 500},
        # For a laptop's CPU.
        "quick": {
            "size": 32,
            "batch": 64,
            "steps": 8000,
            "penalty": True,
            "ema": 0.99,
            "flip": True,
            "sample_every": 500,
        },
    }

    def discriminator(self) -> nn.Module:
        norm = "none" if self.config.penalty else "batch"
        return DCGANDiscriminator(self.size, self.depth, self.config.width, norm)

    def initialise(self, network: nn.Module) -> nn.Module:
        """Weights from N(0, 0.02²), as the authors' code draws them."""
        return initialise(network)

    def make_players(self) -> dict[str, Player]:
        c = self.config
        # Momentum makes clipped critics unstable (section 4.3); GP's Adam has none of the first moment (algorithm 1).
        optimizer = adam(c.lr or 1e-4, (0.0, 0.9)) if c.penalty else rmsprop(c.lr or 5e-5)
        return {"G": Player({"G": self.G}, optimizer, c.ema), "D": Player({"D": self.D}, optimizer)}

    def step(self, real: Tensor) -> dict[str, Tensor]:
        """One step of the critic (algorithm 1, lines 3 to 7), and at the end of its round one of G (9 to 11).

        Takes (N, C, size, size) in [-1, 1]. ``wasserstein`` is the critic's estimate E[f(x)] - E[f(G(z))], before its
        step; ``clipped`` the share of its weights at the ends of the clipping.
        """
        c, G, D = self.config, self.players["G"], self.players["D"]
        with self.autocast():
            with torch.no_grad():
                fake = self.G(self.noise(len(real)))
            loss_D = wasserstein_discriminator(self.judge(real), self.judge(fake))
        losses = {"wasserstein": -loss_D}
        if c.penalty:
            losses["penalty"] = gradient_penalty(self.judge, real, fake)
            loss_D = loss_D + c.lambda_penalty * losses["penalty"]
        D.move(loss_D)
        if not c.penalty:
            self._clip()
        if D.moves >= self.critic_moves(G.moves + 1):
            if not c.penalty:
                losses["clipped"] = self._share_clipped()
            with self.autocast():
                losses["G"] = self.generator_loss(real)
            G.move(losses["G"])
        return {name: loss.detach() for name, loss in losses.items()}

    def critic_moves(self, rounds: int) -> int:
        """Steps of the critic before the generator's step number ``rounds``, counted from 1."""
        long = 0 if self.config.penalty else min(rounds, FIRST) + max(0, (rounds - 1) // AGAIN)
        return self.config.critic_steps * (rounds - long) + LONG * long

    @torch.no_grad()
    def _clip(self) -> None:
        torch._foreach_clamp_min_(self.players["D"].parameters, -self.config.clip)
        torch._foreach_clamp_max_(self.players["D"].parameters, self.config.clip)

    @torch.no_grad()
    def _share_clipped(self) -> Tensor:
        weights = torch.cat([p.flatten() for p in self.players["D"].parameters])
        ends = torch.tensor(self.config.clip, dtype=weights.dtype)  # as the weights round it
        return (weights.abs() >= ends.to(weights.device)).float().mean()

    def judge(self, pictures: Tensor) -> Tensor:
        """The critic's values (N,) of pictures as it may see them."""
        return self.D(self.augment_D(pictures))

    def generator_loss(self, real: Tensor) -> Tensor:
        """-E[f(G(z))] over as many new pictures as ``real`` has, with its graph."""
        return raw_generator(self.judge(self.G(self.noise(len(real)))))

    def notes(self, pictures: int, per_step: int) -> list[str]:
        """That the generator begins to move late, where its first 25 steps take more than an epoch."""
        steps = self.critic_moves(FIRST)
        epochs = steps * per_step / pictures
        if self.config.penalty or epochs <= 1:
            return []
        return [
            f"The critic learns first: the generator's first {FIRST} steps take {steps} of the critic's, or "
            f"{epochs:.1f} epochs, in which the samples hardly change"
        ]
