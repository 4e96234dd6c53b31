"""GAN: the first one, with fully connected networks (Goodfellow et al. 2014, arXiv:1406.2661).

The networks are those of a widely used tutorial for digits (eriklindernoren/Keras-GAN, gan/gan.py), whose way of
training is the recipe ``tutorial``; but for Adam's eps, 1e-7 in Keras and PyTorch's 1e-8 here.
"""

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Player, adam
from cyclegan.models.losses import accuracy, r1_penalty, vanilla_discriminator, vanilla_generator
from cyclegan.models.schedules import Schedule, schedule
from cyclegan.networks.dense import DenseDiscriminator
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class GANConfig:
    """Networks, losses and optimiser of the GAN."""

    latent: int = 100
    """Numbers that a picture starts from, each from N(0, 1)."""
    width: int = 256
    """Width of the generator's first layer (then 2 and 4 times it); the discriminator has 2 times it, then it."""
    lr: float = 2e-4
    """Learning rate of Adam."""
    beta1: float = 0.5
    """Adam's momentum."""
    lr_schedule: Schedule = "constant"
    """Over the training. linear: constant for the first half, then a line to 0. cosine: half a cosine from the start.
    step: a tenth after each quarter. constant."""
    ema: float = 0.0
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights."""
    r1: float = 0.0
    """Weight of the penalty on the discriminator's slope at real pictures (R1, Mescheder et al. 2018); 0 for none."""
    r1_every: int = 1
    """Take that penalty in every n-th step only, n times as heavy."""
    spread: bool = False
    """Let the discriminator see how much the pictures of a batch differ, so that it notices when all are alike."""
    halves: bool = False
    """The tutorial's way: the discriminator moves twice a step, on half a batch of real and on half of generated
    pictures, the latter made with the running statistics of the batch norms."""
    keras: bool = False
    """The tutorial's library: Glorot's initial weights; batch norms with momentum 0.8 in Keras' sense and eps 1e-3."""

    def architecture(self, size: int, channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        built = {"name": "dense", "size": size, "out_channels": channels, "width": self.width, "latent": self.latent}
        return built | ({"momentum": 0.2, "eps": 1e-3} if self.keras else {})

    def seen(self) -> list[str]:
        """No feature network judges while training."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")
        if min(self.latent, self.width, self.r1_every) < 1:
            raise UserError("--latent, --width and --r1-every must be at least 1")
        if self.r1 < 0:
            raise UserError(f"--r1 cannot be negative, and is {self.r1}")


class GAN(NoiseGame):
    """The game of eq. 1: D learns to tell real pictures from generated ones, G to make D err. Logits, not σ(D)."""

    Config = GANConfig
    channels = (1,)
    ideals: ClassVar[dict[str, float]] = {"D": log(2), "G": log(2), "accuracy_D": 0.5}
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # The same networks on a laptop's CPU: a faster rate, which the penalty on D's slope steadies and which falls in
        # the end; what is shown and exported is the average of G's weights, without their speckles.
        "quick": {
            "size": 28,
            "batch": 64,
            "steps": 12_000,
            "lr": 4e-4,
            "lr_schedule": "linear",
            "r1": 0.5,
            "r1_every": 4,
            "ema": 0.998,
            "sample_every": 500,
        },
        # eriklindernoren/Keras-GAN, gan/gan.py, at the batch of its signature.
        "tutorial": {
            "size": 28,
            "batch": 128,
            "steps": 30_000,
            "sample_every": 200,
            "halves": True,
            "keras": True,
        },
    }

    def discriminator(self) -> nn.Module:
        return DenseDiscriminator(self.size, self.depth, self.config.width, self.config.spread)

    def initialise(self, network: nn.Module) -> nn.Module:
        """Glorot's uniform weights and biases of 0, as Keras draws them; or PyTorch's own."""
        for layer in network.modules() if self.config.keras else ():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        return network

    def make_players(self) -> dict[str, Player]:
        c = self.config
        optimizer = adam(c.lr, (c.beta1, 0.999))
        return {"G": Player({"G": self.G}, optimizer, c.ema), "D": Player({"D": self.D}, optimizer)}

    def step(self, real: Tensor) -> dict[str, Tensor]:
        """Algorithm 1 with k = 1 on real pictures (N, C, H, W) in [-1, 1]: D ascends, then G moves.

        G's loss is -log D(G(z)), as section 3 recommends, in place of log(1 - D(G(z))). ``accuracy_D`` is the mean of
        D's share of right answers on real and on generated pictures.
        """
        rate = schedule(self.progress, kind=self.config.lr_schedule)
        losses = self._halves_turn(real, rate) if self.config.halves else self._discriminator_turn(real, rate)
        with self.autocast():
            losses["G"] = self.generator_loss(real)
        self.players["G"].move(losses["G"], rate)
        return {name: loss.detach() for name, loss in losses.items()}

    def _discriminator_turn(self, real: Tensor, rate: float) -> dict[str, Tensor]:
        c, player = self.config, self.players["D"]
        with self.autocast():
            with torch.no_grad():
                fake = self.G(self.noise(len(real)))
            real, fake = self.augment_D(real), self.augment_D(fake)
            of_real, of_fake = self.D(real), self.D(fake)
            loss = vanilla_discriminator(of_real, of_fake)
        penalty = {}
        if c.r1 and player.moves % c.r1_every == 0:
            penalty["R1"] = r1_penalty(self.D, real)
        player.move(loss + sum(penalty.values()) * (c.r1 * c.r1_every), rate)
        return {"D": loss / 2, "accuracy_D": accuracy(of_real, of_fake)} | penalty

    def _halves_turn(self, real: Tensor, rate: float) -> dict[str, Tensor]:
        """Two moves of D, as the tutorial's two calls of ``train_on_batch``."""
        half = max(1, len(real) // 2)
        with torch.no_grad(), self.autocast():
            fake = self.G.eval()(self.noise(half))
            self.G.train()
        scores, losses = [], []
        for pictures, sign in ((real[:half], -1), (fake, 1)):
            with self.autocast():
                scores.append(self.D(self.augment_D(pictures)))
                losses.append(nn.functional.softplus(sign * scores[-1]).mean())
            self.players["D"].move(losses[-1], rate)
        return {"D": (losses[0] + losses[1]) / 2, "accuracy_D": accuracy(*scores)}

    def generator_loss(self, real: Tensor) -> Tensor:
        """-E[log D(G(z))] over as many pictures as ``real`` has, with its graph."""
        return vanilla_generator(self.D(self.augment_D(self.G(self.noise(len(real))))))
