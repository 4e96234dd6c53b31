"""What an evaluation is asked to do. No torch: ``--help`` answers at once."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from cyclegan.system.errors import UserError
from cyclegan.system.settings import replaced


@dataclass(frozen=True)
class Evaluation:
    """Measure translators or generators against real pictures: a table, a JSON file, contact sheets and an HTML page.

    Every table holds two controls: real training pictures, and what doing nothing gives: untouched inputs, or the mean
    of the real pictures.
    """

    name: Positional[str | None] = None
    """What to evaluate: a pretrained name, a run folder, a weights file or folder, OWNER/NAME on Hugging Face, or a
    folder of pictures that some program has translated."""
    compare: tuple[str, ...] = ()
    """More of the same kind, one row each: --compare runs/a runs/b other/results."""
    every_kept: bool = False
    """Measure all weights that NAME's training kept (--keep-every), one row each, and draw KID over the steps."""
    data: Annotated[str | None, arg(aliases=["--dataset"])] = None
    """The data set with the test pictures: a name or a folder. Default: the one that NAME was trained on."""
    direction: Literal["both", "AB", "BA"] = "both"
    """Measure A to B, B to A or both. A folder of pictures counts as A to B unless this is BA."""
    features: tuple[str, ...] = ()
    """Networks to compare pictures with, one or more of inception, efficientnet-lite0, -lite1, -lite2. Default:
    inception where its weights (96 MB) are here or can be fetched, else efficientnet-lite0."""
    size: int | None = None
    """Translate and compare pictures of SIZE x SIZE pixels. Default: the size that NAME was trained at."""
    resize: Literal["stretch", "fit"] | None = None
    """How other pictures become square: stretch them (the reference's way), or fit: keep proportions and crop. Default:
    stretch, and for a generator the way of its training."""
    imagenet: tuple[str, ...] = ()
    """Count outputs that EfficientNet-Lite takes for an ImageNet class: --imagenet horse=339 zebra=340. Default: the
    classes on the data set's card."""
    output: Annotated[Path | None, arg(aliases=["-o"])] = None
    """The folder for the results. Default: RUN/evaluation, or evaluation/NAME in this folder."""
    count: Annotated[int, arg(aliases=["-n"])] = 1000
    """How many pictures of a generator to measure, against at most as many real ones; translators are measured on all
    test pictures."""
    truncation: float = 1.0
    """Below 1 a generator's pictures are more alike: better precision, worse recall."""
    seed: int = 0
    """Draws a generator's latents, the training pictures of the control, and the halves for KID's standard error."""
    device: str | None = None
    """cuda, cuda:1, mps or cpu. Default: CUDA if there is one, else the CPU."""

    def check(self) -> None:
        """Raises ``UserError`` for what can be seen to be wrong before anything is loaded."""
        if not self.name and not self.compare:
            raise UserError("name what to evaluate, for example a run folder: python -m cyclegan.evaluate RUN")
        if self.every_kept and not self.name:
            raise UserError("--every-kept: name the run whose training kept weights")
        if self.size is not None and self.size < 32:
            raise UserError(f"--size must be at least 32, not {self.size}")
        if self.count < 2:
            raise UserError(f"-n must be at least 2, not {self.count}: a distance needs two pictures")
        for entry in self.imagenet:
            label, _, number = entry.partition("=")
            if not label or not number.isdecimal() or int(number) > 999:
                raise UserError(f"--imagenet takes NAME=NUMBER with a class from 0 to 999, not {entry!r}")


def asked(name: str | os.PathLike[str] | None, settings: dict[str, Any]) -> Evaluation:
    """The options of a call from Python: ``settings`` are the flags of the command line, by name.

    Raises ``UserError``.
    """
    names = [field.name for field in fields(Evaluation)]
    if unknown := next((key for key in settings if key not in names), None):
        raise UserError(f"evaluate() was given {unknown!r}, which is none of its settings: {', '.join(names)}")
    options = replaced(Evaluation(), {"name": name, **settings})
    options.check()
    return options
