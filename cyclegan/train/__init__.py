"""``cyclegan.train(...)`` and ``python -m cyclegan.train``: settings, loop, run folder, log and judge.

from cyclegan import train
result = train("horse2zebra", recipe="quick", size=64, steps=100, name="first")
result.folder                       # runs/first, which Translator.from_pretrained loads
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cyclegan.system.callable_module import make_callable
from cyclegan.system.errors import require

if TYPE_CHECKING:
    from cyclegan.train.session import Result

NEEDED = ("albumentations", "kornia", "matplotlib", "tensorboard")  # of the extra "train", all of them sooner or later


def train(
    dataset: str | os.PathLike[str], *, model: str | None = None, recipe: str | None = None, **settings: Any
) -> Result:
    """Trains a model, or goes on where its run folder stopped: what ``python -m cyclegan.train`` does.

    Args:
        dataset: a data set's name (``"horse2zebra"``, ``"sketch2emoji"``) or a folder with trainA and trainB.
        model: what to train, a key of ``cyclegan.models.MODELS``; by default the one that has the recipe.
        recipe: a named set of defaults; by default the model's published one, ``"paper"``.
        settings: the flags of the command line by name, with ``_`` for ``-``: ``size=64``, ``steps=100``,
            ``flip=False``; also ``name``, ``runs`` (the folder that keeps runs) and ``data``. What is not given comes
            from the recipe and the data set's card. ``python -m cyclegan.train --model MODEL --help`` explains each.

    Returns the run folder and how training ended. Ctrl-C saves and returns, with ``interrupted`` true; the same call
    then goes on. Before the first step is done there is nothing to save, and ``KeyboardInterrupt`` passes through.
    Raises ``UserError`` for wrong input, and where a loss became NaN. Sets the global random states.

    ::

        result = train("path/to/folder", recipe="quick", size=64, steps=100, name="mine")
        zebra = Translator.from_pretrained(result.folder)
    """
    require("training", "train", *NEEDED)
    from cyclegan.train.recipes import configure
    from cyclegan.train.session import run_training

    return run_training(configure(dataset, model=model, recipe=recipe, **settings))


make_callable(__name__, train)
