"""CUT and FastCUT: one translator without a cycle (Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image
Translation", arXiv:2007.15651).

A patch of the translation should resemble the patch of the input at the same place more than the input's other patches,
in the features of the generator's own encoder. That mutual information takes the place of the cycle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from cyclegan.models.game import Game, Player, adam
from cyclegan.models.losses import ADVERSARIAL, patch_nce, split_scores
from cyclegan.models.schedules import Schedule, schedule
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.layers import initialise_xavier, within_range
from cyclegan.networks.patches import PatchHeads, draw_places
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class CUTConfig:
    """Networks, losses and optimiser of CUT; the paper's by default."""

    generator: Literal["resnet", "mobile"] = "resnet"
    """The translator's network. resnet: the paper's. mobile: about 10 times faster on a CPU."""
    width: int | None = None
    """Channels of the generator's first layer. Default: 64, and 16 for mobile."""
    blocks: int | None = None
    """Residual blocks in the middle of the generator. Default: 9."""
    antialias: bool = True
    """Sample up and down behind low-pass filters, as published (resnet and the patch discriminator)."""
    residual: float | None = None
    """Let the generator learn the change only: output = clamp((1 + gain) * x + RESIDUAL * offset). Starts as a copy."""
    discriminator: Literal["patch", "projected"] = "patch"
    """patch judges overlapping patches of 70 x 70 pixels (the paper's); projected looks through a network trained on
    ImageNet (needs extra: quick)."""
    width_D: int = 64
    """Channels of the patch discriminator's first layer; fewer are quicker."""
    adversarial: Literal["lsgan", "vanilla", "hinge"] = "lsgan"
    """The adversarial loss: least squares (the paper's), cross-entropy or hinge."""
    lambda_adversarial: float = 1.0
    """Weight of the adversarial loss."""
    lambda_nce: float = 1.0
    """Weight of PatchNCE: how exactly a patch must stay the one that it was. FastCUT: 10."""
    nce_identity: bool = True
    """PatchNCE also between a picture of B and what the generator makes of it, which keeps colours. FastCUT: off."""
    flip_equivariance: bool = False
    """Show the generator half of the pictures mirrored and compare the features mirrored back. FastCUT: on."""
    patches: int = 256
    """Patches drawn from each feature map."""
    temperature: float = 0.07
    """Of the cross-entropy between patches."""
    lr: float = 2e-4
    """Learning rate of Adam."""
    lr_schedule: Schedule = "linear"
    """Over the training. linear: constant for the share CONSTANT, then a line to 0 (the paper's). cosine: half a cosine
    from the start. step: a tenth after each quarter. constant."""
    constant: float = 0.5
    """Share of training at the full learning rate, before it falls linearly to 0. FastCUT: 0.75."""
    beta1: float = 0.5
    """Adam's momentum."""
    beta2: float = 0.999
    """Adam's memory of squared gradients."""
    ema: float = 0.999
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights, as the
    paper does."""

    @property
    def nce_layers(self) -> tuple[int, ...]:
        """Layers of the generator whose features are compared: the picture, two convolutions, residual blocks 1 and 5.

        The paper's 0, 4, 8, 12, 16 count the low-pass filters; without them the same layers have other numbers.
        """
        return (0, 4, 8, 12, 16) if self.filters else (0, 4, 7, 10, 14)

    @property
    def filters(self) -> bool:
        """Whether the generator samples behind low-pass filters; the mobile one has none."""
        return self.antialias and self.generator == "resnet"

    def architecture(self, in_channels: int, out_channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        built: dict[str, Any] = {"name": self.generator, "in_channels": in_channels, "out_channels": out_channels}
        built["width"] = self.width or (16 if self.generator == "mobile" else 64)
        built["blocks"] = 9 if self.blocks is None else self.blocks
        built |= {"antialias": True} if self.filters else {}
        return built | ({"residual": self.residual} if self.residual else {})

    def critic(self, in_channels: int) -> dict:
        """The discriminator as ``networks.build_discriminator`` takes it."""
        built = {"name": self.discriminator, "in_channels": in_channels}
        return built | ({"width": self.width_D, "antialias": self.antialias} if self.discriminator == "patch" else {})

    def seen(self) -> list[str]:
        """The feature networks that judge while training, and so cannot judge the result impartially."""
        return ["efficientnet-lite0"] if self.discriminator == "projected" else []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.blocks is not None and self.blocks < 5:
            raise UserError(f"--blocks must be at least 5, as CUT compares features of the fifth, not {self.blocks}")
        if self.width_D < 1:
            raise UserError(f"--width-D must be at least 1, not {self.width_D}")
        if self.patches < 2:
            raise UserError(f"--patches must be at least 2: a patch is compared with others, not {self.patches}")
        if not 0 <= self.constant < 1:
            raise UserError(f"--constant is a share from 0 to below 1, not {self.constant:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")


class CUT(Game):
    """One translator G_AB: A → B against one discriminator D_B; the heads F belong to the generator's player.

    One Adam serves G and F: it works weight by weight, so this equals the published code's two at equal rates. The
    arguments are those of ``CycleGAN``.
    """

    Config = CUTConfig
    samples = "unpaired"
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"epochs": 400},
        "fastcut": {
            "lambda_nce": 10.0,
            "nce_identity": False,
            "flip_equivariance": True,
            "epochs": 200,
            "constant": 0.75,
        },
        # For a laptop's CPU: the networks of CycleGAN's recipe of that name.
        "quick": {
            "generator": "mobile",
            "residual": 2.0,
            "discriminator": "projected",
            "adversarial": "hinge",
            "lambda_adversarial": 0.25,
            "diffaug": True,
            "size": 128,
            "zoom": 2.0,
            "steps": 6000,
        },
    }

    def __init__(
        self,
        config: CUTConfig | None = None,
        size: int = 256,
        channels: tuple[int, int] = (3, 3),
        domains: tuple[str, str] = ("A", "B"),
        device: torch.device | str = "cpu",
        seed: int = 0,
        augment_D: Callable[[Tensor], Tensor] | None = None,
        whole_size: int | None = None,
    ):
        if channels[0] != channels[1]:
            raise UserError(
                "CUT looks at input and output with one network, so both domains need the same number of channels, not "
                f"{channels[0]} and {channels[1]}: write channels = [3, 3] on the data set's card"
            )
        self.config = config = config or CUTConfig()
        self.whole_size, self.domains = whole_size or size, domains
        self.device = torch.device(device)
        self.augment_D = augment_D or (lambda images: images)
        self.adversarial = ADVERSARIAL[config.adversarial]
        self.has_identity = config.nce_identity and config.lambda_nce > 0
        self.architecture = config.architecture(*channels)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G_AB = initialise_xavier(build_generator(self.architecture)).to(self.device)
            self.D_B = initialise_xavier(build_discriminator(config.critic(channels[1]))).to(self.device)
            self.F = initialise_xavier(PatchHeads(self._channels_of_maps(size, channels[0]))).to(self.device)
        betas = (config.beta1, config.beta2)
        self.players = {
            "G": Player({"G_AB": self.G_AB, "F": self.F}, adam(config.lr, betas), config.ema, ema_of=("G_AB",)),
            "D": Player({"D_B": self.D_B}, adam(config.lr, betas)),
        }

    def _channels_of_maps(self, size: int, channels: int) -> list[int]:
        """Counted on the meta device, where shapes cost nothing."""
        with torch.device("meta"):
            network = build_generator(self.architecture)
            maps = network.encode(torch.empty(1, channels, size, size), self.config.nce_layers)
        return [x.shape[1] for x in maps]

    def step(self, real_A: Tensor, real_B: Tensor) -> dict[str, Tensor]:
        """One step of training: one translation, then the discriminator's move, then that of generator and heads.

        Takes (N, C, H, W) in [-1, 1] on the model's device; returns each loss, unweighted, as a detached 0-d tensor.
        """
        rate = schedule(self.progress, self.config.constant, self.config.lr_schedule)
        with self.autocast():
            fake_B, same_B, flipped = self._translate(real_A, real_B)
            loss_D = self._judge(real_B, fake_B.detach())
        self.players["D"].move(loss_D, rate)
        with self.autocast():
            losses = self._generators_turn(real_A, real_B, fake_B, same_B, flipped)
            loss_G = self._weighted(losses)
        self.players["G"].move(loss_G, rate)
        return {name: loss.detach() for name, loss in (losses | {"D_B": loss_D}).items()}

    def _translate(self, real_A: Tensor, real_B: Tensor) -> tuple[Tensor, Tensor | None, bool]:
        """G(x), G(y) where the identity counts, and whether both were made of mirrored pictures."""
        flipped = self.config.flip_equivariance and bool(torch.rand(()) < 0.5)  # drawn on the CPU: nobody waits
        inputs = torch.cat([real_A, real_B]) if self.has_identity else real_A
        # Translating and keeping in one pass: exact, since instance norm treats every picture by itself.
        made = self.G_AB(inputs.flip(3) if flipped else inputs)
        return made[: len(real_A)], made[len(real_A) :] if self.has_identity else None, flipped

    def _generators_turn(
        self, real_A: Tensor, real_B: Tensor, fake_B: Tensor, same_B: Tensor | None, flipped: bool
    ) -> dict[str, Tensor]:
        """The adversarial term and PatchNCE of x and G(x), and of y and G(y) (section 3.3, "external" and identity)."""
        losses = {"G_AB": self.adversarial.generator(self.D_B(self.augment_D(within_range(fake_B))))}
        if self.config.lambda_nce:
            losses["nce_A"] = self._nce(real_A, fake_B, flipped)
        if same_B is not None:
            losses["nce_B"] = self._nce(real_B, same_B, flipped)
        return losses

    def _nce(self, source: Tensor, made: Tensor, flipped: bool) -> Tensor:
        """PatchNCE between a picture and what was made of it, averaged over patches and layers (eq. 4)."""
        keys = self.G_AB.encode(source, self.config.nce_layers)
        queries = self.G_AB.encode(made, self.config.nce_layers)
        if flipped:
            queries = [x.flip(3) for x in queries]
        places = draw_places(keys, self.config.patches)
        pairs = zip(self.F(queries, places), self.F(keys, places), strict=True)
        return torch.stack([patch_nce(q, k, self.config.temperature).mean() for q, k in pairs]).mean()

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        """λ_GAN L_GAN + λ_NCE (L_NCE(x) + L_NCE(y)) / 2, and without the identity λ_NCE L_NCE(x) (eq. 5)."""
        nce = [loss for name, loss in losses.items() if name.startswith("nce")]
        c = self.config
        return c.lambda_adversarial * losses["G_AB"] + (c.lambda_nce * sum(nce) / len(nce) if nce else 0)

    def _judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's objective, halved."""
        of_real, of_fake = split_scores(self.D_B(self.augment_D(torch.cat([real, fake]))), len(real))
        return 0.5 * self.adversarial.discriminator(of_real, of_fake)

    def generator_loss(self, real_A: Tensor, real_B: Tensor) -> Tensor:
        """The weighted sum of the generator's losses, with its graph."""
        return self._weighted(self._generators_turn(real_A, real_B, *self._translate(real_A, real_B)))

    @torch.no_grad()
    def preview(self, real_A: Tensor, real_B: Tensor) -> dict[str, list[list[Tensor]]]:
        """Rows A → B and rows B → B, from the averaged weights; leaves no trace in training."""
        network = self.players["G"].best("G_AB")
        mode = network.training
        network.eval()
        A, B = self.domains
        rows = [[[x[0], network(x).float()[0]] for x in real.split(1)] for real in (real_A, real_B)]
        network.train(mode)
        return dict(zip((f"{A} → {B}", f"{B} → {B}"), rows, strict=True))

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The generator, averaged, with its architecture, domains (source, target) and size of pictures."""
        header = {"architecture": self.architecture, "domains": list(self.domains), "size": self.whole_size}
        return {"G_AB": (self.players["G"].best("G_AB"), header)}
