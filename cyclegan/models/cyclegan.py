"""CycleGAN: the paper in one file (Zhu et al. 2017, arXiv:1703.10593).

Suffixes name the domain a tensor lives in or a discriminator judges: ``fake_B = G_AB(real_A)`` is judged by ``D_B``.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.cyclegan_config import RECIPES, CycleGANConfig
from cyclegan.models.game import Game, Player, adam
from cyclegan.models.losses import (
    ADVERSARIAL,
    background_loss,
    change_loss,
    cycle_loss,
    gradient_penalty,
    identity_loss,
    split_scores,
)
from cyclegan.models.memory import PaletteMemory
from cyclegan.models.pool import ImagePool
from cyclegan.models.schedules import schedule
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.directions import DIRECTIONS
from cyclegan.networks.generators import recompute_blocks
from cyclegan.networks.layers import composite, initialise, within_range
from cyclegan.networks.palette import COLOURS, palette_loss, palette_of
from cyclegan.system.devices import process_rank
from cyclegan.system.errors import UserError

MAKES = {"A": "G_BA", "B": "G_AB"}  # domain → the generator of its pictures


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
    divisible = True
    masks = True
    recipes: ClassVar[dict[str, dict[str, Any]]] = RECIPES

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
        for domain in config.chosen():
            if channels["AB".index(domain)] != 3:
                raise UserError(f"--palette {config.palette}: pictures of {domain} are grey, so it has no colours")
            self.architectures[MAKES[domain]]["palette"] = COLOURS
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G_AB, self.G_BA = (self._place(build_generator(a)) for a in self.architectures.values())
            self.D_A, self.D_B = (self._place(build_discriminator(config.critic(c))) for c in channels)
        draws = seed + 2 * process_rank()
        self.pool_A, self.pool_B = ImagePool(config.pool, draws), ImagePool(config.pool, draws + 1)
        self.palettes = {domain: PaletteMemory(seed=draws) for domain in config.chosen()}
        betas = (config.beta1, config.beta2)
        self.players = {
            "G": Player({"G_AB": self.G_AB, "G_BA": self.G_BA}, adam(config.lr, betas), config.ema),
            "D": Player({"D_A": self.D_A, "D_B": self.D_B}, adam(config.lr_D or config.lr, betas)),
        }

    def _place(self, network):
        if self.config.gradient_checkpointing:
            recompute_blocks(network)
        return initialise(network).to(self.device)

    def step(self, real_A: Tensor, real_B: Tensor, *masks: Tensor) -> dict[str, Tensor]:
        """One step of training (section 4): the generators move together, then the discriminators.

        Takes (N, C, H, W) in [-1, 1] on the model's device; returns each loss, unweighted, as a detached 0-d tensor.
        ``masks`` are that of ``real_A`` and that of ``real_B``, (N, 1, H, W) in [0, 1], 1 where it is to change.
        """
        rate = schedule(self.progress, self.config.constant, self.config.lr_schedule)
        palettes = self._palettes_of(real_A, real_B)
        for domain, memory in self.palettes.items():
            memory.add(palettes[domain])
        with self.autocast():
            fakes, losses = self._generators_turn(real_A, real_B, palettes, masks)
            loss_G = self._weighted(losses)
        self.players["G"].move(loss_G, rate)
        with self.autocast():
            fake_A, fake_B = self.pool_A.query(fakes["A"]), self.pool_B.query(fakes["B"])
            losses["D_A"] = self._judge(self.D_A, real_A, fake_A)
            losses["D_B"] = self._judge(self.D_B, real_B, fake_B)
            loss_D = losses["D_A"] + losses["D_B"]
        self.players["D"].move(loss_D, rate)
        return {name: loss.detach() for name, loss in losses.items()}

    def _palettes_of(self, real_A: Tensor, real_B: Tensor) -> dict[str, Tensor | None]:
        """The palettes of the real pictures, where that domain's colours are chosen."""
        with torch.no_grad():
            real = {"A": real_A, "B": real_B}
            return {domain: palette_of(real[domain]) if domain in self.palettes else None for domain in "AB"}

    def _generators_turn(
        self,
        real_A: Tensor,
        real_B: Tensor,
        palettes: dict[str, Tensor | None] | None = None,
        masks: Sequence[Tensor] = (),
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """What the discriminators see, and both cycles, the terms of eq. 3 and the identity terms, each unweighted.

        Where colours are chosen, ways back and identities get the true palette, so that no mean of all colours is the
        best answer. A fake gets that of the step's real picture of its domain, which is a random one to its input.
        """
        losses = {}
        palettes = palettes or self._palettes_of(real_A, real_B)
        p_A, p_B = palettes["A"], palettes["B"]
        if self.has_identity:
            # Translating and keeping in one pass: exact, since instance norm treats every picture by itself.
            fake_B, same_B = _made(self.G_AB, torch.cat([real_A, real_B]), _twice(p_B)).tensor_split([len(real_A)])
            fake_A, same_A = _made(self.G_BA, torch.cat([real_B, real_A]), _twice(p_A)).tensor_split([len(real_B)])
            losses["identity_A"] = identity_loss(same_A, real_A, self.config.lambda_chroma)
            losses["identity_B"] = identity_loss(same_B, real_B, self.config.lambda_chroma)
        else:
            fake_B, fake_A = _made(self.G_AB, real_A, p_B), _made(self.G_BA, real_B, p_A)
        if self.has_change:
            losses["change_A"] = change_loss(fake_B, real_A)
            losses["change_B"] = change_loss(fake_A, real_B)
        cycle_A = _made(self.G_BA, self._way_there(fake_B, "A"), p_A)
        cycle_B = _made(self.G_AB, self._way_there(fake_A, "B"), p_B)
        losses["cycle_A"] = cycle_loss(cycle_A, real_A, self.config.lambda_chroma)
        losses["cycle_B"] = cycle_loss(cycle_B, real_B, self.config.lambda_chroma)
        fakes = {"A": fake_A, "B": fake_B}
        for domain in self.palettes:
            losses[f"palette_{domain}"] = palette_loss(palette_of(fakes[domain]), palettes[domain])
        seen = {domain: within_range(fake) for domain, fake in fakes.items()}
        for start, end, real, mask in zip("AB", "BA", (real_A, real_B), masks, strict=False):
            losses[f"background_{start}"] = background_loss(fakes[end], real, mask)
            seen[end] = composite(seen[end], real, mask)
        losses["G_AB"] = self.adversarial.generator(self.D_B(self.augment_D(seen["B"])))
        losses["G_BA"] = self.adversarial.generator(self.D_A(self.augment_D(seen["A"])))
        return seen, losses

    def generator_loss(self, real_A: Tensor, real_B: Tensor, *masks: Tensor) -> Tensor:
        """The weighted sum of the generators' losses (eq. 3), with its graph."""
        return self._weighted(self._generators_turn(real_A, real_B, masks=masks)[1])

    def _way_there(self, fake: Tensor, start: str) -> Tensor:
        """The middle of the cycle that begins in ``start``; cut off from its maker where only the way back learns."""
        return fake.detach() if self.config.back_translation in (start, "both") else fake

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        """λ_adv (L_AB + L_BA) + λ_cyc (L_cyc,A + L_cyc,B) + λ_id (L_id,A + L_id,B) (eq. 3, section 5.2), and the same
        of change, palette and background, which are not the paper's."""
        terms = [self.config.weight_of(name) * loss for name, loss in losses.items()]
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
    def preview(self, real_A: Tensor, real_B: Tensor, *masks: Tensor) -> dict[str, list[list[Tensor]]]:
        """Rows A → B → A and rows B → A → B, from the averaged weights; leaves no trace in training.

        With ``masks`` as in ``step`` all of a row are the picture itself outside of its mask. Where colours are chosen,
        a picture takes those of the other domain's picture at its place; a block more has a row for each picture, in
        the colours of them all in turn.
        """
        networks = {domain: self.players["G"].best(name) for domain, name in MAKES.items()}
        real, palettes = {"A": real_A, "B": real_B}, self._palettes_of(real_A, real_B)
        inside = dict(zip("AB", masks or (None, None), strict=True))
        modes = {domain: network.training for domain, network in networks.items()}
        blocks = {}
        for network in networks.values():
            network.eval()
        for (start, end), names in (("AB", self.domains), ("BA", self.domains[::-1])):
            rows = []
            for i, picture in enumerate(real[start].split(1)):
                mask = _nth(inside[start], i)
                fake = _made(networks[end], picture, _nth(palettes[end], i), mask).float()
                back = _made(networks[start], fake, _nth(palettes[start], i), mask).float()
                rows.append([picture[0], fake[0], back[0]])
            blocks[f"{names[0]} → {names[1]} → {names[0]}"] = rows
            if end in self.palettes:
                several = [picture.expand(len(palettes[end]), -1, -1, -1) for picture in real[start].split(1)]
                blocks[f"{names[0]} → {names[1]}, other colours"] = [
                    list(_made(networks[end], same, palettes[end], _nth(inside[start], i)).float())
                    for i, same in enumerate(several)
                ]
        for domain, network in networks.items():
            network.train(modes[domain])
        return blocks

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The two generators, averaged, each with its architecture, domains (source, target) and size of pictures, and
        with palettes of training pictures where its colours are chosen."""
        headers = {
            name: {"architecture": architecture, "domains": list(direction.of(self.domains)), "size": self.whole_size}
            for (name, architecture), direction in zip(self.architectures.items(), DIRECTIONS, strict=True)
        }
        for domain, memory in self.palettes.items():
            headers[MAKES[domain]]["palettes"] = memory.stored()
        return {name: (self.players["G"].best(name), header) for name, header in headers.items()}

    def local_state(self) -> dict:
        state = {"pool_A": self.pool_A.state_dict(), "pool_B": self.pool_B.state_dict()}
        return state | {f"palettes_{domain}": memory.state_dict() for domain, memory in self.palettes.items()}

    def load_local_state(self, state: dict) -> None:
        self.pool_A.load_state_dict(state["pool_A"], self.device)
        self.pool_B.load_state_dict(state["pool_B"], self.device)
        for domain, memory in self.palettes.items():
            memory.load_state_dict(state[f"palettes_{domain}"], self.device)


def _made(network: nn.Module, pictures: Tensor, palettes: Tensor | None, mask: Tensor | None = None) -> Tensor:
    """What a generator makes of pictures, in colours that are asked for where it takes palettes, and inside a mask."""
    made = network(pictures) if palettes is None else network(pictures, palettes)
    return made if mask is None else composite(made, pictures, mask)


def _twice(palettes: Tensor | None) -> Tensor | None:
    return None if palettes is None else torch.cat([palettes, palettes])


def _nth(palettes: Tensor | None, i: int) -> Tensor | None:
    return None if palettes is None else palettes[i % len(palettes)][None]
