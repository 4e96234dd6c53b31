"""The settings of CycleGAN, each once: its name is the flag, its docstring the help, its value the default."""

from dataclasses import dataclass
from typing import Any, Literal

from cyclegan.models.schedules import Schedule
from cyclegan.networks.unet import levels_for
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
    width_D: int = 64
    """Channels of the discriminators' first layer (patch and pixel); fewer are quicker."""
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
    lambda_background: float = 10.0
    """Weight of the background loss, for pictures with masks: every pixel outside its mask that differs from the input
    costs. The discriminators see the translation inside the mask only, on the picture's own pixels outside."""
    lambda_penalty: float = 10.0
    """Weight of the gradient penalty (wgan-gp only)."""
    palette: Literal["none", "A", "B", "both"] = "none"
    """Let whoever translates choose the colours: B those of the pictures of B that G_AB makes, A those that G_BA makes.
    The generator is given a palette beside its picture, in training that of a real picture."""
    lambda_palette: float = 5.0
    """Weight of the palette loss: how exactly a translation must have the palette that was asked for."""
    lambda_chroma: float = 1.0
    """Weight of colour against brightness in the cycle and identity losses; below 1 colours are freer to change."""
    gradient_checkpointing: bool = False
    """Compute the generators' residual blocks a second time on the way back instead of keeping what is inside: less
    memory, more time, the same weights."""
    pool: int = 50
    """How many generated pictures are kept for the discriminators to be shown again."""
    lr: float = 2e-4
    """Learning rate of Adam."""
    lr_schedule: Schedule = "linear"
    """Over the training. linear: constant for the share CONSTANT, then a line to 0 (the paper's). cosine: half a cosine
    from the start. step: a tenth after each quarter. constant."""
    constant: float = 0.5
    """Share of training at the full learning rate, with --lr-schedule linear."""
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
            built["levels"] = levels_for(size)
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
        if self.discriminator != "projected":
            built["width"] = self.width_D
        if self.discriminator == "patch":
            built["layers"] = self.layers
        if self.adversarial == "wgan-gp":
            built["norm"] = "none"  # a norm over the image would tie the pixels whose slopes the penalty measures
        return built

    def weight_of(self, loss: str) -> float:
        """What a loss of the generators counts, by its name in the log: cycle_A has that of its kind, the cycles."""
        if loss == "cycle_B" and self.lambda_cycle_B is not None:
            return self.lambda_cycle_B
        kind = loss.split("_")[0]
        return self.lambda_adversarial if kind == "G" else getattr(self, f"lambda_{kind}")

    def seen(self) -> list[str]:
        """The feature networks that judge while training, and so cannot judge the result impartially."""
        return ["efficientnet-lite0"] if self.discriminator == "projected" else []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.width_D < 1:
            raise UserError(f"--width-D must be at least 1, not {self.width_D}")
        if self.gradient_checkpointing and self.generator == "unet":
            raise UserError("--gradient-checkpointing is for residual blocks, and a unet has none")
        if self.pool < 0:
            raise UserError(f"--pool cannot be negative, and is {self.pool}")
        if not 0 <= self.constant < 1:
            raise UserError(f"--constant is a share from 0 to below 1, not {self.constant:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")
        if min(self.lambda_palette, self.lambda_chroma, self.lambda_background) < 0:
            raise UserError("--lambda-palette, --lambda-chroma and --lambda-background cannot be negative")

    def chosen(self) -> tuple[str, ...]:
        """The domains whose palette is chosen."""
        return {"none": (), "both": ("A", "B")}.get(self.palette, (self.palette,))


RECIPES: dict[str, dict[str, Any]] = {
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
