"""``python -m cyclegan.train NAME_OR_FOLDER``: train a pair of translators."""

import sys
from contextlib import closing
from functools import partial

from cyclegan.data.datasets import CardError, dataset_card, dataset_names, locate
from cyclegan.train.config import Config, ConfigError, as_dict
from cyclegan.train.recipes import parse


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code: 0 done, 1 training failed, 2 wrong input, 130 stopped and saved."""
    try:
        config = parse(arguments, lambda named: card_of(named).get("train", {}))
        return dry_run(config) if config.dry_run else run_training(config)
    except (ConfigError, CardError) as error:
        return _complain(error, 2)


def card_of(config: Config) -> dict:
    """The data set's card, without fetching its pictures."""
    return dataset_card(config.dataset) if config.dataset in dataset_names() else locate(config.dataset).card


def run_training(config: Config) -> int:
    """Fetches the data, builds the game and trains it in its run folder."""
    data = locate(config.dataset, config.data)
    from rich.console import Console

    from cyclegan.data.images import ImageError
    from cyclegan.evaluate.features import FeatureError
    from cyclegan.system.devices import choose_device, join_processes, leave_processes
    from cyclegan.train.forecast import advice
    from cyclegan.train.loop import NotFinite, steps_in_all, train
    from cyclegan.train.run import Run, RunError

    rank = join_processes()
    device = choose_device(config.training.device)
    say = print if rank == 0 else (lambda *_: None)
    try:
        with closing(Run(config.runs / (config.name or data.name), config)) as run:
            game, dataset, augment, pictures, watch = assemble(config, data, device, say)
            total = steps_in_all(config.training, len(dataset))
            say(f"{data.name}: {len(dataset.files[0])} pictures of {data.domains[0]}, {len(dataset.files[1])} of "
                f"{data.domains[1]}; {total} steps on {device}; run folder {run.folder}")  # fmt: skip
            advise = partial(advice, config, data.card, device) if rank == 0 else None
            made = train(game, dataset, augment, run, config.training, pictures, Console(quiet=rank > 0), watch, advise)
    except OSError as error:  # a full disk, a folder that cannot be written
        where = error.filename or config.runs
        return _complain(f"{error.strerror or error}: {where}; what was saved before is whole", 1)
    except (RunError, ImageError, FeatureError) as error:
        return _complain(error, 2)
    except NotFinite as error:
        return _complain(error, 1)
    finally:
        leave_processes()
    if watch and watch.stopped:
        say(f"Stopped early, after step {made} of {total}: the best translators are in {run.folder / 'best'}.")
        return 0
    if made < total:
        say(f"Stopped and saved after step {made} of {total}; the same command goes on from there.")
        return 130
    say(f"Done. Samples: {run.folder / 'samples'}. Translate with: python -m cyclegan.translate {run.folder} IN -o OUT")
    return 0


def assemble(config: Config, data, device, say):
    """The game, the data set, the augmentation, the fixed pictures and the evaluation of a configuration."""
    from cyclegan.data.augment import Augment, DiscriminatorAugment, to_signed
    from cyclegan.data.images import find_images
    from cyclegan.data.samples import Unpaired, check_readable, still_pictures
    from cyclegan.models.cyclegan import CycleGAN
    from cyclegan.models.game import process_rank
    from cyclegan.system.devices import prepare
    from cyclegan.system.randomness import seed_everything
    from cyclegan.train.judge import watch_for

    training, pictures = config.training, config.pictures
    folders = (data.train_A, data.train_B, data.test_A or data.train_A, data.test_B or data.train_B)
    files = []
    for folder in folders:
        good, complaints = check_readable(find_images(folder), training.skip_bad)
        files.append(good)
        for complaint in complaints:
            say(complaint)
    if config.model.lambda_identity and data.channels[0] != data.channels[1]:
        say("No identity loss: the two domains have different numbers of channels.")
    dataset = Unpaired(*files[:2], pictures, data.channels, training.seed, training.cache * 1e9, training.skip_bad)
    seed_everything(training.seed + process_rank())
    augment_D = DiscriminatorAugment() if pictures.diffaug else None
    game = CycleGAN(
        config.model, pictures.size, data.channels, data.domains, device, training.seed, augment_D, pictures.whole_size
    )
    prepare(game, training)
    still = tuple(
        to_signed(still_pictures(f, 4, pictures.size, c), device) for f, c in zip(files[2:], data.channels, strict=True)
    )
    watch = watch_for(game, files[2:], config, data.channels, data.domains)
    return game, dataset, Augment(pictures, device), still, watch


def dry_run(config: Config) -> int:
    """Prints what would be trained, without data."""
    from rich import print_json

    from cyclegan.train.memory import estimate

    channels = tuple(card_of(config).get("channels", (3, 3)))
    size = estimate(config, channels)
    print_json(data=as_dict(config))
    print(f"generators: {size['generators']:,} parameters   discriminators: {size['discriminators']:,}")
    print(f"memory for training, about: {(size['weights'] + size['activations']) / 1e9:.2f} GB "
          f"({size['weights'] / 1e9:.2f} weights and optimiser, {size['activations'] / 1e9:.2f} activations)"
          " besides PyTorch itself and --cache")  # fmt: skip
    return 0


def _complain(error: Exception | str, code: int) -> int:
    print(f"cyclegan.train: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
