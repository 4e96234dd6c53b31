"""One training from its settings to its last checkpoint: what the command line and ``cyclegan.train`` both run."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from rich import print_json
from rich.console import Console

from cyclegan.models import load_model
from cyclegan.models.game import Game
from cyclegan.networks.directions import B_TO_A
from cyclegan.system.devices import choose_device, join_processes, leave_processes, process_count
from cyclegan.train.build import build, open_source
from cyclegan.train.config import Config, as_dict
from cyclegan.train.forecast import advice, estimate
from cyclegan.train.init import begin
from cyclegan.train.loop import train
from cyclegan.train.recipes import card_of
from cyclegan.train.run import Run


@dataclass(frozen=True)
class Result:
    """How a training ended."""

    folder: Path  # the run folder, which ``Translator.from_pretrained`` loads
    steps: int  # made in all
    total: int  # asked for
    stopped_early: bool  # patience ran out
    words: list[str]  # for people; [] on all processes but the first

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C or SIGTERM ended it before its time; the same call goes on."""
        return self.steps < self.total and not self.stopped_early


def run_training(config: Config) -> Result:
    """Fetches the data, builds the model and trains it in its run folder, or goes on where it stopped there.

    Raises ``UserError`` for wrong input, and ``NotFinite``, which is one too, where a loss became NaN. Raises OSError
    where the disk is full or a folder cannot be written; what was saved before is whole.
    """
    device = choose_device(config.training.device)
    rank = join_processes(device)
    say = print if rank == 0 else (lambda *_: None)
    try:
        source = open_source(config, say)
        with closing(Run(config.runs / config.run_name(source.name), config, source.record)) as run:
            training = build(config, source, device, say)
            total = training.steps
            if config.training.init and not run.checkpoint.exists():
                run.origin, notes = begin(training.game, config, total)
                run.notes += notes
            say(f"{source.name}: {source.described}; {total} steps on {device}; run folder {run.folder}")
            for note in run.notes + training.game.notes(
                len(source.samples), config.training.pictures * process_count()
            ):
                say(note)
            console = Console(quiet=rank > 0)
            made = train(training, run, console, lambda seconds: advice(config, source, device, seconds))
    finally:
        leave_processes()
    early = bool(training.judge and training.judge.stopped)
    words = _words(training.game, run.folder, made, total, early) if rank == 0 else []
    return Result(run.folder, made, total, early, words)


def _words(game: Game, folder: Path, made: int, total: int, stopped_early: bool) -> list[str]:
    if stopped_early:
        return [f"Stopped early, after step {made} of {total}: the best weights are in {folder / 'best'}."]
    if made < total:
        return [f"Stopped and saved after step {made} of {total}; the same command goes on from there."]
    said = f"Done. Samples: {folder / 'samples'}."
    if game.kind == "generator":
        return [f"{said} More of them: python -m cyclegan.sample {quote(str(folder))} -n 25 -o sheet.png"]
    reverse = " --reverse" if list(game.exports()) == [B_TO_A.name] else ""
    return [f"{said} Translate with: python -m cyclegan.translate {quote(str(folder))}{reverse} IN -o OUT"]


def dry_run(config: Config) -> None:
    """Prints what would be trained, without data."""
    size = estimate(config, tuple(card_of(config).get("channels", load_model(config.algorithm).channels)))
    print_json(data=as_dict(config))
    print(f"generators: {size['generators']:,} parameters   discriminators: {size['discriminators']:,}")
    print(f"memory for training, about: {(size['weights'] + size['activations']) / 1e9:.2f} GB "
          f"({size['weights'] / 1e9:.2f} weights and optimiser, {size['activations'] / 1e9:.2f} activations)"
          " besides PyTorch itself and --cache")  # fmt: skip
