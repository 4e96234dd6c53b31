"""``python -m cyclegan.sample NAME -n 25 -o sheet.png``: pictures from noise."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclegan.system.errors import UserError, command, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro
from tyro.conf import Positional, arg

SOLID = (".glb", ".obj", ".npz")  # files of solids

if TYPE_CHECKING:
    from cyclegan.sample.generator import Generator


@dataclass(frozen=True)
class Options:
    """Make pictures with a trained generator: a sheet of them, a walk between two, or a board of mixed styles.

    Exit code: 0 done, 2 wrong usage or input.
    """

    name: Positional[str]
    """A generator: a card's name such as gan_mnist, a run folder or a weights file."""
    output: Annotated[Path | None, arg(aliases=["-o"], metavar="OUT")] = None
    """The file to write; .png for pictures, and for solids .glb, .obj or .npz too. A name without an ending becomes a
    folder of single pictures."""
    count: Annotated[int | None, arg(aliases=["-n"])] = None
    """How many pictures. Default: 16."""
    seed: int = 0
    """Start of the random numbers; the same seed makes the same pictures."""
    truncation: float = 1.0
    """Below 1 pictures are more alike and better on average."""
    interpolate: int | None = None
    """Make a walk of this many pictures between the first two pictures of the seed instead."""
    video: Path | None = None
    """Write a video (.mp4) instead, of pictures that change into one another and back; one of them unless -n says
    more."""
    mix: bool = False
    """Make a board of mixed styles instead (StyleGAN only): each row has the shapes of one of the first half of COUNT
    pictures, each column the colours of one of the others."""
    at: int = 3
    """The layer at which --mix changes from one style to the other. 3: layers of up to 8 pixels from the row's."""
    image: Path | None = None
    """Make one solid of this picture instead (3D-GAN only): a thing on a plain light ground, seen from the front or
    half from the side."""
    device: str | None = None
    """cpu, cuda, cuda:1, mps … Default: CUDA where there is one."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    options = tyro.cli(Options, args=arguments, prog="python -m cyclegan.sample")
    return command("cyclegan.sample", lambda: _sample(options))


def _sample(options: Options) -> int:
    from cyclegan.data.contact_sheet import grid
    from cyclegan.data.formats import save_picture
    from cyclegan.sample.generator import Generator

    if options.video:
        return _video(options, options.video)
    output, count = options.output, 16 if options.count is None else options.count
    if output is None:
        raise UserError("name the file to write: -o sheet.png, or --video walk.mp4")
    suffix = output.suffix.lower()
    if suffix not in ("", ".png", ".jpg", ".webp", *SOLID):
        raise UserError(f"{output} must end in .png, .jpg or .webp (or .glb, .obj, .npz), or name a folder")
    generator = Generator.from_pretrained(options.name, options.device)
    if suffix in SOLID or options.image:
        return _solids(generator, options, output, count)
    if options.mix:
        return _mix(generator, options, output, count)
    if options.interpolate:
        start, end = generator.latents(2, options.seed, options.truncation)
        pictures = generator.interpolate(start, end, options.interpolate)
    else:
        pictures = generator(count, options.seed, options.truncation)
    if suffix:
        columns = len(pictures) if options.interpolate else None
        save_picture(grid(pictures, columns), output)
    else:
        for i, picture in enumerate(pictures):
            save_picture(picture, output / f"{i:04d}.png")
    print(f"{output}: {len(pictures)} pictures of {generator.domain}, seed {options.seed}")
    return 0


def _video(options: Options, video: Path) -> int:
    from cyclegan.sample.generator import Generator
    from cyclegan.sample.video import save_walk

    if options.output or options.mix or options.interpolate or options.image:
        raise UserError("--video writes a walk of its own: leave out -o, --mix, --interpolate and --image")
    generator = Generator.from_pretrained(options.name, options.device)
    count = 1 if options.count is None else options.count
    save_walk(generator, video, count, options.seed, options.truncation)
    print(f"{video}: a walk through {generator.domain}, {count} at once, seed {options.seed}")
    return 0


def _mix(generator: Generator, options: Options, output: Path, count: int) -> int:
    from cyclegan.data.formats import save_picture
    from cyclegan.sample.mixing import mixing_grid

    if options.interpolate or not output.suffix or count < 2:
        raise UserError("--mix makes one picture: give -o NAME.png and -n of at least 2, and leave out --interpolate")
    styles = generator.latents(count, options.seed, options.truncation)
    coarse, fine = styles.split((count + 1) // 2)
    save_picture(mixing_grid(generator, coarse, fine, options.at), output)
    print(f"{output}: {len(coarse)} × {len(fine)} mixtures of {generator.domain}, seed {options.seed}")
    return 0


def _solids(generator: Generator, options: Options, output: Path, count: int) -> int:
    from cyclegan.data.contact_sheet import grid
    from cyclegan.data.formats import save_picture
    from cyclegan.sample.solid import from_picture, look, save_solids

    if not generator.makes_solids:
        raise UserError(f"{options.name} makes pictures and no solids: end OUT in .png, and leave out --image")
    if options.mix or options.interpolate or not output.suffix:
        raise UserError("solids go into one file, such as -o chair.glb: leave out --mix and --interpolate")
    if options.image:
        solids, said = from_picture(generator, options.name, options.image), f"from {options.image}"
    else:
        solids = generator.run(generator.latents(count, options.seed, options.truncation))
        said = f"seed {options.seed}"
    if output.suffix.lower() in SOLID:
        save_solids(solids, output)
    else:
        save_picture(grid([look(solid) for solid in solids]), output)
    print(f"{output}: {len(solids)} of {generator.domain}, {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
