"""What the models from noise to pictures share: a generator, a discriminator, and latents that stay for the samples."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.data.config import ImagesConfig
from cyclegan.models.game import Game
from cyclegan.networks.build import build_generator
from cyclegan.networks.noise import FromNoise

SIDE = 5  # the samples are SIDE × SIDE pictures


class NoiseGame(Game):
    """One generator ``G`` from noise against one discriminator ``D``; subclasses write ``step``.

    A subclass sets ``Config``, whose ``architecture(size, channels)`` describes G for ``networks.build_generator``, and
    writes ``discriminator(channels)`` and ``make_players()``. The arguments are those of ``CycleGAN``, with one domain.
    """

    Data: ClassVar[type] = ImagesConfig
    samples: ClassVar[str] = "images"
    kind: ClassVar[str] = "generator"
    channels: ClassVar[tuple[int, ...]] = (3,)

    def __init__(
        self,
        config: Any = None,
        size: int = 64,
        channels: tuple[int, ...] = (3,),
        domains: tuple[str, ...] = ("picture",),
        device: torch.device | str = "cpu",
        seed: int = 0,
        augment_D: Callable[[Tensor], Tensor] | None = None,
        whole_size: int | None = None,
    ):
        self.config = config or self.Config()
        self.size, self.depth, self.domains = size, channels[0], domains
        self.whole_size = whole_size or size
        self.device = torch.device(device)
        self.augment_D = augment_D or (lambda images: images)
        self.architecture = self.config.architecture(size, self.depth)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            generator = build_generator(self.architecture)
            assert isinstance(generator, FromNoise)
            self.G = self.initialise(generator).to(self.device)
            self.D = self.initialise(self.discriminator()).to(self.device)
            self.still = self.G.latents(SIDE * SIDE).to(self.device)
            self.players = self.make_players()

    @staticmethod
    def input_shapes(size: int, channels: tuple[int, ...]) -> list[tuple[int, ...]]:
        """One picture, whatever the number of domains on the data set's card."""
        return [(channels[0], size, size)]

    def discriminator(self) -> nn.Module:
        """The discriminator or critic, with PyTorch's own initial weights."""
        raise NotImplementedError

    def initialise(self, network: nn.Module) -> nn.Module:
        """Draws the initial weights; PyTorch's own by default."""
        return network

    def make_players(self) -> dict:
        """The players ``G`` and ``D``."""
        raise NotImplementedError

    def noise(self, count: int) -> Tensor:
        """Fresh latents (count, …) on the device, from PyTorch's global random state, which the checkpoint holds."""
        return self.G.latents(count).to(self.device)

    @torch.no_grad()
    def still_samples(self) -> Tensor:
        """What G, averaged where it has an average, makes of the latents that stay: (25, C, …) in [-1, 1]."""
        made = self.players["G"].best("G").eval()(self.still)
        self.G.train()
        return made

    def preview(self, *pictures: Tensor) -> dict[str, list[list[Tensor]]]:
        """A square of pictures that always start from the same latents, so that progress shows."""
        rows = [list(row) for row in self.still_samples().split(SIDE)]
        return {self.domains[0]: rows}

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The generator, averaged where it has an average, with its architecture and the shapes that go in and out."""
        header = {
            "kind": "generator",
            "architecture": self.architecture,
            "domains": [self.domains[0]],
            "size": self.size,
            "inputs": [self.G.latent],
            "outputs": [self.depth, self.size, self.size],
        }
        return {"G": (self.players["G"].best("G"), header)}
