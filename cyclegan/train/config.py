"""The settings of a training run, each once: its name is the flag, its docstring the help, its value the default.

A model brings the settings of its own (``Game.Config``) and of its samples (``Game.Data``); those of the run stand
here. ``recipes`` lays a recipe, the data set's card and the command line over the defaults.
"""

from dataclasses import asdict, dataclass, field, make_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from cyclegan.models import MODELS, load_model
from cyclegan.system.errors import UserError


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
    accumulate: int = 1
    """Batches in one step, one after the other: as a batch so many times as large, in the memory of one. CycleGAN's."""
    seed: int = 0
    """Start of all random numbers; the same seed on the same machine gives the same run."""
    device: str | None = None
    """cuda, cuda:1, mps or cpu. Default: CUDA if there is one, else the CPU."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto: bfloat16 on GPUs and CPUs that compute it (CPUs with avx512_bf16 or AMX), float32 elsewhere."""
    compile: bool = False
    """Compile the networks first: minutes of waiting, then faster steps on a GPU."""
    workers: int = 2
    """Threads that read pictures ahead of the training; 0 reads in between."""
    cache: float = 2.0
    """Gigabytes of memory for pictures once decoded and resized; 0 decodes anew each time."""
    skip_bad: bool = False
    """Go on without pictures that cannot be read, instead of stopping at the first."""
    track: Literal["tensorboard", "wandb", "mlflow"] = "tensorboard"
    """Where curves and samples go besides the run folder. wandb and mlflow need the extras of these names. Without a
    server: WANDB_MODE=offline, and for mlflow nothing, as it writes into mlruns beside the run."""
    log_every: int = 25
    """Steps between two lines of the log."""
    sample_every: int = 500
    """Steps between two sample pictures."""
    save_every: int = 1000
    """Steps between two checkpoints."""
    keep_every: int = 0
    """Steps between two sets of weights that stay, in steps/STEP/ of the run, to translate or evaluate; 0 never."""
    eval_every: int = 0
    """Steps between two evaluations; 0 never. Each measures KID on fixed test pictures in both directions (smaller is
    better), and the best weights are kept in best.pt and best/. Needs extra: eval."""
    eval_pictures: int = 64
    """How many test pictures of each domain an evaluation uses."""
    eval_features: str | None = None
    """The network through which evaluations compare pictures, see cyclegan.evaluate. Default: efficientnet-lite0, or
    efficientnet-lite1 where the discriminators look through the former, or did for the weights of --init."""
    patience: int = 0
    """Stop after this many evaluations without a better KID; 0 never."""
    init: str | None = None
    """Begin with the weights of a translator instead of random ones: a name such as horse2zebra, a run folder, a
    weights file. The network's settings follow from the weights."""
    init_back: str | None = None
    """The same for the way back, where --init leads one way only, as published files do."""
    catch_up: int = 200
    """With --init: steps in which new discriminators move alone before the generators do; at most half of all steps.
    Those of a run folder go on as they are and need none."""

    @property
    def beginnings(self) -> list[str]:
        """The weights to begin with, by name, folder or file."""
        return [given for given in (self.init, self.init_back) if given]

    @property
    def pictures(self) -> int:
        """Pictures per domain in one step, on each process."""
        return self.batch * self.accumulate

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        wrong = [
            (self.accumulate < 1, f"--accumulate must be at least 1, not {self.accumulate}"),
            (self.batch < 1, f"--batch must be at least 1, not {self.batch}"),
            (self.epochs < 1, f"--epochs must be at least 1, not {self.epochs}"),
            (self.steps is not None and self.steps < 1, f"--steps must be at least 1, not {self.steps}"),
            (self.workers < 0 or self.cache < 0, "--workers and --cache cannot be negative"),
            (min(self.log_every, self.sample_every, self.save_every) < 1, "--log-every and such must be at least 1"),
            (
                min(self.eval_every, self.patience, self.keep_every) < 0,
                "--eval-every, --patience and --keep-every cannot be negative",
            ),
            (bool(self.init_back and not self.init), "--init-back goes with --init, the way there"),
            (self.catch_up < 0, f"--catch-up cannot be negative, and is {self.catch_up}"),
            (self.patience > 0 and self.eval_every == 0, "--patience counts evaluations: give --eval-every too"),
            (self.eval_pictures < 2, f"--eval-pictures must be at least 2, not {self.eval_pictures}"),
        ]
        for failed, sentence in wrong:
            if failed:
                raise UserError(sentence)


@dataclass(frozen=True)
class Config:
    """Train a model on pictures: by default a pair of translators between two folders that need not match.

    The run is kept in runs/NAME; the same command again goes on where it stopped.
    """

    dataset: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME_OR_FOLDER")]
    """A data set's name (a card in datasets/, such as horse2zebra or sketch2emoji) or a folder with trainA, trainB and
    optionally testA, testB, or with one subfolder per domain; for pix2pix pairs bear one name in both folders, or
    stand side by side in one file, in train and optionally test. Masks of what may change may lie beside the pictures,
    in trainA_mask and trainB_mask."""
    algorithm: Annotated[str, tyro.conf.arg(name="model")] = "cyclegan"
    """What to train; --help beside it shows the settings of that model."""
    recipe: str = "paper"
    """A named set of defaults. paper: the published algorithm, exactly. quick, of cyclegan: a small residual generator
    against projected discriminators; an hour or two on a laptop CPU."""
    name: str | None = None
    """The run's name, a folder in --runs. Default: the data set's name, behind the model's unless that is cyclegan."""
    runs: Path = Path("runs")
    """The folder that keeps runs."""
    config: Path | None = None
    """The settings of another run, its config.json, in place of a recipe's and the data set's card; what is given
    beside it wins."""
    data: Path | None = None
    """An archive (.zip, .tar.gz) or folder to use instead of downloading the named data set."""
    dry_run: bool = False
    """Print the settings, the size of the networks and an estimate of the memory, and stop."""
    model: Any = None
    pictures: Any = None
    training: Annotated[TrainingConfig, tyro.conf.arg(name="")] = field(default_factory=TrainingConfig)

    def check(self) -> "Config":
        """Raises ``UserError`` on settings that cannot be meant; returns itself."""
        for group in (self.pictures, self.training, self.model):
            group.check()
        if self.training.accumulate > 1 and not load_model(self.algorithm).divisible:
            raise UserError(f"--accumulate: a step of {self.algorithm} cannot be taken in parts; give a larger --batch")
        return self

    def run_name(self, dataset: str) -> str:
        """The name of the run's folder on a data set of that name."""
        own = f"_{self.algorithm}"  # a card of this model's own has it in its name already
        of_model = f"{self.algorithm}_{dataset.removesuffix(own)}"
        return self.name or (dataset if self.algorithm == "cyclegan" else of_model)


@cache
def config_class(algorithm: str) -> type[Config]:
    """``Config`` with the settings of one model in it; its instances are plain ``Config``s too."""
    game = load_model(algorithm)
    flat = tyro.conf.arg(name="")
    recipes = tuple(game.recipes)
    made = make_dataclass(
        "Config",
        [
            ("algorithm", Annotated[Literal[tuple(MODELS)], tyro.conf.arg(name="model")], field(default=algorithm)),
            ("recipe", Literal[recipes], field(default=recipes[0])),
            ("model", Annotated[game.Config, flat], field(default_factory=game.Config)),
            ("pictures", Annotated[game.Data, flat], field(default_factory=game.Data)),
        ],
        bases=(Config,),
        frozen=True,
    )
    made.__doc__, made.__module__ = Config.__doc__, __name__
    return made


def as_dict(config: Config) -> dict:
    """All settings as plain values, nested by group, for JSON."""
    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(config).items()}
