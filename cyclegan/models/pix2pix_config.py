"""The settings of pix2pix, each once: its name is the flag, its docstring the help, its value the default."""

from dataclasses import dataclass
from typing import Any, Literal

from cyclegan.models.schedules import Schedule
from cyclegan.networks.directions import A_TO_B, B_TO_A, Direction
from cyclegan.networks.palette import COLOURS
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
    discriminator: Literal["patch", "projected"] = "patch"
    """patch judges patches of the output beside its input (the paper's); projected judges the output alone, through a
    network trained on ImageNet (needs extra: quick)."""
    layers: int = 3
    """Depth of the patch discriminator: 3 sees 70 x 70 pixels, each one more about doubles that."""
    width_D: int = 64
    """Channels of the patch discriminator's first layer; fewer are quicker."""
    adversarial: Literal["vanilla", "lsgan", "hinge"] = "vanilla"
    """The adversarial loss: cross-entropy (the paper's), least squares or hinge."""
    lambda_adversarial: float = 1.0
    """Weight of the adversarial loss."""
    lambda_L1: float = 100.0
    """Weight of the L1 distance from the true picture."""
    lambda_features: float = 0.0
    """Weight of the distance from the true picture in the features of the projected discriminator's network: what is
    shown counts, and not each pixel. 0, the paper's, turns it off."""
    palette: Literal["none", "A", "B"] = "none"
    """Let whoever translates choose the colours of the domain that is made, B for --direction AB. The generator is
    given a palette beside its picture, in training that of the true picture and that of another one. Not for a
    U-Net."""
    lambda_palette: float = 5.0
    """Weight of the palette loss: how exactly a translation must have the palette that was asked for."""
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
            own: dict[str, Any] = {"residual": self.residual} if self.residual else {}
            own |= {"palette": COLOURS} if self.palette != "none" else {}
            return built | {"blocks": self.blocks, "up": self.up} | own
        built |= {"levels": levels_for(size), "norm": "batch_statistics"}
        return built | ({"noise": self.noise} if self.noise else {})

    def critic(self, source: int, target: int) -> dict:
        """The discriminator as ``networks.build_discriminator`` takes it, for pictures of these channels."""
        if self.discriminator == "projected":
            return {"name": "projected", "in_channels": target}
        built = {"name": "patch", "in_channels": source + target, "width": self.width_D, "layers": self.layers}
        return built | {"norm": "batch"}

    def seen(self) -> list[str]:
        """The feature networks that judge while training, and so cannot judge the result impartially."""
        return ["efficientnet-lite0"] if self.discriminator == "projected" else []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.width_D < 1:
            raise UserError(f"--width-D must be at least 1, not {self.width_D}")
        if self.generator == "unet" and self.residual:
            raise UserError("--residual is for --generator resnet or mobile: a U-Net makes the whole picture")
        if self.palette != "none":
            made = self.direction[1]
            if self.palette != made:
                raise UserError(f"--direction {self.direction} makes pictures of {made}, so it is --palette {made}")
            if self.generator == "unet":
                raise UserError("--palette is for --generator resnet or mobile: a U-Net's norms are those of the batch")
        if self.lambda_features and self.discriminator != "projected":
            raise UserError("--lambda-features needs the network of --discriminator projected")
        if min(self.lambda_features, self.lambda_palette) < 0:
            raise UserError("--lambda-features and --lambda-palette cannot be negative")
        if not 0 <= self.noise < 1:
            raise UserError(f"--noise is a share from 0 to below 1, not {self.noise:g}")
        if not 0 <= self.constant < 1:
            raise UserError(f"--constant is a share from 0 to below 1, not {self.constant:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")


_SMALL: dict[str, Any] = {"generator": "mobile", "up": "resize", "size": 128, "batch": 2}

RECIPES: dict[str, dict[str, Any]] = {
    "paper": {},
    # For a laptop's CPU: CycleGAN's mobile network, and half the discriminator's channels.
    "quick": _SMALL | {"width_D": 32, "adversarial": "lsgan", "steps": 2500},
    # For drawings and what else has no colours: whoever translates chooses them, and things count more than pixels.
    "coloured": _SMALL
    | {
        "width": 24,
        "discriminator": "projected",
        "adversarial": "hinge",
        "palette": "B",
        "lambda_L1": 10.0,
        "lambda_features": 10.0,
        "lr": 3e-4,
        "diffaug": True,
        "zoom": 1.34,
        "steps": 3300,
    },
}
