"""Every setting of a training run, once: its name is the flag, its docstring the help, its value the default.

The defaults are the paper's; ``recipes`` lays a recipe, the data set's card and the command line over them.
No torch here, so that ``--help`` answers at once.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro


class ConfigError(ValueError):
    """A setting that cannot be meant."""


@dataclass(frozen=True)
class ModelConfig:
    """Networks and losses."""

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
    """Weight of the cycle that starts in B, where it should differ. Lower it where A cannot hold all that B shows, as a
    line drawing holds no colours: else they are hidden in it, or stay. Or see --back-translation, which lets it be
    high. Default: LAMBDA_CYCLE."""
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
    """Learning rate of the discriminators, where it should differ: with faster ones the generators chase them less from
    one colour to the next (two time scales, Heusel et al. 2017). Default: LR."""
    beta1: float = 0.5
    """Adam's momentum."""
    beta2: float = 0.999
    """Adam's memory of squared gradients."""
    ema: float = 0.999
    """Decay of the averaged generator weights, the ones that are sampled and exported. 0 uses the last weights."""

    def architecture(self, size: int, in_channels: int, out_channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        built = {"name": self.generator, "in_channels": in_channels, "out_channels": out_channels}
        built["width"] = self.width or (16 if self.generator == "mobile" else 64)
        if self.generator == "unet":
            # one level per halving down to 1 pixel, 8 at 256 as in pix2pix
            levels = (size & -size).bit_length() - 1
            if levels < 5:
                raise ConfigError(f"a U-Net needs a size that is a multiple of 32, such as 64, 128 or 256, not {size}")
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
        built = {"name": self.discriminator, "in_channels": in_channels}
        if self.discriminator == "patch":
            built["layers"] = self.layers
        if self.adversarial == "wgan-gp":
            built["norm"] = "none"  # a norm over the image would tie the pixels whose slopes the penalty measures
        return built


@dataclass(frozen=True)
class PicturesConfig:
    """What the networks get to see."""

    size: int = 256
    """Training pictures are SIZE x SIZE pixels. Smaller is faster, in time and memory with about its square."""
    load: int | None = None
    """Pictures are first resized to LOAD x LOAD, then cropped at random. Default: SIZE times ZOOM, and without ZOOM 286
    for 256 and in proportion."""
    resize: Literal["stretch", "fit"] = "stretch"
    """stretch makes every picture square (the reference's way); fit keeps proportions and crops the longer side."""
    zoom: float = 1.0
    """Crop squares of up to ZOOM times SIZE pixels and shrink them to SIZE, so that things appear at many scales; 1
    crops SIZE only."""
    flip: bool = True
    """Mirror pictures left to right at random. Turn off where that changes the meaning, as with text."""
    color: float = 0.0
    """Vary brightness, contrast and saturation by up to this share. Results will vary as much: see --diffaug."""
    affine: float = 0.0
    """Rotate by up to this many degrees, and move and scale a little."""
    diffaug: bool = False
    """Show the discriminators pictures of varied brightness, contrast and position, real and generated alike: stretches
    a small data set without the results varying."""

    @property
    def load_size(self) -> int:
        """The side in pixels to which pictures are resized before the random crop."""
        return self.load or round(self.size * (self.zoom if self.zoom > 1 else 286 / 256))

    @property
    def whole_size(self) -> int:
        """The side in pixels at which to show whole pictures to what was trained on these: with ``zoom`` the finest
        scale that was seen, else the crops' side, as the reference does."""
        return self.load_size if self.zoom > 1 else self.size


@dataclass(frozen=True)
class TrainingConfig:
    """The run."""

    epochs: int = 200
    """How often to go through the larger of the two folders."""
    steps: int | None = None
    """Number of training steps, instead of --epochs."""
    batch: int = 1
    """Pictures per domain in one step (on each process). 1 is the paper's and gives the best detail; more uses a GPU
    better but means fewer steps per epoch, so raise --epochs along."""
    seed: int = 0
    """Start of all random numbers; the same seed on the same machine gives the same run."""
    device: str | None = None
    """cuda, cuda:1, mps or cpu. Default: CUDA if there is one, else the CPU."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto: bfloat16 on GPUs that have it, float32 elsewhere."""
    compile: bool = False
    """Compile the networks first: minutes of waiting, then faster steps on a GPU."""
    workers: int = 2
    """Threads that read pictures ahead of the training; 0 reads in between."""
    cache: float = 2.0
    """Gigabytes of memory for pictures once decoded and resized; 0 decodes anew each time."""
    skip_bad: bool = False
    """Go on without pictures that cannot be read, instead of stopping at the first."""
    log_every: int = 25
    """Steps between two lines of the log."""
    sample_every: int = 500
    """Steps between two sample pictures."""
    save_every: int = 1000
    """Steps between two checkpoints."""
    eval_every: int = 0
    """Steps between two evaluations; 0 never. Each measures KID on fixed test pictures in both directions (smaller is
    better), and the best weights are kept in best.pt and best/. Needs extra: eval."""
    eval_pictures: int = 64
    """How many test pictures of each domain an evaluation uses."""
    eval_features: str | None = None
    """The network through which evaluations compare pictures, see cyclegan.evaluate. Default: efficientnet-lite0, or
    efficientnet-lite1 where the discriminators look through the former."""
    patience: int = 0
    """Stop after this many evaluations without a better KID; 0 never."""


@dataclass(frozen=True)
class Config:
    """Train a pair of translators between two folders of pictures that need not match.

    The run is kept in runs/NAME; the same command again goes on where it stopped.
    """

    dataset: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME_OR_FOLDER")]
    """A data set's name (a card in datasets/, such as horse2zebra or sketch2emoji) or a folder with trainA, trainB and
    optionally testA, testB, or with one subfolder per domain."""
    recipe: Literal["paper", "quick"] = "paper"
    """A named set of defaults. paper: the published CycleGAN, exactly; days on a GPU's worth of work.
    quick: a small residual generator against projected discriminators; an hour or two on a laptop CPU."""
    name: str | None = None
    """The run's name, a folder in --runs. Default: the data set's name."""
    runs: Path = Path("runs")
    """The folder that keeps runs."""
    data: Path | None = None
    """A zip file or folder to use instead of downloading the named data set."""
    dry_run: bool = False
    """Print the settings, the size of the networks and an estimate of the memory, and stop."""
    model: Annotated[ModelConfig, tyro.conf.arg(name="")] = field(default_factory=ModelConfig)
    pictures: Annotated[PicturesConfig, tyro.conf.arg(name="")] = field(default_factory=PicturesConfig)
    training: Annotated[TrainingConfig, tyro.conf.arg(name="")] = field(default_factory=TrainingConfig)

    def check(self) -> "Config":
        """Raises ``ConfigError`` on settings that cannot be meant; returns itself."""
        p, t, m = self.pictures, self.training, self.model
        wrong = [
            (p.size < 32, f"--size must be at least 32, not {p.size}"),
            (p.size % 4 != 0, f"--size must be a multiple of 4, not {p.size}; try {max(32, p.size // 4 * 4)}"),
            (p.load_size < p.size, f"--load {p.load_size} is smaller than --size {p.size}; crops need room"),
            (p.zoom < 1, f"--zoom must be at least 1, not {p.zoom}"),
            (t.batch < 1, f"--batch must be at least 1, not {t.batch}"),
            (t.epochs < 1, f"--epochs must be at least 1, not {t.epochs}"),
            (t.steps is not None and t.steps < 1, f"--steps must be at least 1, not {t.steps}"),
            (m.pool < 0 or t.workers < 0 or t.cache < 0, "--pool, --workers and --cache cannot be negative"),
            (min(t.log_every, t.sample_every, t.save_every) < 1, "--log-every and its like must be at least 1"),
            (min(t.eval_every, t.patience) < 0, "--eval-every and --patience cannot be negative"),
            (t.patience > 0 and t.eval_every == 0, "--patience counts evaluations: give --eval-every too"),
            (t.eval_pictures < 2, f"--eval-pictures must be at least 2, not {t.eval_pictures}"),
            (not 0 <= m.ema < 1, f"--ema must be at least 0 and below 1, not {m.ema}"),
        ]
        for failed, sentence in wrong:
            if failed:
                raise ConfigError(sentence)
        return self


def as_dict(config: Config) -> dict:
    """All settings as plain values, nested by group, for JSON."""
    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(config).items()}
