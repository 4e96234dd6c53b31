"""Data-set cards: what is known of a data set, in a TOML file.

One per data set: its two domains, where its archive lies, what that must hash to.

    name, title, licence, source     text
    domains  = ["horse", "zebra"]    A first; one alone where it is for models that make pictures from noise
    channels = [3, 3]                of each domain; 1 for a greyscale one; found for TIFFs with more bands than colour
    range    = [-1000, 3000]         the values that are black and white in pictures of more than 8 bits, for both
                                     domains, or of each: [[-1000, 3000], [0, 4095]]; found where it is left out
    paired_test = false              true where test pictures of the same name show the same scene
    maker = "sketch2emoji"           made on the spot by cyclegan.data.makers, instead of an archive
    reader = "MNIST"                 fetched and read by cyclegan.data.published, instead of an archive
    classes = ["0", "1"]             the names of a reader's labels
    [archive] bytes, sha256, urls    a zip or .tar.gz; the mirrors are tried in this order. Without bytes and sha256,
                                     where nobody knows them, what came is said and not verified
    [train]                          defaults for training on it

Cards are looked for in the user's own folder of data sets first, then among those that come with the package.
A folder of the user's own may hold a card.toml with domains, channels, paired_test and [train]. Where the two
domains are subfolders, `folders = ["zebras", "horses"]` in it (or `domains`, if they bear those names) puts A
first.
"""

import os
from pathlib import Path

from cyclegan.data.values import Span, is_span
from cyclegan.system.cards import card_files, hint, read_card
from cyclegan.system.errors import UserError


def dataset_root() -> Path:
    """Where fetched data sets go: ./datasets, or what the environment variable CYCLEGAN_DATASETS says."""
    return Path(os.environ.get("CYCLEGAN_DATASETS") or "datasets").expanduser()


def dataset_names() -> list[str]:
    """The names that `locate` knows without a folder."""
    return list(_card_files())


def name_for(name: str, model: str) -> str:
    """The data set that ``model`` takes by this name: where there is a card ``NAME_MODEL``, that one.

    So ``facades`` is the archive of pairs to pix2pix, and that of two folders to all others.
    """
    own = f"{name}_{model}"
    return own if own in _card_files() else name


def dataset_card(name: str) -> dict:
    """The card called `name`. Raises UserError when it is unknown, with the nearest names, or broken."""
    files = _card_files()
    if name in files:
        return _read(files[name])
    raise UserError(f"there is no data set {name!r}: {hint(name, files)} A folder with trainA/ and trainB/ works too.")


def card_named(name_or_folder: str) -> dict:
    """The card of a data set's name, or the card.toml in a folder; {} where there is none. Nothing is fetched."""
    if name_or_folder in _card_files():
        return dataset_card(name_or_folder)
    for folder in (Path(name_or_folder).expanduser(), dataset_root() / name_or_folder):
        if (folder / "card.toml").is_file():
            return _read(folder / "card.toml")
    return {}


def _card_files() -> dict[str, Path]:
    return card_files("datasets", dataset_root())


def own_card(folder: Path) -> dict:
    """The card.toml in a folder of the user's own; {} where there is none. Raises UserError where it is broken."""
    own = folder / "card.toml"
    return _read(own) if own.is_file() else {}


def _read(path: Path) -> dict:
    card = read_card(path)
    for key, example, fits in (
        ("domains", '["horse", "zebra"]', lambda value: isinstance(value, str)),
        ("channels", "[3, 3], with 1 for a greyscale domain", lambda value: type(value) is int and 1 <= value <= 512),
        ("folders", '["horses", "zebras"]', lambda value: isinstance(value, str)),
    ):
        value = card.get(key)
        if value is not None and not (isinstance(value, list) and len(value) in (1, 2) and all(map(fits, value))):
            raise UserError(f"the card {path} has {key} = {value!r}: it needs one or two values, such as {example}")
    if "range" in card and not spans_on_card(card):
        example = "two numbers in order, such as [0, 4095], or one for each domain, [[0, 4095], [-1000, 3000]]"
        raise UserError(f"the card {path} has range = {card['range']!r}: it needs {example}")
    if "archive" in card and card["archive"].keys() not in ({"bytes", "sha256", "urls"}, {"urls"}):
        raise UserError(f"the card {path} needs bytes, sha256 and urls in [archive], or urls alone, and nothing else")
    return card


def spans_on_card(card: dict) -> list[Span]:
    """The ``range`` of each domain on a card; [] where there is none, or none that can be understood."""
    given = card.get("range")
    each = given if isinstance(given, list) and given and isinstance(given[0], list) else [given, given]
    fits = len(each) == 2 and all(map(is_span, each))
    return [(float(span[0]), float(span[1])) for span in each if span] if fits else []
