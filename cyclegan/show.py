"""``python -m cyclegan.show NAME_OR_RUN``: one picture of what translators do to test pictures.

Without a name: what the translators that come with the package do to the pictures that come along.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclegan.system.errors import UserError, command, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro

if TYPE_CHECKING:
    from PIL import Image

    from cyclegan.data.datasets import Dataset
    from cyclegan.evaluate.entries import Pair
    from cyclegan.networks.directions import Direction


@dataclass(frozen=True)
class Show:
    """Translate test pictures there and, where something leads back, back, and put them side by side in one picture."""

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
    from cyclegan.data.formats import save_picture
    from cyclegan.networks.directions import A_TO_B

    given = options.translator
    if given is None:
        output = options.output or Path("show.png")
        save_picture(of_examples(options.count), output)
        print(f"What the translators that come with the package do to the pictures that come along: {output}")
        return 0
    ways, data = _ways_and_data(given, options.dataset)
    picture = of_test_pictures(ways, data, options.count)
    run = Path(given)
    output = options.output or (run if run.is_dir() else Path()) / "show.png"
    save_picture(picture, output)
    print(f"Test pictures, translated{' there and back' if len(ways) == 2 else ''}: {output}")
    print("What next:")
    flags = "" if A_TO_B in ways else " --reverse"
    print(f"  python -m cyclegan.translate {given} PICTURES -o OUT{flags}        # your own pictures")
    print("  python -m cyclegan.train horse2zebra --recipe quick         # horses and zebras, an hour or two")
    print("  python -m cyclegan.train FOLDER                             # your own trainA/ and trainB/")
    return 0


def _ways_and_data(given: str, dataset: str | None) -> tuple[dict[Direction, Pair], Dataset]:
    """The one or two directions that ``given`` translates, and the data set to show them on. Raises ``UserError``."""
    from cyclegan.data.datasets import dataset_of_run, locate
    from cyclegan.evaluate.entries import load_translators, pairs
    from cyclegan.networks.directions import DIRECTIONS
    from cyclegan.system.devices import choose_device

    found = load_translators(given, DIRECTIONS, choose_device(None))
    if not found:
        raise UserError(f"{given} holds pictures and no translator; name a translator, a run or a weights folder")
    records = [translator.header["provenance"] for translator, _ in found.values()]
    name = dataset or dataset_of_run(given) or records[0].get("dataset")
    if not name:
        raise UserError("these translators do not say what they were trained on; name test pictures with --dataset")
    data = locate(name, side_by_side=True)
    if any(record.get("paired") for record in records):
        data = replace(data, paired_test=True)
    return pairs(given, found, data), data


def of_test_pictures(ways: Mapping[Direction, Pair], data: Dataset, count: int) -> Image.Image:
    """A sheet of ``count`` test pictures a direction: the picture, its translation, and the translation back.

    Where nothing leads back, the true picture takes that place, if the data set has it.
    """
    import random

    from cyclegan.data.contact_sheet import sheet
    from cyclegan.data.images import open_image

    def shown(path: Path, size: int | None) -> Image.Image:
        picture = open_image(path).convert("RGB")
        return picture.resize((size, size)) if size else picture

    blocks = {}
    sides = [test or train for test, train in zip(data.test(), data.training(), strict=True)]
    for direction, (there, back) in ((direction, (way.there, way.back)) for direction, way in ways.items()):
        truth = {} if back else dict(direction.of(pair) for pair in data.test_pairs())
        files = list(truth) or direction.of(sides)[0]
        rows = []
        size = max(filter(None, (t.size for t in (there, back) if t)), default=None)  # each works at its own
        for i, path in enumerate(random.Random(0).sample(files, min(count, len(files)))):
            picture = shown(path, size)
            colours = None if there.palettes is None else i  # other ones in each row
            fake = there(picture, size=there.size, palette=colours)
            row = [picture, fake]
            if back:
                row.append(back(fake, size=back.size, palette=None if back.palettes is None else picture))
            rows.append(row + ([shown(truth[path], size)] if truth else []))
        source, target = there.domains
        ending = f" → {source}" if back else f", and the true {target}" if truth else ""
        blocks[f"{source} → {target}{ending}"] = rows
    return sheet(blocks)


def of_examples(count: int) -> Image.Image:
    """A sheet of at most ``count`` example pictures for each direction of each translator that comes with the package.

    Beside each its translation, in three colours where they can be chosen.
    """
    from cyclegan.data.contact_sheet import sheet
    from cyclegan.data.images import open_image
    from cyclegan.system.cards import package_folder
    from cyclegan.translate.examples import examples_of, own_examples
    from cyclegan.translate.translator import Translator

    blocks = {}
    for weights in sorted(package_folder("pretrained").glob("*-G_AB.safetensors")):
        name = weights.name.removesuffix("-G_AB.safetensors")
        for reverse in (False, True):
            translator = Translator.from_pretrained(name, reverse)
            source, target = translator.domains
            chosen = own_examples(name, source) or examples_of(source)
            pictures = [open_image(path).convert("RGB") for path in chosen[:count]]
            colours = [None] if translator.palettes is None else [0, 1, 2]
            size = translator.size
            rows = [
                [picture, *(translator(picture, size=size, palette=colour) for colour in colours)]
                for picture in pictures
            ]
            if rows:
                blocks[f"{source} → {target}"] = rows
    return sheet(blocks, cell=160)


if __name__ == "__main__":
    sys.exit(main())
