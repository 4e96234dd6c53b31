"""Recipes: named sets of defaults; and the command line that settles every setting.

Later sources win: the paper's defaults, then the recipe, then the data set's card, then the command line.
"""

from dataclasses import fields, replace

import tyro

from cyclegan.train.config import Config, ConfigError

RECIPES: dict[str, dict] = {
    # The published CycleGAN: all defaults. Good for a GPU; days of work for a laptop.
    "paper": {},
    # For a laptop's CPU. The small generator learns the change only, so cycle and identity terms start at zero and the
    # background stays; the discriminators see animals and things from the start, so they teach where to change what.
    # It gives up detail that a full-size generator could make up, and needs the extra: quick.
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


def with_defaults(config: Config, settings: dict) -> Config:
    """``config`` with some settings replaced, named flatly as on the command line (``{"size": 128}``)."""
    groups = {f.name: getattr(config, f.name) for f in fields(config)}
    for key, value in settings.items():
        for name in ("model", "pictures", "training"):
            if key in {f.name for f in fields(groups[name])}:
                groups[name] = replace(groups[name], **{key: value})
                break
        else:
            raise ConfigError(f"the data set's card sets {key!r}, which is no training setting")
    return Config(**groups)


def of_card(table: dict, recipe: str) -> dict:
    """What a card's [train] table sets under a recipe: its flat names, and those of the recipe's own subtable."""
    return {key: value for key, value in table.items() if key not in RECIPES} | table.get(recipe, {})


def parse(arguments: list[str] | None, card_defaults) -> Config:
    """The configuration of a command line.

    ``card_defaults(config)`` gives the data set's own settings, the card's [train] table.
    """
    options = {"prog": "python -m cyclegan.train", "config": (tyro.conf.OmitArgPrefixes,)}
    named = tyro.cli(Config, args=arguments, **options)
    base = with_defaults(Config(named.dataset), RECIPES[named.recipe] | of_card(card_defaults(named), named.recipe))
    config = tyro.cli(Config, args=arguments, default=base, **options)
    training = config.training
    if training.epochs != base.training.epochs and training.steps == base.training.steps:
        config = replace(config, training=replace(training, steps=None))  # the recipe's steps would hide --epochs
    return config.check()
