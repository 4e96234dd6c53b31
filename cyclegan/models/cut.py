"""CUT and FastCUT: one translator without a cycle (Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image
Translation", arXiv:2007.15651).

A patch of the translation should resemble the patch of the input at the same place more than the input's other patches,
in the features of the generator's own encoder. That mutual information takes the place of the cycle.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cyclegan.models.cut_config import RECIPES, CUTConfig
from cyclegan.models.game import Game, Player, adam
from cyclegan.models.losses import ADVERSARIAL, background_loss, patch_nce, split_scores
from cyclegan.models.schedules import schedule
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.layers import composite, initialise_xavier, within_range
from cyclegan.networks.patches import PatchHeads, draw_places
from cyclegan.system.errors import UserError


class CUT(Game):
    """One translator G_AB: A → B against one discriminator D_B; the heads F belong to the generator's player.

    One Adam serves G and F: it works weight by weight, so this equals the published code's two at equal rates. The
    arguments are those of ``CycleGAN``.
    """

    Config = CUTConfig
    samples = "unpaired"
    recipes: ClassVar[dict[str, dict[str, Any]]] = RECIPES
    masks = True

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

    def step(self, real_A: Tensor, real_B: Tensor, *masks: Tensor) -> dict[str, Tensor]:
        """One step of training: one translation, then the discriminator's move, then that of generator and heads.

        Takes (N, C, H, W) in [-1, 1] on the model's device; returns each loss, unweighted, as a detached 0-d tensor.
        Of ``masks`` the first counts, that of ``real_A``: (N, 1, H, W) in [0, 1], 1 where it is to change.
        """
        rate = schedule(self.progress, self.config.constant, self.config.lr_schedule)
        with self.autocast():
            fake_B, same_B, flipped = self._translate(real_A, real_B)
            loss_D = self._judge(real_B, self._seen(fake_B, real_A, flipped, masks).detach())
        self.players["D"].move(loss_D, rate)
        with self.autocast():
            losses = self._generators_turn(real_A, real_B, fake_B, same_B, flipped, masks)
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

    def _seen(self, fake_B: Tensor, real_A: Tensor, flipped: bool, masks: Sequence[Tensor]) -> Tensor:
        """What the discriminator sees: G(x), with a mask only inside of it, and outside the picture x itself."""
        fake_B = within_range(fake_B)
        if not masks:
            return fake_B
        real, mask = (x.flip(3) if flipped else x for x in (real_A, masks[0]))
        return composite(fake_B, real, mask)

    def _generators_turn(
        self,
        real_A: Tensor,
        real_B: Tensor,
        fake_B: Tensor,
        same_B: Tensor | None,
        flipped: bool,
        masks: Sequence[Tensor] = (),
    ) -> dict[str, Tensor]:
        """The adversarial term and PatchNCE of x and G(x), and of y and G(y) (section 3.3, "external" and identity).

        With a mask also what changed outside of it, which is not the paper's.
        """
        seen = self._seen(fake_B, real_A, flipped, masks)
        losses = {"G_AB": self.adversarial.generator(self.D_B(self.augment_D(seen)))}
        if masks:
            losses["background_A"] = background_loss(fake_B.flip(3) if flipped else fake_B, real_A, masks[0])
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
        """λ_GAN L_GAN + λ_NCE (L_NCE(x) + L_NCE(y)) / 2, and without the identity λ_NCE L_NCE(x) (eq. 5).

        With a mask also λ_background times what changed outside.
        """
        nce = [loss for name, loss in losses.items() if name.startswith("nce")]
        c = self.config
        background = c.lambda_background * losses["background_A"] if "background_A" in losses else 0
        return c.lambda_adversarial * losses["G_AB"] + (c.lambda_nce * sum(nce) / len(nce) if nce else 0) + background

    def _judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's objective, halved."""
        of_real, of_fake = split_scores(self.D_B(self.augment_D(torch.cat([real, fake]))), len(real))
        return 0.5 * self.adversarial.discriminator(of_real, of_fake)

    def generator_loss(self, real_A: Tensor, real_B: Tensor, *masks: Tensor) -> Tensor:
        """The weighted sum of the generator's losses, with its graph."""
        return self._weighted(self._generators_turn(real_A, real_B, *self._translate(real_A, real_B), masks))

    @torch.no_grad()
    def preview(self, real_A: Tensor, real_B: Tensor, *masks: Tensor) -> dict[str, list[list[Tensor]]]:
        """Rows A → B, inside the masks of A where there are some, and rows B → B, from the averaged weights.

        Leaves no trace in training.
        """
        network = self.players["G"].best("G_AB")
        mode = network.training
        network.eval()
        A, B = self.domains
        rows = [[[x[0], network(x).float()[0]] for x in real.split(1)] for real in (real_A, real_B)]
        for row, mask in zip(rows[0], masks[0] if masks else (), strict=False):
            row[1] = composite(row[1], row[0], mask)
        network.train(mode)
        return dict(zip((f"{A} → {B}", f"{B} → {B}"), rows, strict=True))

    def exports(self) -> dict[str, tuple[nn.Module, dict]]:
        """The generator, averaged, with its architecture, domains (source, target) and size of pictures."""
        header = {"architecture": self.architecture, "domains": list(self.domains), "size": self.whole_size}
        return {"G_AB": (self.players["G"].best("G_AB"), header)}
