"""DCGAN: convolutional networks in the first GAN's game (Radford et al. 2016, arXiv:1511.06434)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Player, adam
from cyclegan.models.losses import ADVERSARIAL, accuracy, r1_penalty
from cyclegan.networks.convolutional import DCGANDiscriminator, doublings
from cyclegan.networks.layers import initialise
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class DCGANConfig:
    """Networks, losses and optimiser of DCGAN; the paper's by default."""

    latent: int = 100
    """Numbers that a picture starts from, each from N(0, 1)."""
    width: int = 64
    """Channels next to the picture, in both networks; they double with each halving of the picture."""
    adversarial: Literal["vanilla", "hinge"] = "vanilla"
    """The adversarial loss: cross-entropy (the paper's), or hinge."""
    norm_D: Literal["batch", "none"] = "batch"
    """The discriminator's norm. With --r1 leave it out: batch norm ties the pictures of a batch, of which the penalty
    wants single slopes. With several processes each takes the statistics of its own part of the batch."""
    r1: float = 0.0
    """Weight of the penalty on the discriminator's slope at real pictures (R1, Mescheder et al. 2018); 0 for none."""
    r1_every: int = 16
    """Take that penalty in every n-th step only, n times as heavy."""
    lr: float = 2e-4
    """Learning rate of Adam."""
    beta1: float = 0.5
    """Adam's momentum."""
    ema: float = 0.0
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights."""

    def architecture(self, size: int, channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        doublings(size)
        return {"name": "dcgan", "size": size, "out_channels": channels, "width": self.width, "latent": self.latent}

    def seen(self) -> list[str]:
        """No feature network judges while training."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if min(self.latent, self.width, self.r1_every) < 1:
            raise UserError("--latent, --width and --r1-every must be at least 1")
        if self.r1 < 0:
            raise UserError(f"--r1 cannot be negative, and is {self.r1}")
        if self.r1 and self.norm_D == "batch":
            raise UserError("--r1 needs a discriminator without batch norm: give --norm-D none too")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")


class DCGAN(NoiseGame):
    """A generator of transposed convolutions against a convolutional discriminator. Arguments: see ``NoiseGame``."""

    Config = DCGANConfig
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # Section 4: batches of 128, Adam 2e-4 with β₁ 0.5, all weights from N(0, 0.02²). How long is not said there;
        # courses take 25 epochs in batches of 64.
        "paper": {"size": 64, "batch": 128, "epochs": 25, "sample_every": 100},
        # For a laptop's CPU: small pictures as they are, a sixth of the arithmetic. No hinge, R1, averages: worse.
        "quick": {"size": 32, "batch": 64, "steps": 5000, "sample_every": 100},
    }

    def discriminator(self) -> nn.Module:
        return DCGANDiscriminator(self.size, self.depth, self.config.width, self.config.norm_D)

    def initialise(self, network: nn.Module) -> nn.Module:
        """Weights from N(0, 0.02²), the batch norms' scales from N(1, 0.02²) (section 4)."""
        return initialise(network)

    def make_players(self) -> dict[str, Player]:
        c = self.config
        optimizer = adam(c.lr, (c.beta1, 0.999))
        return {"G": Player({"G": self.G}, optimizer, c.ema), "D": Player({"D": self.D}, optimizer)}

    def step(self, real: Tensor) -> dict[str, Tensor]:
        """D moves on real and generated pictures (N, C, size, size) in [-1, 1], then G does.

        Real and generated ones go through D apart: its batch norms take each kind's own statistics, as the authors'
        code does. ``accuracy_D`` is the mean of D's share of right answers on both kinds.
        """
        c, G, D = self.config, self.players["G"], self.players["D"]
        with self.autocast():
            with torch.no_grad():
                fake = self.G(self.noise(len(real)))
            of_real, of_fake = self.judge(real), self.judge(fake)
            loss_D = ADVERSARIAL[c.adversarial].discriminator(of_real, of_fake)
        losses = {"D": loss_D, "accuracy_D": accuracy(of_real, of_fake)}
        if c.r1 and D.moves % c.r1_every == 0:
            losses["R1"] = r1_penalty(self.judge, real)
            loss_D = loss_D + c.r1 * c.r1_every * losses["R1"]
        D.move(loss_D)
        with self.autocast():
            losses["G"] = self.generator_loss(real)
        G.move(losses["G"])
        return {name: loss.detach() for name, loss in losses.items()}

    def judge(self, pictures: Tensor) -> Tensor:
        """D's scores (N,) of pictures as it may see them."""
        return self.D(self.augment_D(pictures))

    def generator_loss(self, real: Tensor) -> Tensor:
        """G's loss on as many new pictures as ``real`` has, with its graph."""
        fake = self.G(self.noise(len(real)))
        return ADVERSARIAL[self.config.adversarial].generator(self.judge(fake))
