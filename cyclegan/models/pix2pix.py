"""pix2pix: a translator that learns from pairs (Isola et al. 2017, "Image-to-Image Translation with Conditional
Adversarial Networks", arXiv:1611.07004).

The discriminator sees the input beside the output and learns which outputs fit. That keeps the translation sharp, and
the L1 distance from the true picture keeps it right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from cyclegan.models.game import Game, Player, adam
from cyclegan.models.losses import ADVERSARIAL, l1_loss
from cyclegan.models.schedules import Schedule, schedule
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.directions import A_TO_B, B_TO_A, Direction
from cyclegan.networks.layers import initialise
from cyclegan.networks.unet import levels_for
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class Pix2PixConfig:
    """Networks, losses and optimiser of pix2pix; the paper's by default."""

    direction: Literal["AB", "BA"] = "AB"
    """What to learn: AB translates pictures of A into B, BA those of B into A."""
    generator: Literal["unet", "resnet", "mobile"] = "unet"
    """The translator's network. unet: the paper's. resnet: CycleGAN's, for pictures of any size. mobile: about 10 times
    faster on a CPU."""
    width: int | None = None
    """Channels of the generator's first layer; more is stronger and slower. Default: 64, and 16 for mobile."""
    blocks: int = 9
    """Residual blocks in the middle of the generator; a U-Net has none."""
    up: Literal["transpose", "resize"] = "transpose"
    """How resnet and mobile enlarge. resize avoids checkerboard patterns."""
    residual: float | None = None
    """Let the generator learn the change only: output = clamp((1 + gain) * x + RESIDUAL * offset), where gain and
    offset come from the network. It starts as a copy. Not for a U-Net."""
    noise: float = 0.5
    """Share of the U-Net's features that dropout takes away beside the bottleneck. It is all the noise there is, and
    stays on when the translator is used. The other generators have none."""
    layers: int = 3
    """Depth of the patch discriminator: 3 sees 70 x 70 pixels, each one more about doubles that."""
    width_D: int = 64
    """Channels of the discriminator's first layer; fewer are quicker."""
    adversarial: Literal["vanilla", "lsgan"] = "vanilla"
    """The adversarial loss: cross-entropy (the paper's) or least squares."""
    lambda_adversarial: float = 1.0
    """Weight of the adversarial loss."""
    lambda_L1: float = 100.0
    """Weight of the L1 distance from the true picture."""
    lr: float = 2e-4
    """Learning rate of Adam."""
    lr_schedule: Schedule = "linear"
    """Over the training. linear: constant for the share CONSTANT, then a line to 0 (the paper's). cosine: half a cosine
    from the start. step: a tenth after each quarter. constant."""
    constant: float = 0.5
    """Share of training at the full learning rate, with --lr-schedule linear."""
    beta1: float = 0.5
    """Adam's momentum."""
    beta2: float = 0.999
    """Adam's memory of squared gradients."""
    ema: float = 0.999
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights, as the
    paper does."""

    @property
    def way(self) -> Direction:
        """The direction that is learned."""
        return A_TO_B if self.direction == "AB" else B_TO_A

    def architecture(self, size: int, in_channels: int, out_channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        built: dict[str, Any] = {"name": self.generator, "in_channels": in_channels, "out_channels": out_channels}
        built["width"] = self.width or (16 if self.generator == "mobile" else 64)
        if self.generator != "unet":
            own = {"residual": self.residual} if self.residual else {}
            return built | {"blocks": self.blocks, "up": self.up} | own
        built |= {"levels": levels_for(size), "norm": "batch_statistics"}
        return built | ({"noise": self.noise} if self.noise else {})

    def critic(self, channels: int) -> dict:
        """The discriminator as ``networks.build_discriminator`` takes it."""
        built = {"name": "patch", "in_channels": channels, "width": self.width_D, "layers": self.layers}
        return built | {"norm": "batch"}

    def seen(self) -> list[str]:
        """The feature networks that judge while training, and so cannot judge the result impartially."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.width_D < 1:
            raise UserError(f"--width-D must be at least 1, not {self.width_D}")
        if self.generator == "unet" and self.residual:
            raise UserError("--residual is for --generator resnet or mobile: a U-Net makes the whole picture")
        if not 0 <= self.noise < 1:
            raise UserError(f"--noise is a share from 0 to below 1, not {self.noise:g}")
        if not 0 <= self.constant < 1:
            raise UserError(f"--constant is a share from 0 to below 1, not {self.constant:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")


class Pix2Pix(Game):
    """One translator G against one discriminator D of pairs. The arguments are those of ``CycleGAN``."""

    Config = Pix2PixConfig
    samples = "paired"
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        # For a laptop's CPU: CycleGAN's mobile network, and half the discriminator's channels.
        "quick": {
            "generator": "mobile",
            "up": "resize",
            "width_D": 32,
            "adversarial": "lsgan",
            "size": 128,
            "batch": 2,
            "steps": 2500,
        },
    }

    def __init__(
        self,
        config: Pix2PixConfig | None = None,
        size: int = 256,
        channels: tuple[int, int] = (3, 3),
        domains: tuple[str, str] = ("A", "B"),
        device: torch.device | str = "cpu",
        seed: int = 0,
        augment_D: Callable[[Tensor], Tensor] | None = None,
        whole_size: int | None = None,
    ):
        self.config = config = config or Pix2PixConfig()
        self.way, self.whole_size = config.way, whole_size or size
        self.domains = self.way.of(domains)  # (source, target)
        self.device = torch.device(device)
        self.augment_D = augment_D or (lambda images: images)
        self.adversarial = ADVERSARIAL[config.adversarial]
        self.architecture = config.architecture(size, *self.way.of(channels))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G = initialise(build_generator(self.architecture)).to(self.device)
            self.D = initialise(build_discriminator(config.critic(sum(channels)))).to(self.device)
        betas = (config.beta1, config.beta2)
        self.players = {
            "G": Player({self.way.name: self.G}, adam(config.lr, betas), config.ema),
            "D": Player({"D": self.D}, adam(config.lr, betas)),
        }

    def step(self, real_A: Tensor, real_B: Tensor) -> dict[str, Tensor]:
        """One step of training on pairs: one translation, the discriminator's move, then the generator's (section 3.3).

        Takes (N, C, H, W) in [-1, 1] on the model's device, ``real_A[n]`` and ``real_B[n]`` the two sides of a pair;
        returns each loss, unweighted, as a detached 0-d tensor.
        """
        rate = schedule(self.progress, self.config.constant, self.config.lr_schedule)
        source, target = self.way.of((real_A, real_B))
        with self.autocast():
            fake = self.G(source)
            loss_D = self._judge(source, target, fake.detach())
        self.players["D"].move(loss_D, rate)
        with self.autocast():
            losses = self._generators_turn(source, target, fake)
            loss_G = self._weighted(losses)
        self.players["G"].move(loss_G, rate)
        return {name: loss.detach() for name, loss in (losses | {"D": loss_D}).items()}

    def _generators_turn(self, source: Tensor, target: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The adversarial term and the distance from the truth (eq. 2, 3)."""
        return {self.way.name: self.adversarial.generator(self._score(source, fake)), "L1": l1_loss(fake, target)}

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        """L_cGAN(G) + λ L_L1 (eq. 4)."""
        return self.config.lambda_adversarial * losses[self.way.name] + self.config.lambda_L1 * losses["L1"]

    def _judge(self, source: Tensor, target: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's objective, halved (section 3.3).

        Real and generated pairs go through it one after the other: in one batch they would share batch norms.
        """
        of_fake, of_real = self._score(source, fake), self._score(source, target)
        return 0.5 * self.adversarial.discriminator(of_real, of_fake)

    def _score(self, source: Tensor, output: Tensor) -> Tensor:
        return self.D(self.augment_D(torch.cat([source, output], 1)))

    def generator_loss(self, real_A: Tensor, real_B: Tensor) -> Tensor:
        """The weighted sum of the generator's losses, with its graph."""
        source, target = self.way.of((real_A, real_B))
        return self._weighted(self._generators_turn(source, target, self.G(source)))

    @torch.no_grad()
    def preview(self, real_A: Tensor, real_B: Tensor) -> dict[str, list[list[Tensor]]]:
        """Rows of input, translation and true picture, from the averaged weights; leaves no trace in training."""
        network = self.players["G"].best(self.way.name)
        mode = network.training
        network.eval()
        pairs = zip(*(pictures.split(1) for pictures in self.way.of((real_A, real_B))), strict=True)
        rows = [[x[0], network(x).float()[0], y[0]] for x, y in pairs]
        network.train(mode)
        source, target = self.domains
        return {f"{source} → {target}, and the true {target}": rows}

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The generator, averaged, with its architecture, domains (source, target) and size of pictures."""
        header = {"architecture": self.architecture, "domains": list(self.domains), "size": self.whole_size}
        return {self.way.name: (self.players["G"].best(self.way.name), header)}

    def notes(self, pictures: int, per_step: int) -> list[str]:
        """The sizes that the translator will take as they are."""
        if "levels" not in self.architecture:
            return []
        multiple = 2 ** self.architecture["levels"]
        rule = f"The U-Net works on heights and widths that are multiples of {multiple}"
        return [f"{rule}; other pictures are filled up by reflection for it, and cropped again."]
