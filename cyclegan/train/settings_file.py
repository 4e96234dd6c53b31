"""The settings file of a run, its config.json, as the settings of another one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan.models import MODELS, load_model
from cyclegan.system.errors import UserError

GROUPS = ("model", "pictures", "training")
OF_THE_RUN = ("name", "runs", "data")  # belong to its pictures, and so not to a run on others


@dataclass(frozen=True)
class SettingsFile:
    """What a config.json holds."""

    path: Path
    algorithm: str
    recipe: str
    dataset: str
    of_the_run: dict[str, Any]
    values: dict[str, Any]  # of all groups, by name as on the command line

    def require(self, model: str | None, recipe: str | None) -> None:
        """Raises ``UserError`` where another model, or a recipe too, was asked for."""
        if model not in (None, self.algorithm):
            raise UserError(f"{self.path} holds settings of {self.algorithm}: leave out --model {model}, or --config")
        if recipe not in (None, self.recipe):
            raise UserError(f"{self.path} holds the recipe {self.recipe}: leave out --recipe {recipe}, or --config")


def read_settings(path: Path) -> SettingsFile:
    """Reads a config.json; of a run folder, the one in it. Raises ``UserError`` for anything else."""
    path = path / "config.json" if path.is_dir() else path
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--config {path}: {error.strerror}; it takes a run's config.json") from error
    except ValueError as error:
        raise UserError(f"--config {path} is no JSON; it takes a run's config.json") from error
    groups = [held.get(group) for group in GROUPS] if isinstance(held, dict) else [None]
    algorithm = held.get("algorithm", "cyclegan") if isinstance(held, dict) else None
    if algorithm not in MODELS or not all(isinstance(group, dict) for group in groups):
        raise UserError(f"--config {path} holds no settings of a run; it takes a run's config.json")
    recipe = held.get("recipe")
    if recipe not in (recipes := load_model(algorithm).recipes):
        recipe = next(iter(recipes))  # one that has gone since; its values are all in the file
    own = {key: held[key] for key in OF_THE_RUN if held.get(key) is not None}
    values = {key: value for group in groups for key, value in (group or {}).items()}
    return SettingsFile(path, algorithm, recipe, str(held.get("dataset", "")), own, values)
