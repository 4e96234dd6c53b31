"""pix2pix: a translator that learns from pairs (Isola et al. 2017, "Image-to-Image Translation with Conditional
Adversarial Networks", arXiv:1611.07004).

The discriminator sees the input beside the output and learns which outputs fit. That keeps the translation sharp, and
the L1 distance from the true picture keeps it right.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.game import Game, Player, adam
from cyclegan.models.losses import ADVERSARIAL, feature_loss, l1_loss
from cyclegan.models.memory import PaletteMemory
from cyclegan.models.pix2pix_config import RECIPES, Pix2PixConfig
from cyclegan.models.schedules import schedule
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.layers import initialise
from cyclegan.networks.palette import palette_loss, palette_of
from cyclegan.system.devices import process_rank
from cyclegan.system.errors import UserError


class Pix2Pix(Game):
    """One translator G against one discriminator D of pairs. The arguments are those of ``CycleGAN``."""

    Config = Pix2PixConfig
    samples = "paired"
    recipes: ClassVar[dict[str, dict[str, Any]]] = RECIPES

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
        source, target = self.way.of(channels)
        self.architecture = config.architecture(size, source, target)
        self.palettes = PaletteMemory(seed=seed + process_rank()) if "palette" in self.architecture else None
        if self.palettes and target != 3:
            raise UserError(f"--palette {config.palette}: pictures of {self.domains[1]} are grey, so it has no colours")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G = initialise(build_generator(self.architecture)).to(self.device)
            self.D = initialise(build_discriminator(config.critic(source, target))).to(self.device)
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
        palettes = self._palettes_for(target)
        with self.autocast():
            fake = self._translate(source, palettes)
            loss_D = self._judge(source, target, fake.detach())
        self.players["D"].move(loss_D, rate)
        with self.autocast():
            losses = self._generators_turn(source, target, fake, palettes)
            loss_G = self._weighted(losses)
        self.players["G"].move(loss_G, rate)
        return {name: loss.detach() for name, loss in (losses | {"D": loss_D}).items()}

    def _palettes_for(self, target: Tensor) -> Tensor | None:
        """Where colours are chosen: the palettes of the true pictures, and behind them as many of earlier ones."""
        if self.palettes is None:
            return None
        own = palette_of(target)
        self.palettes.add(own)
        return torch.cat([own, self.palettes.draw(len(own))])

    def _translate(self, source: Tensor, palettes: Tensor | None) -> Tensor:
        """G(x, z); where colours are chosen also every picture once more, in those of another one."""
        return self.G(source) if palettes is None else self.G(torch.cat([source, source]), palettes)

    def _generators_turn(
        self, source: Tensor, target: Tensor, fake: Tensor, palettes: Tensor | None
    ) -> dict[str, Tensor]:
        """The adversarial term and the distance from the truth (eq. 2, 3).

        Not the paper's: the distance in features, and, where colours are chosen, how well those were obeyed for which
        there is no true picture.
        """
        count = len(target)
        losses = {self.way.name: self.adversarial.generator(self._score(source, fake))}
        losses["L1"] = l1_loss(fake[:count], target)
        if self.config.lambda_features:
            losses["features"] = feature_loss(self.D.features(fake[:count]), self.D.features(target))
        if palettes is not None:
            losses["palette"] = palette_loss(palette_of(fake[count:]), palettes[count:])
        return losses

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        """L_cGAN(G) + λ L_L1 (eq. 4), and the same of features and palettes."""
        c = self.config
        weights = {"L1": c.lambda_L1, "features": c.lambda_features, "palette": c.lambda_palette}
        terms = [weights.get(name, c.lambda_adversarial) * loss for name, loss in losses.items()]
        return sum(terms[1:], terms[0])

    def _judge(self, source: Tensor, target: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's objective, halved (section 3.3).

        Real and generated pairs go through it one after the other: in one batch they would share batch norms.
        """
        of_fake, of_real = self._score(source, fake), self._score(source, target)
        return 0.5 * self.adversarial.discriminator(of_real, of_fake)

    def _score(self, source: Tensor, output: Tensor) -> Any:
        if self.config.discriminator == "projected":
            return self.D(self.augment_D(output))
        source = source.repeat(len(output) // len(source), 1, 1, 1)
        return self.D(self.augment_D(torch.cat([source, output], 1)))

    def generator_loss(self, real_A: Tensor, real_B: Tensor) -> Tensor:
        """The weighted sum of the generator's losses, with its graph."""
        source, target = self.way.of((real_A, real_B))
        palettes = self._palettes_for(target)
        return self._weighted(self._generators_turn(source, target, self._translate(source, palettes), palettes))

    @torch.no_grad()
    def preview(self, real_A: Tensor, real_B: Tensor) -> dict[str, list[list[Tensor]]]:
        """Rows of input, translation and true picture, from the averaged weights; leaves no trace in training.

        Where colours are chosen, the translation has those of the true picture; a block more has a row for each
        picture, in the colours of all true pictures in turn.
        """
        network = self.players["G"].best(self.way.name)
        mode = network.training
        network.eval()
        sources, targets = self.way.of((real_A, real_B))
        own = [() if self.palettes is None else (palette_of(y),) for y in targets.split(1)]
        pairs = zip(sources.split(1), own, targets.split(1), strict=True)
        rows = [[x[0], network(x, *palette).float()[0], y[0]] for x, palette, y in pairs]
        source, target = self.domains
        blocks = {f"{source} → {target}, and the true {target}": rows}
        if self.palettes is not None:
            blocks[f"{source} → {target}, other colours"] = [
                [network(x, *palette).float()[0] for palette in own] for x in sources.split(1)
            ]
        network.train(mode)
        return blocks

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The generator, averaged, with its architecture, domains (source, target) and size of pictures."""
        header = {"architecture": self.architecture, "domains": list(self.domains), "size": self.whole_size}
        if self.palettes is not None:
            header["palettes"] = self.palettes.stored()
        return {self.way.name: (self.players["G"].best(self.way.name), header)}

    def notes(self, pictures: int, per_step: int) -> list[str]:
        """The sizes that the translator will take as they are."""
        if "levels" not in self.architecture:
            return []
        multiple = 2 ** self.architecture["levels"]
        rule = f"The U-Net works on heights and widths that are multiples of {multiple}"
        return [f"{rule}; other pictures are filled up by reflection for it, and cropped again."]

    def local_state(self) -> dict:
        return {} if self.palettes is None else {"palettes": self.palettes.state_dict()}

    def load_local_state(self, state: dict) -> None:
        if self.palettes is not None:
            self.palettes.load_state_dict(state["palettes"], self.device)
