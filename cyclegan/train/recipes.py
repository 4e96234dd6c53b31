"""From a command line, or from keyword arguments, to every setting of a run.

Later sources win: the model's defaults (the paper's), then the recipe, then the data set's card, then the weights that
the run begins with, then what was given. The settings file of another run (``--config``) takes the place of the first
three.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import tyro

from cyclegan.data.dataset_cards import card_named, name_for
from cyclegan.models import MODELS, load_model
from cyclegan.system.errors import UserError
from cyclegan.system.settings import replaced
from cyclegan.train.config import Config, config_class
from cyclegan.train.settings_file import GROUPS, OF_THE_RUN, SettingsFile, read_settings

CardSettings = Callable[[Config], dict[str, Any]]  # the [train] table of the data set's card


def card_of(config: Config) -> dict[str, Any]:
    """The card of a configuration's data set, without fetching its pictures; {} where there is none."""
    return card_named(config.dataset)


def card_settings(config: Config) -> dict[str, Any]:
    """The [train] table of that card."""
    return card_of(config).get("train", {})


def parse(arguments: list[str] | None, card_settings: CardSettings = card_settings) -> Config:
    """The configuration of a command line. Raises ``UserError``; leaves (SystemExit) for --help and unknown flags."""
    scanned = _scan(arguments)
    options: dict[str, Any] = {"prog": "python -m cyclegan.train", "config": (tyro.conf.OmitArgPrefixes,)}
    if scanned.config:
        saved = read_settings(Path(scanned.config))
        saved.require(scanned.model, scanned.recipe)
        named = tyro.cli(config_class(saved.algorithm), args=arguments, default=of_file(saved, None), **options)
        base = of_file(saved, name_for(named.dataset, named.algorithm))
    else:
        cls = config_class(_algorithm(scanned))
        named = tyro.cli(cls, args=arguments, **options)
        dataset = name_for(named.dataset, named.algorithm)
        base = defaults(cls(dataset, recipe=named.recipe, data=named.data), card_settings)
    base = of_weights(base, named)
    config = replace(tyro.cli(type(base), args=arguments, default=base, **options), dataset=base.dataset)
    return _with_epochs(config, base).check()


def configure(dataset: str | os.PathLike[str], card_settings: CardSettings = card_settings, *, model: str | None = None,
              recipe: str | None = None, **settings: Any) -> Config:  # fmt: skip
    """The configuration of a call from Python: ``settings`` are the flags of the command line, by name.

    Raises ``UserError``.
    """
    own = {key: settings.pop(key) for key in OF_THE_RUN if key in settings}
    if file := settings.pop("config", None):
        saved = read_settings(Path(file))
        saved.require(model, recipe)
        base = replaced(of_file(saved, name_for(os.fspath(dataset), saved.algorithm)), own)
    else:
        algorithm = model or owner_of(recipe or "paper")
        if algorithm not in MODELS:
            raise UserError(f"there is no model {algorithm!r}: there are {', '.join(MODELS)}")
        recipes = list(load_model(algorithm).recipes)
        if recipe not in (None, *recipes):
            raise UserError(f"{algorithm} has no recipe {recipe!r}: it has {', '.join(recipes)}")
        named = name_for(os.fspath(dataset), algorithm)
        base = replaced(config_class(algorithm)(named, recipe=recipe or recipes[0]), own)
        base = defaults(base, card_settings)
    whose = "train() was given"
    base = of_weights(base, with_settings(base, settings, whose))
    return _with_epochs(with_settings(base, settings, whose), base).check()


def defaults(config: Config, card_settings: CardSettings) -> Config:
    """``config``, whose groups hold the model's defaults, with its recipe and its data set's card laid over them."""
    recipe = load_model(config.algorithm).recipes[config.recipe]
    settings = recipe | of_card(card_settings(config), config.algorithm, config.recipe)
    return with_settings(config, settings, "the data set's card sets")


def of_file(saved: SettingsFile, dataset: str | None) -> Config:
    """The configuration in a settings file; for its own run, or for one on another data set."""
    own = saved.of_the_run if dataset in (None, saved.dataset) else {}
    config = config_class(saved.algorithm)(dataset or saved.dataset, recipe=saved.recipe, config=saved.path)
    return with_settings(replaced(config, own), saved.values, f"{saved.path} sets")


def of_weights(config: Config, asked: Config) -> Config:
    """``config`` with the architecture laid over it of the weights that ``asked`` begins with, if any."""
    if not asked.training.beginnings:
        return config
    from cyclegan.train.init import network_settings  # it needs torch

    settings = network_settings(asked)
    try:
        return with_settings(config, settings)
    except UserError as error:
        given = " and ".join(asked.training.beginnings)
        raise UserError(f"--model {asked.algorithm} does not train the network of --init {given}: {error}") from error


def with_settings(config: Config, settings: dict[str, Any], whose: str = "the data set's card sets") -> Config:
    """``config`` with some settings replaced, named flatly as on the command line (``{"size": 128}``)."""
    groups = {name: getattr(config, name) for name in GROUPS}
    values: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    for key, value in settings.items():
        owner = next((name for name, group in groups.items() if key in {f.name for f in fields(group)}), None)
        if owner is None:
            raise UserError(f"{whose} {key!r}, which is no training setting of {config.algorithm}")
        values[owner][key] = value
    return replace(config, **{name: replaced(group, values[name]) for name, group in groups.items()})


def of_card(table: dict[str, Any], algorithm: str, recipe: str) -> dict[str, Any]:
    """What a card's [train] table sets for a model and a recipe.

    Its own settings hold for every model; those in a subtable for that recipe of CycleGAN ([train.quick]), for that
    model ([train.gan]), or for a recipe of that model ([train.gan.quick]).
    """
    common = {key: value for key, value in table.items() if not isinstance(value, dict)}
    of_model = table if algorithm == "cyclegan" else table.get(algorithm, {})
    own = {key: value for key, value in of_model.items() if not isinstance(value, dict)}
    return common | own | of_model.get(recipe, {})


def owner_of(recipe: str) -> str:
    """The first model that has a recipe of that name; CycleGAN where none has, which then says so."""
    return next((name for name in MODELS if recipe in load_model(name).recipes), "cyclegan")


def _scan(arguments: list[str] | None) -> argparse.Namespace:
    """What decides which other flags there are: ``model``, ``recipe`` and ``config``, each as given or None."""
    scan = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in ("--model", "--recipe", "--config"):
        scan.add_argument(flag)
    try:
        return scan.parse_known_args(arguments)[0]
    except SystemExit:  # a flag without its value, of which tyro speaks more kindly
        return argparse.Namespace(model=None, recipe=None, config=None)


def _algorithm(scanned: argparse.Namespace) -> str:
    """The model that a command line names, or whose recipe it names."""
    return scanned.model if scanned.model in MODELS else owner_of(scanned.recipe or "paper")


def _with_epochs(config: Config, base: Config) -> Config:
    """The recipe's steps would hide epochs that were asked for."""
    training = config.training
    if training.epochs != base.training.epochs and training.steps == base.training.steps:
        return replace(config, training=replace(training, steps=None))
    return config
