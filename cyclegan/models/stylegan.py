"""StyleGAN2 at one fixed resolution, in one file (Karras et al. 2019, arXiv:1812.04948; 2020, arXiv:1912.04958).

Left out: growing, which 2020 (section 4) drops for skip connections too; and the path length regularisation (2020,
section 3.2), which smooths w at the price of a second gradient through G. The discriminator may see moved pictures
(``--shift``, as in DiffAugment, Zhao et al. 2020, arXiv:2006.10738), since a small data set is soon known by heart.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Player, adam
from cyclegan.models.losses import vanilla_discriminator, vanilla_generator
from cyclegan.networks.style import StyleDiscriminator
from cyclegan.system.errors import UserError

LAZY = 16  # D's penalty is computed in every 16th step (2020, section 3.1)


@dataclass(frozen=True)
class StyleGANConfig:
    """Networks, losses and optimiser of StyleGAN2, small enough for a laptop's CPU by default."""

    latent: int = 128
    """Numbers in the noise z and in the style w. The paper's: 512."""
    mapping: int = 4
    """Dense layers between z and w. The paper's: 8."""
    channel_base: int = 512
    """A layer of r x r pixels has CHANNEL_BASE / r channels, in both networks. The paper's: 32768."""
    channel_max: int = 128
    """Most channels of a layer. The paper's: 512."""
    mixing: float = 0.9
    """Share of generated pictures whose finer layers take a second style, so that layers learn to be independent."""
    penalty: float = 1.0
    """Weight gamma of the penalty on D's slope at real pictures (R1). Higher is steadier and blurs; raise it with the
    resolution."""
    lr: float = 2e-3
    """Learning rate of Adam, constant; the mapping network's is a hundredth of it."""
    ema: float = 0.998
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights."""

    def architecture(self, size: int, channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        own = {key: getattr(self, key) for key in ("latent", "mapping", "channel_base", "channel_max")}
        return {"name": "stylegan", "size": size, "out_channels": channels, **own}

    def seen(self) -> list[str]:
        """No feature network judges while training."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        wrong = [
            (min(self.latent, self.mapping, self.channel_base, self.channel_max) < 1,
             "--latent, --mapping, --channel-base and --channel-max must be at least 1"),
            (not 0 <= self.mixing <= 1, f"--mixing is a share between 0 and 1, not {self.mixing}"),
            (self.penalty < 0, f"--penalty cannot be negative, and is {self.penalty}"),
            (not 0 <= self.ema < 1, f"--ema must be at least 0 and below 1, not {self.ema}"),
        ]  # fmt: skip
        for failed, sentence in wrong:
            if failed:
                raise UserError(sentence)


class StyleGAN(NoiseGame):
    """A generator that every layer's style steers, against a residual discriminator. Arguments: see ``NoiseGame``."""

    Config = StyleGANConfig
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # For a laptop's CPU: about an hour at 32 pixels. Short trainings need larger steps, and more of them rather
        # than larger batches.
        "quick": {"size": 32, "batch": 16, "steps": 4000, "lr": 4e-3, "shift": True},
        # The widths, batch and length of 2020's configuration F, from memory of its code; its penalty of 10 was for
        # 1024 pixels. Needs a GPU.
        "paper": {
            "latent": 512,
            "mapping": 8,
            "channel_base": 32768,
            "channel_max": 512,
            "penalty": 10.0,
            "ema": 0.998,  # half of it is 10,000 pictures old
            "batch": 32,
            "steps": 780_000,  # 25 million pictures
        },
    }

    def discriminator(self) -> nn.Module:
        return StyleDiscriminator(self.size, self.depth, self.config.channel_base, self.config.channel_max)

    def make_players(self) -> dict:
        c, lazily = self.config, LAZY / (LAZY + 1)  # D moves 17 times where G moves 16 times (2020, appendix B)
        return {
            "G": Player({"G": self.G}, adam(c.lr, (0.0, 0.99)), c.ema),
            "D": Player({"D": self.D}, adam(c.lr * lazily, (0.0, 0.99**lazily))),
        }

    def step(self, real: Tensor) -> dict[str, Tensor]:
        """One step: D moves on real and generated pictures, in every 16th step on its penalty too, then G moves.

        Takes (N, C, size, size) in [-1, 1]; returns ``D``, ``G`` and, where it was computed, ``R1``.
        """
        G, D = self.players["G"], self.players["D"]
        with self.autocast():
            with torch.no_grad():
                fake = self.fake(len(real))
            losses = {"D": vanilla_discriminator(self.judge(real), self.judge(fake))}
        D.move(losses["D"])
        if self.config.penalty and G.moves % LAZY == 0:
            losses["R1"] = self.slope(real)
            D.move(LAZY * self.config.penalty / 2 * losses["R1"])
        with self.autocast():
            losses["G"] = self.generator_loss(real)
        G.move(losses["G"])
        return {name: loss.detach() for name, loss in losses.items()}

    def fake(self, count: int) -> Tensor:
        """``count`` pictures, most of them of two styles: one up to a random layer, another from there on.

        This is mixing regularisation (2019, section 3.1).
        """
        coarse, fine = self.G.styles(self.noise(count)), self.G.styles(self.noise(count))
        layers = self.G.layers
        change = torch.randint(1, layers, (count, 1))
        change[torch.rand(count, 1) >= self.config.mixing] = layers
        is_coarse = (torch.arange(layers) < change)[..., None].to(self.device)
        return self.G(torch.where(is_coarse, coarse, fine))

    def judge(self, pictures: Tensor) -> Tensor:
        """D's logits (N,) of pictures as it may see them."""
        return self.D(self.augment_D(pictures))

    def slope(self, real: Tensor) -> Tensor:
        """R1: E[‖∇D(x)‖²] at real pictures (Mescheder et al. 2018, arXiv:1801.04406, eq. 9), in float32."""
        real = real.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.judge(real).sum(), real, create_graph=True)
        return slope.square().sum((1, 2, 3)).mean()

    def generator_loss(self, real: Tensor) -> Tensor:
        """The non-saturating loss -E[log σ(D(G(z)))], with its graph."""
        return vanilla_generator(self.judge(self.fake(len(real))))
