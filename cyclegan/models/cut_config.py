"""The settings of CUT, each once: its name is the flag, its docstring the help, its value the default."""

from dataclasses import dataclass
from typing import Any, Literal

from cyclegan.models.schedules import Schedule
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
    lambda_background: float = 10.0
    """Weight of the background loss, for pictures with masks: every pixel outside its mask that differs from the input
    costs. The discriminator sees the translation inside the mask only, on the picture's own pixels outside."""
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
        if self.lambda_background < 0:
            raise UserError(f"--lambda-background cannot be negative, and is {self.lambda_background:g}")
        if not 0 <= self.constant < 1:
            raise UserError(f"--constant is a share from 0 to below 1, not {self.constant:g}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")


RECIPES: dict[str, dict[str, Any]] = {
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
