"""``python -m cyclegan.show NAME_OR_RUN``: one picture of what a pair of translators does to test pictures.

Without a name: what the translators that come with the package do to the pictures that come along.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclegan.system.errors import UserError, command, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro

if TYPE_CHECKING:
    from PIL import Image

    from cyclegan.data.datasets import Dataset
    from cyclegan.translate.translator import Translator


@dataclass(frozen=True)
class Show:
    """Translate test pictures there and back, and put them side by side in one picture."""

    translator: tyro.conf.Positional[str | None] = None
    """A pretrained name, a run folder or a weights folder. Without one: every translator that comes with the package,
    on the example pictures that come along."""
    dataset: str | None = None
    """The data set whose test pictures to use. Default: the one the translators were trained on."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """The picture to write. Default: show.png in the run folder, or in this folder."""
    count: int = 6
    """How many pictures in each direction, drawn at random with a fixed seed; of the examples the first ones."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    options = tyro.cli(Show, args=arguments, prog="python -m cyclegan.show")
    return command("cyclegan.show", lambda: _show(options))


def _show(options: Show) -> int:
    from cyclegan.data.datasets import dataset_of_run, locate
    from cyclegan.data.formats import save_picture
    from cyclegan.translate.translator import Translator

    if options.translator is None:
        output = options.output or Path("show.png")
        save_picture(of_examples(options.count), output)
        print(f"What the translators that come with the package do to the pictures that come along: {output}")
        return 0
    pair = [Translator.from_pretrained(options.translator, reverse=reverse) for reverse in (False, True)]
    name = options.dataset or dataset_of_run(options.translator) or pair[0].header["provenance"].get("dataset")
    if not name:
        raise UserError("these translators do not say what they were trained on; name test pictures with --dataset")
    picture = there_and_back(pair, locate(name), options.count)
    run = Path(options.translator)
    output = options.output or (run if run.is_dir() else Path()) / "show.png"
    save_picture(picture, output)
    given = options.translator
    print(f"Test pictures, translated there and back: {output}")
    print("What next:")
    print(f"  python -m cyclegan.translate {given} PICTURES -o OUT        # your own pictures")
    print("  python -m cyclegan.train horse2zebra --recipe quick         # horses and zebras, an hour or two")
    print("  python -m cyclegan.train FOLDER                             # your own trainA/ and trainB/")
    return 0


def there_and_back(pair: Sequence[Translator], data: Dataset, count: int) -> Image.Image:
    """A sheet of ``count`` test pictures a direction: the picture, its translation, and the translation back."""
    import random

    from cyclegan.data.contact_sheet import sheet
    from cyclegan.data.finding import find_images
    from cyclegan.data.images import open_image

    blocks = {}
    sides = ((data.test_A or data.train_A, pair), (data.test_B or data.train_B, pair[::-1]))
    for folder, (there, back) in sides:
        files = find_images(folder)
        rows = []
        for i, path in enumerate(random.Random(0).sample(files, min(count, len(files)))):
            picture = open_image(path).convert("RGB")
            if there.size:
                picture = picture.resize((there.size, there.size))
            fake = there(picture, palette=None if there.palettes is None else i)  # other colours in each row
            rows.append([picture, fake, back(fake, palette=None if back.palettes is None else picture)])
        source, target = there.domains
        blocks[f"{source} → {target} → {source}"] = rows
    return sheet(blocks)


def of_examples(count: int) -> Image.Image:
    """A sheet of at most ``count`` example pictures for each direction of each translator that comes with the package.

    Beside each its translation, in three colours where they can be chosen.
    """
    from cyclegan.data.contact_sheet import sheet
    from cyclegan.data.finding import find_images
    from cyclegan.data.images import open_image
    from cyclegan.system.cards import package_folder
    from cyclegan.translate.translator import Translator

    blocks = {}
    for examples in sorted((package_folder("pretrained") / "examples").iterdir()):
        for reverse in (False, True) if examples.is_dir() else ():
            translator = Translator.from_pretrained(examples.name, reverse)
            source, target = translator.domains
            if not (examples / source).is_dir():
                continue
            pictures = [open_image(path).convert("RGB") for path in find_images(examples / source)[:count]]
            colours = [None] if translator.palettes is None else [0, 1, 2]
            rows = [[picture, *(translator(picture, palette=colour) for colour in colours)] for picture in pictures]
            blocks[f"{source} → {target}"] = rows
    return sheet(blocks, cell=160)


if __name__ == "__main__":
    sys.exit(main())
