"""CycleGAN: the paper in one file (Zhu et al. 2017, arXiv:1703.10593).

Suffixes name the domain a tensor lives in or a discriminator judges: ``fake_B = G_AB(real_A)`` is judged by ``D_B``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from cyclegan.models.game import Game, Player, adam
from cyclegan.models.losses import (
    ADVERSARIAL,
    change_loss,
    cycle_loss,
    gradient_penalty,
    identity_loss,
    schedule,
    split_scores,
)
from cyclegan.models.pool import ImagePool
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.directions import DIRECTIONS
from cyclegan.networks.layers import initialise, within_range
from cyclegan.system.devices import process_rank
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class CycleGANConfig:
    """Networks, losses and optimiser of CycleGAN; the paper's by default."""

    generator: Literal["resnet", "unet", "mobile"] = "resnet"
    """The translator's network. resnet: the paper's, best quality. mobile: about 10 times faster on a CPU.
    unet: for pictures whose two sides line up closely."""
    width: int | None = None
    """Channels of the generator's first layer; more is stronger and slower. Default: 64, and 16 for mobile."""
    blocks: int | None = None
    """Residual blocks in the middle of the generator. Default: 9, and 6 below 256 pixels, as in the paper."""
    dropout: float = 0.0
    """Share of features dropped inside the generator while training."""
    up: Literal["transpose", "resize"] = "transpose"
    """How the generator enlarges. resize avoids checkerboard patterns; transpose is the paper's."""
    residual: float | None = None
    """Let the generator learn the change only: output = clamp((1 + gain) * x + RESIDUAL * offset), where gain and
    offset come from the network. It starts as a copy."""
    discriminator: Literal["patch", "pixel", "projected"] = "patch"
    """patch judges overlapping patches (the paper's); pixel judges single pixels, so colours only; projected looks
    through a network trained on ImageNet, so it knows animals and things from the start (needs extra: quick)."""
    layers: int = 3
    """Depth of the patch discriminator: 3 sees 70 x 70 pixels, each one more about doubles that."""
    adversarial: Literal["lsgan", "vanilla", "hinge", "wgan-gp"] = "lsgan"
    """The adversarial loss: least squares (the paper's), cross-entropy, hinge, Wasserstein with gradient penalty."""
    lambda_adversarial: float = 1.0
    """Weight of the adversarial loss: how much the pictures must look like the other domain."""
    lambda_cycle: float = 10.0
    """Weight of the cycle loss: how exactly a picture must come back after A to B to A, or B to A to B."""
    lambda_cycle_B: float | None = None
    """Weight of the cycle that starts in B. Default: LAMBDA_CYCLE. A lower one helps where A cannot hold all that B
    shows: a line drawing holds no colours, so a strict cycle hides them. With --back-translation it can be high."""
    back_translation: Literal["none", "A", "B", "both"] = "none"
    """Let the cycle that starts in A, in B, or both train only the way back, towards the real picture it began with.
    The translator there is then free to drop what the other domain cannot hold, and has no reason to hide it."""
    lambda_identity: float = 5.0
    """Weight of the identity loss: how exactly a picture that is already in the target domain must stay as it is;
    keeps colours. Absolute, so the reference's 0.5 (times its lambda 10) is 5 here. 0 turns it off."""
    lambda_change: float = 0.0
    """Weight of the change loss: every pixel of a translation that differs from its input has to be worth it to the
    discriminators. Keeps backgrounds. 0, the paper's, turns it off; so do domains that differ in their channels."""
    lambda_penalty: float = 10.0
    """Weight of the gradient penalty (wgan-gp only)."""
    pool: int = 50
    """How many generated pictures are kept for the discriminators to be shown again."""
    lr: float = 2e-4
    """Learning rate of Adam; constant for the first half of training, then falls linearly to 0."""
    lr_D: float | None = None
    """Learning rate of the discriminators. Default: LR. Faster discriminators keep the generators from drifting from
    one colour to the next (two time-scale rule, Heusel et al. 2017)."""
    beta1: float = 0.5
    """Adam's momentum."""
    beta2: float = 0.999
    """Adam's memory of squared gradients."""
    ema: float = 0.999
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights."""

    def architecture(self, size: int, in_channels: int, out_channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        built: dict[str, Any] = {"name": self.generator, "in_channels": in_channels, "out_channels": out_channels}
        built["width"] = self.width or (16 if self.generator == "mobile" else 64)
        if self.generator == "unet":
            # one level per halving down to 1 pixel, 8 at 256 as in pix2pix
            levels = (size & -size).bit_length() - 1
            if levels < 5:
                raise UserError(f"a U-Net needs a size that is a multiple of 32, such as 64, 128 or 256, not {size}")
            built["levels"] = min(levels, 8)
        else:
            paper_blocks = 9 if size >= 256 or self.generator == "mobile" else 6
            built["blocks"] = paper_blocks if self.blocks is None else self.blocks
            built["up"] = self.up
        if self.dropout:
            built["dropout"] = self.dropout
        if self.residual:
            built["residual"] = self.residual
        return built

    def critic(self, in_channels: int) -> dict:
        """The discriminator as ``networks.build_discriminator`` takes it."""
        built: dict[str, Any] = {"name": self.discriminator, "in_channels": in_channels}
        if self.discriminator == "patch":
            built["layers"] = self.layers
        if self.adversarial == "wgan-gp":
            built["norm"] = "none"  # a norm over the image would tie the pixels whose slopes the penalty measures
        return built

    def seen(self) -> list[str]:
        """The feature networks that judge while training, and so cannot judge the result impartially."""
        return ["efficientnet-lite0"] if self.discriminator == "projected" else []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.pool < 0:
            raise UserError(f"--pool cannot be negative, and is {self.pool}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")



class CycleGAN(Game):
    """Two translators, G_AB: A → B and G_BA: B → A, against two discriminators.

    Args:
        config: networks, losses and optimiser; the paper's by default.
        size: pixels of the (square) training pictures; decides the generator's depth where the config leaves it open.
        channels: of domain A and of domain B. Where they differ there is no identity loss, as a picture of B does not
            fit into G_AB, and no change loss.
        device: where the networks live; ``meta`` builds the shapes only.
        domains: the names of A and B, for titles and for the exported files.
        seed: of the initial weights and of the pools' draws.
        augment_D: differentiable augmentation of all that the discriminators see, (N, C, H, W) → same.
        whole_size: pixels at which the exported translators expect whole pictures; ``size`` by default.
    """

    Config = CycleGANConfig
    samples = "unpaired"
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # The published CycleGAN: all defaults. Good for a GPU; days of work for a laptop.
        "paper": {},
        # For a laptop's CPU. The small generator learns the change only, so cycle and identity terms start at zero and
        # the background stays; the discriminators see animals and things from the start, so they teach where to change
        # what. It gives up detail that a full-size generator could make up, and needs the extra: quick.
        "quick": {
            "generator": "mobile",
            "residual": 2.0,
            "discriminator": "projected",
            "adversarial": "hinge",
            "lambda_adversarial": 0.25,
            "lambda_cycle": 3.0,  # at the paper's ratio to the rest, stripes stay: what is taken away cannot come back
            "lambda_identity": 2.0,
            "diffaug": True,
            "size": 128,
            "zoom": 2.0,  # things at many scales: crops of 128 pixels train translators for pictures of 256
            "steps": 6000,
        },
    }

    def __init__(
        self,
        config: CycleGANConfig | None = None,
        size: int = 256,
        channels: tuple[int, int] = (3, 3),
        domains: tuple[str, str] = ("A", "B"),
        device: torch.device | str = "cpu",
        seed: int = 0,
        augment_D: Callable[[Tensor], Tensor] | None = None,
        whole_size: int | None = None,
    ):
        self.config = config = config or CycleGANConfig()
        self.whole_size, self.domains = whole_size or size, domains
        self.device = torch.device(device)
        self.augment_D = augment_D or (lambda images: images)
        self.adversarial = ADVERSARIAL[config.adversarial]
        self.has_identity = config.lambda_identity > 0 and channels[0] == channels[1]
        self.has_change = config.lambda_change > 0 and channels[0] == channels[1]
        self.architectures = {
            "G_AB": config.architecture(size, channels[0], channels[1]),
            "G_BA": config.architecture(size, channels[1], channels[0]),
        }
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G_AB, self.G_BA = (self._place(build_generator(a)) for a in self.architectures.values())
            self.D_A, self.D_B = (self._place(build_discriminator(config.critic(c))) for c in channels)
        draws = seed + 2 * process_rank()
        self.pool_A, self.pool_B = ImagePool(config.pool, draws), ImagePool(config.pool, draws + 1)
        betas = (config.beta1, config.beta2)
        self.players = {
            "G": Player({"G_AB": self.G_AB, "G_BA": self.G_BA}, adam(config.lr, betas), config.ema),
            "D": Player({"D_A": self.D_A, "D_B": self.D_B}, adam(config.lr_D or config.lr, betas)),
        }

    def _place(self, network):
        return initialise(network).to(self.device)

    def step(self, real_A: Tensor, real_B: Tensor) -> dict[str, Tensor]:
        """One step of training (section 4): the generators move together, then the discriminators.

        Takes (N, C, H, W) in [-1, 1] on the model's device; returns each loss, unweighted, as a detached 0-d tensor.
        """
        rate = schedule(self.progress)
        with self.autocast():
            fakes, losses = self._generators_turn(real_A, real_B)
            loss_G = self._weighted(losses)
        self.players["G"].move(loss_G, rate)
        with self.autocast():
            fake_A, fake_B = self.pool_A.query(fakes["A"]), self.pool_B.query(fakes["B"])
            losses["D_A"] = self._judge(self.D_A, real_A, fake_A)
            losses["D_B"] = self._judge(self.D_B, real_B, fake_B)
            loss_D = losses["D_A"] + losses["D_B"]
        self.players["D"].move(loss_D, rate)
        return {name: loss.detach() for name, loss in losses.items()}

    def _generators_turn(self, real_A: Tensor, real_B: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Both cycles and the terms of eq. 3 plus the identity terms, each unweighted."""
        losses = {}
        if self.has_identity:
            # Translating and keeping in one pass: exact, since instance norm treats every picture by itself.
            fake_B, same_B = self.G_AB(torch.cat([real_A, real_B])).tensor_split([len(real_A)])
            fake_A, same_A = self.G_BA(torch.cat([real_B, real_A])).tensor_split([len(real_B)])
            losses["identity_A"] = identity_loss(same_A, real_A)
            losses["identity_B"] = identity_loss(same_B, real_B)
        else:
            fake_B, fake_A = self.G_AB(real_A), self.G_BA(real_B)
        if self.has_change:
            losses["change_A"] = change_loss(fake_B, real_A)
            losses["change_B"] = change_loss(fake_A, real_B)
        losses["cycle_A"] = cycle_loss(self.G_BA(self._way_there(fake_B, "A")), real_A)
        losses["cycle_B"] = cycle_loss(self.G_AB(self._way_there(fake_A, "B")), real_B)
        losses["G_AB"] = self.adversarial.generator(self.D_B(self.augment_D(within_range(fake_B))))
        losses["G_BA"] = self.adversarial.generator(self.D_A(self.augment_D(within_range(fake_A))))
        return {"A": fake_A, "B": fake_B}, losses

    def generator_loss(self, real_A: Tensor, real_B: Tensor) -> Tensor:
        """The weighted sum of the generators' losses (eq. 3), with its graph."""
        return self._weighted(self._generators_turn(real_A, real_B)[1])

    def _way_there(self, fake: Tensor, start: str) -> Tensor:
        """The middle of the cycle that begins in ``start``; cut off from its maker where only the way back learns."""
        return fake.detach() if self.config.back_translation in (start, "both") else fake

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        """λ_adv (L_AB + L_BA) + λ_cyc (L_cyc,A + L_cyc,B) + λ_id (L_id,A + L_id,B) (eq. 3, section 5.2), and
        λ_change (L_change,A + L_change,B), which is not the paper's."""
        c = self.config
        weights = {
            "G": c.lambda_adversarial,
            "cycle": c.lambda_cycle,
            "identity": c.lambda_identity,
            "change": c.lambda_change,
        }
        if c.lambda_cycle_B is not None:
            weights["cycle_B"] = c.lambda_cycle_B
        terms = [weights.get(name, weights[name.split("_")[0]]) * loss for name, loss in losses.items()]
        return sum(terms[1:], terms[0])

    def _judge(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's objective on pictures of its domain, halved (section 7.1)."""
        judged = critic(self.augment_D(torch.cat([real, fake])))
        of_real, of_fake = split_scores(judged, len(real))
        loss = self.adversarial.discriminator(of_real, of_fake)
        if self.adversarial.needs_penalty:
            loss = loss + self.config.lambda_penalty * gradient_penalty(critic, real, fake)
        return 0.5 * loss

    @torch.no_grad()
    def preview(self, real_A: Tensor, real_B: Tensor) -> dict[str, list[list[Tensor]]]:
        """Rows A → B → A and rows B → A → B, from the averaged weights; leaves no trace in training."""
        G_AB, G_BA = (self.players["G"].best(name) for name in ("G_AB", "G_BA"))
        A, B = self.domains
        return {
            f"{A} → {B} → {A}": [_there_and_back(x, G_AB, G_BA) for x in real_A.split(1)],
            f"{B} → {A} → {B}": [_there_and_back(y, G_BA, G_AB) for y in real_B.split(1)],
        }

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The two generators, averaged, each with its architecture, domains (source, target) and size of pictures."""
        return {
            name: (
                self.players["G"].best(name),
                {"architecture": architecture, "domains": list(direction.of(self.domains)), "size": self.whole_size},
            )
            for (name, architecture), direction in zip(self.architectures.items(), DIRECTIONS, strict=True)
        }

    def local_state(self) -> dict:
        return {"pool_A": self.pool_A.state_dict(), "pool_B": self.pool_B.state_dict()}

    def load_local_state(self, state: dict) -> None:
        self.pool_A.load_state_dict(state["pool_A"], self.device)
        self.pool_B.load_state_dict(state["pool_B"], self.device)


def _there_and_back(picture: Tensor, there: nn.Module, back: nn.Module) -> list[Tensor]:
    modes = there.training, back.training
    there.eval(), back.eval()
    fake = there(picture).float()
    row = [picture[0], fake[0], back(fake).float()[0]]
    there.train(modes[0]), back.train(modes[1])
    return row
