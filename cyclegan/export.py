"""``cyclegan.export(...)`` and ``python -m cyclegan.export``: a translator for programs without PyTorch, as ONNX.

from cyclegan import export
export("runs/first", "first.onnx")
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclegan.system.errors import UserError, command, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro
from tyro.conf import Positional, arg

from cyclegan.system.callable_module import make_callable


@dataclass(frozen=True)
class Options:
    """Export a translator to ONNX.

    The file takes float32 (batch, channels, height, width) in [-1, 1], of any batch, height and width, as "picture" and
    gives "translated" of the same height and width; padding and cropping are inside. Where colours can be chosen it
    takes float32 (batch, 27) as "palette" too, and the file's metadata hold some. It is checked in ONNX Runtime
    against PyTorch before it appears.
    """

    name: Positional[str]
    """A translator: a card's name such as horse2zebra, a run folder, a weights file, or OWNER/NAME on Hugging Face."""
    onnx: Annotated[Path, arg(metavar="FILE")]
    """The file to write."""
    reverse: bool = False
    """Export B to A instead of A to B."""
    overwrite: bool = False
    """Replace FILE where it is there already."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code: 0 done, 1 the export failed its check, 2 wrong usage or input."""
    flags = (tyro.conf.FlagCreatePairsOff,)
    options = tyro.cli(Options, args=arguments, prog="python -m cyclegan.export", config=flags)
    return command("cyclegan.export", lambda: _export(options))


def _export(options: Options) -> int:
    difference = export(options.name, options.onnx, options.reverse, options.overwrite)
    megabytes = options.onnx.stat().st_size / 1e6
    print(f"{options.onnx}: {megabytes:.1f} MB; differs from PyTorch by at most {difference:.1g} of the range -1 … 1")
    return 0


def export(
    name: str | os.PathLike[str], onnx: str | os.PathLike[str], reverse: bool = False, overwrite: bool = False
) -> float:
    """Writes the translator called ``name`` as ONNX into the file ``onnx``: what ``python -m cyclegan.export`` does.

    Returns the largest difference from PyTorch's result that was found, of the range -1 … 1. ``reverse`` exports B → A.
    Raises ``UserError``, also where the file is there already and ``overwrite`` is not set.
    """
    if Path(onnx).exists() and not overwrite:
        raise UserError(f"{onnx} is there already: --overwrite replaces it")
    from cyclegan.translate.onnx import export_onnx
    from cyclegan.translate.translator import Translator

    return export_onnx(Translator.from_pretrained(name, reverse, "cpu"), onnx)


make_callable(__name__, export)


if __name__ == "__main__":
    sys.exit(main())
