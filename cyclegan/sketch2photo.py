"""A sketch → photo data set out of any folder of photos: ``python -m cyclegan.sketch2photo PHOTOS -o FOLDER``."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclegan.system.errors import command, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro


@dataclass(frozen=True)
class Options:
    """Make a data set for training sketch → photo out of a folder of photos.

    Half of the photos become pencil drawings (domain A), the other half stay photos (domain B); with --pairs all become
    drawings, and stay photos too.
    """

    photos: tyro.conf.Positional[Path]
    """The folder of photos; folders in it are searched too."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The folder to make. It must not exist yet."""
    size: int = 286
    """Side in pixels of the pictures made: the middle square of each photo, scaled. Training at 256 loads 286."""
    test: float = 0.1
    """Share of the photos that is kept for the test, as pairs of drawing and photo."""
    pairs: bool = False
    """Draw every photo and keep it as its drawing's partner, for --model pix2pix, which learns from pairs."""
    skip_bad: bool = False
    """Leave out photos that cannot be read instead of stopping."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code: 0, or 2 for something that the user can put right."""
    options = tyro.cli(Options, args=arguments, prog="python -m cyclegan.sketch2photo")
    return command("cyclegan.sketch2photo", lambda: _make(options))


def _make(options: Options) -> int:
    from cyclegan.data.pencil_photos import make_sketch2photo

    photos, out, size, test = options.photos, options.out, options.size, options.test
    counts = make_sketch2photo(photos, out, size, test, options.skip_bad, options.pairs)
    print(f"{options.out}: {counts['trainA']} sketches, {counts['trainB']} photos, {counts['testA']} test pairs.")
    print(
        f"Next: python -m cyclegan.train {options.out}{' --model pix2pix --recipe coloured' if options.pairs else ''}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
