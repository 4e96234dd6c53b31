"""3D-GAN and 3D-VAE-GAN: solids from noise, and from one picture (Wu et al. 2016, arXiv:1610.07584)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn

from cyclegan.data.config import VoxelsConfig
from cyclegan.data.pixels import to_signed
from cyclegan.data.render import render
from cyclegan.models.from_noise import SIDE, NoiseGame
from cyclegan.models.game import Player, adam
from cyclegan.models.losses import vanilla_discriminator, vanilla_generator
from cyclegan.networks.build import build_generator
from cyclegan.networks.layers import initialise
from cyclegan.networks.solid import SolidDiscriminator
from cyclegan.system.devices import process_count
from cyclegan.system.errors import UserError

LOOK = 96  # pixels of a solid in the samples


@dataclass(frozen=True)
class Gan3DConfig:
    """Networks, losses and optimisers of 3D-GAN and its encoder."""

    width: int = 512
    """Channels of the generator at 4 cells; halved with each doubling. The discriminator mirrors them."""
    latent: int = 200
    """Numbers that a solid starts from."""
    prior: Literal["normal", "uniform"] = "normal"
    """Their distribution: N(0, 1), or U(0, 1), which needs --no-encoder."""
    encoder: bool = True
    """Train the encoder too, which finds the latent of a picture (3D-VAE-GAN): then one picture gives a solid."""
    encoder_width: int = 64
    """Channels of the encoder's first layer."""
    balance: float = 0.8
    """The discriminator moves only where at most this share of the batch was judged rightly; 1 lets it always move."""
    recon: Literal["squares", "entropy"] = "squares"
    """How a solid from a picture is held against the true one: squared differences (the paper's), or cross-entropy,
    of each cell. Summed over the cells."""
    full_weight: float = 1.0
    """How often a full cell counts in the cross-entropy: chairs are one part full and twenty parts empty, so that at 1
    thin legs are not worth their risk. The cell is made full where its share is above 1 / (1 + FULL_WEIGHT)."""
    lambda_adversarial: float = 1.0
    """Weight of the adversarial loss of the generator."""
    lambda_recon: float = 1e-4
    """Weight of that difference."""
    lambda_kl: float = 5.0
    """Weight of the distance (KL divergence, summed) from the encoder's latents to N(0, 1)."""
    lr: float = 0.0025
    """Learning rate of Adam of generator and encoder."""
    lr_D: float = 1e-5
    """Learning rate of the discriminator."""
    beta1: float = 0.5
    """Adam's momentum."""
    ema: float = 0.0
    """Decay of the averaged weights of generator and encoder, which are sampled and exported; 0 uses the last."""

    def architecture(self, size: int, channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it."""
        if self.width < size // 8:
            raise UserError(f"--width must be at least {size // 8} for --size {size}, not {self.width}")
        return {"name": "solid", "size": size, "width": self.width, "latent": self.latent, "prior": self.prior}

    def seen(self) -> list[str]:
        """The feature networks that judge while training: none."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.encoder and self.prior != "normal":
            raise UserError("the encoder's latents are drawn towards N(0, 1): give --prior normal or --no-encoder")
        if not 0 < self.balance <= 1:
            raise UserError(f"--balance is a share above 0 and at most 1, not {self.balance:g}")
        if self.full_weight <= 0:
            raise UserError(f"--full-weight must be above 0, not {self.full_weight:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")
        if min(self.latent, self.encoder_width) < 1:
            raise UserError("--latent and --encoder-width must be at least 1")


class Gan3D(NoiseGame):
    """One generator of solids against one discriminator, with an encoder that shares the generator's player.

    A batch is solids (N, 1, size, size, size) and a picture of each (N, 1, view, view), in [-1, 1]; ``whole_size`` of
    the constructor is ``view``. The encoder learns together with the generator: what rebuilds a solid from its picture
    teaches the generator chairs as well, long before the discriminator does.
    """

    Config = Gan3DConfig
    Data = VoxelsConfig
    samples = "voxels"
    channels = (1,)
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # For two CPU cores: 32 cells, an eighth of the published width.
        "quick": {
            "size": 32,
            "view": 64,
            "width": 64,
            "encoder_width": 16,
            "batch": 16,
            "lr": 1e-3,
            "lr_D": 2e-4,
            "ema": 0.995,
            "recon": "entropy",
            "full_weight": 2.5,
            "lambda_recon": 1e-3,
            "lambda_kl": 2e-3,
            "lambda_adversarial": 0.2,
            "steps": 4000,
            "log_every": 25,
            "sample_every": 200,
            "save_every": 200,
        },
        # 3D-GAN as published: 64 cells, batch 100; --encoder adds 3D-VAE-GAN. For a GPU.
        "paper": {"size": 64, "view": 256, "batch": 100, "encoder": False, "prior": "uniform"},
    }

    def input_shapes(self, size: int, channels: tuple[int, ...]) -> list[tuple[int, ...]]:
        """A solid, and a picture of it."""
        return [(1, size, size, size), (1, self.whole_size, self.whole_size)]

    def discriminator(self) -> nn.Module:
        return SolidDiscriminator(self.size, self.config.width)

    def initialise(self, network: nn.Module) -> nn.Module:
        return initialise(network)

    def make_players(self) -> dict:
        c, movers = self.config, {"G": self.G}
        if c.encoder:
            self.encoder = {"name": "view-encoder", "view": self.whole_size, "width": c.encoder_width}
            self.encoder["latent"] = c.latent
            self.E = self.initialise(build_generator(self.encoder)).to(self.device)
            movers["E"] = self.E
        betas = (c.beta1, 0.999)
        return {"G": Player(movers, adam(c.lr, betas), c.ema), "D": Player({"D": self.D}, adam(c.lr_D, betas))}

    def step(self, real: Tensor, picture: Tensor) -> dict[str, Tensor]:
        """One step of section 3: the discriminator moves unless it is too good, then generator and encoder together."""
        with self.autocast():
            fake, losses = self._make(real, picture)
            of_real, of_fake = self.D(real), self.D(fake.detach())
            losses["D"] = vanilla_discriminator(of_real, of_fake)  # eq. 1
        losses["accuracy"] = _mean_of_all(torch.cat([of_real > 0, of_fake <= 0]).float().mean())
        # Section 3.1: D learns faster than G. (Shapes alone have no accuracy to compare.)
        if losses["accuracy"].is_meta or losses["accuracy"].item() <= self.config.balance:
            self.players["D"].move(losses["D"])
        with self.autocast():
            losses["G"] = vanilla_generator(self.D(fake))
            loss = self._weighted(losses)
        self.players["G"].move(loss)
        return {name: loss.detach() for name, loss in losses.items()}

    def _make(self, real: Tensor, picture: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Solids from noise, and the encoder's losses: L_KL and L_recon of section 3.3, each unweighted."""
        latents = self.noise(len(real))
        if not self.config.encoder:
            return self.G(latents), {}
        mean, log_variance = self.E(picture)
        drawn = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        # In one pass, so that batch norm has the same statistics for both.
        fake, rebuilt = self.G(torch.cat([latents, drawn])).split(len(real))
        c = self.config
        recon = squares(rebuilt, real) if c.recon == "squares" else entropy(rebuilt, real, c.full_weight)
        return fake, {"KL": kl_to_normal(mean, log_variance), "recon": recon}

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        """L_GAN + α₁ L_KL + α₂ L_recon of section 3.3, with a weight for the first too."""
        c = self.config
        weights = {"G": c.lambda_adversarial, "KL": c.lambda_kl, "recon": c.lambda_recon}
        return sum(weight * losses[name] for name, weight in weights.items() if name in losses)

    def generator_loss(self, real: Tensor, picture: Tensor) -> Tensor:
        fake, losses = self._make(real, picture)
        return self._weighted(losses | {"G": vanilla_generator(self.D(fake))})

    @torch.no_grad()
    def preview(self, real: Tensor, picture: Tensor) -> dict[str, list[list[Tensor]]]:
        """Solids from fixed latents; and rows of a picture, the solid that it gives, and the true one."""
        rows = [[seen(solid) for solid in row] for row in self.still_samples().split(SIDE)]
        shown = {self.domains[0]: rows}
        if self.config.encoder:
            generator, encoder = (self.players["G"].best(name).eval() for name in ("G", "E"))
            rebuilt = generator(encoder(picture)[0])
            title = f"picture → {self.domains[0]}, the true one"
            shown[title] = [[p, seen(made), seen(true)] for p, made, true in zip(picture, rebuilt, real, strict=True)]
            self.G.train(), self.E.train()
        return shown

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The generator; and the encoder, with the shapes of a picture and of a latent."""
        made = super().exports()
        made["G"][1]["outputs"] = [1, self.size, self.size, self.size]
        if self.config.encoder:
            view = self.whole_size
            shapes = {"inputs": [1, view, view], "outputs": [self.config.latent]}
            header = {"kind": "encoder", "architecture": self.encoder, "domains": [self.domains[0]], "size": view}
            made["E"] = (self.players["G"].best("E"), header | shapes)
        return made


def kl_to_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) in nats, summed over the latent's numbers (N, latent), the mean of the batch."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


def squares(made: Tensor, real: Tensor) -> Tensor:
    """‖G(E(y)) - x‖² with cells from 0 to 1, the mean of the batch (section 3.3 writes the norm without its square)."""
    return (0.5 * (made - real)).square().flatten(1).sum(1).mean()


def entropy(made: Tensor, real: Tensor, full_weight: float = 1.0) -> Tensor:
    """-log p(x | y) in nats, each cell a Bernoulli variable, full ones ``full_weight`` times (Brock et al. 2016,
    arXiv:1608.04236, weigh them too); summed over cells, the mean of the batch."""
    share, full = (0.5 * (solid.float() + 1) for solid in (made, real))
    weight = 1 + (full_weight - 1) * full
    true = torch.where(full > 0.5, share, 1 - share)  # F.binary_cross_entropy refuses to run under CUDA's autocast
    return -(weight * true.clamp(1e-4, 1 - 1e-4).log()).sum() / len(real)


def seen(solid: Tensor) -> Tensor:
    """A picture (1, LOOK, LOOK) in [-1, 1] of a solid (1, size, size, size)."""
    picture = torch.from_numpy(render(solid[0].float().cpu().numpy() > 0, LOOK))
    return to_signed(picture)[None]


def _mean_of_all(share: Tensor) -> Tensor:
    """The mean over all processes: they must agree on whether the discriminator moves."""
    if process_count() > 1:
        share = share.clone()
        dist.all_reduce(share)
        share /= process_count()
    return share
