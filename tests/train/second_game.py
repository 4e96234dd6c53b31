"""A second model, as small as can be: noise → 8 × 8 pixels, batch norm, RMSprop, two critic steps to one of G."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Player, rmsprop
from cyclegan.networks.noise import FromNoise


class Dense(FromNoise):
    latent = 4

    def __init__(self, size: int = 8, out_channels: int = 3):
        super().__init__()
        self.shape = (out_channels, size, size)
        self.model = nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, out_channels * size * size), nn.Tanh()
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z).view(-1, *self.shape)


@dataclass(frozen=True)
class SecondConfig:
    """A critic with clipped weights."""

    critic_steps: int = 2
    """Critic steps per generator step."""
    ema: float = 0.9
    """Decay of the averaged weights."""

    def architecture(self, size: int, channels: int) -> dict:
        return {"name": "dense", "size": size, "out_channels": channels}

    def seen(self) -> list[str]:
        return []

    def check(self) -> None:
        pass


class SecondGame(NoiseGame):
    """WGAN with a critic of one layer."""

    Config = SecondConfig
    recipes: ClassVar[dict[str, dict[str, Any]]] = {"paper": {"size": 8, "batch": 4}}

    def discriminator(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(self.depth * self.size**2, 1))

    def make_players(self) -> dict:
        return {"G": Player({"G": self.G}, rmsprop(1e-2), self.config.ema), "D": Player({"D": self.D}, rmsprop(1e-2))}

    def generator_loss(self, real: Tensor) -> Tensor:
        return -self.D(self.G(self.noise(len(real)))).mean()

    def step(self, real: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.G(self.noise(len(real)))
        losses = {"D": self.D(fake).mean() - self.D(real).mean()}
        self.players["D"].move(losses["D"])
        for weight in self.D.parameters():
            weight.data.clamp_(-0.1, 0.1)
        if self.players["D"].moves % self.config.critic_steps == 0:
            losses["G"] = self.generator_loss(real)
            self.players["G"].move(losses["G"])
        return {name: loss.detach() for name, loss in losses.items()}
