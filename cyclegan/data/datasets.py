"""Data-set cards: a name or a folder in, the folders of the two domains out.

A card is a TOML file, one per data set: its two domains, where its archive lies, what that must hash to.

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cyclegan.data.archives import ENDINGS, from_archive, from_mirrors, stem
from cyclegan.data.bands import bands_of
from cyclegan.data.folders import Domains, find_domains, find_pairs, pictures_in, unwrap
from cyclegan.data.images import SUFFIXES, walk
from cyclegan.data.values import Span, is_span
from cyclegan.system.cards import card_files, hint, read_card
from cyclegan.system.errors import ImageError, MissingPackage, UserError
from cyclegan.system.files import filled, place
from cyclegan.system.records import run_settings

Sides = tuple[list[Path], list[Path]]  # the pictures of A and of B


@dataclass(frozen=True)
class Dataset:
    """Where the pictures of the two domains are, and what is known about them."""

    name: str
    folder: Path
    domains: tuple[str, str]  # for people: ("horse", "zebra")
    channels: tuple[int, int]  # of A and of B
    train_A: Path  # folders
    train_B: Path
    test_A: Path | None
    test_B: Path | None
    side_by_side: bool  # whether those of A and B are the same, and each file shows both
    paired_test: bool
    defaults: dict  # of training, from the card's [train]
    card: dict  # {} where there is none

    def training(self) -> Sides:
        """The training pictures of A and of B."""
        return pictures_in(self.train_A, self.train_B, self.side_by_side)

    def test(self) -> Sides:
        """The test pictures of A and of B; [] where there are none."""
        return pictures_in(self.test_A, self.test_B, self.side_by_side)

    def test_pairs(self) -> list[tuple[Path, Path]]:
        """The test pictures that are each other's ground truth, as (A, B); [] where none are known to be.

        They share their name, but for a trailing _A or _B (the maps of the paper are named that way).
        """
        if not (self.paired_test or self.side_by_side):
            return []
        A, B = self.test()
        in_B = {path.stem.removesuffix("_B"): path for path in B}
        in_A = ((path.stem.removesuffix("_A"), path) for path in A)
        return [(path, in_B[name]) for name, path in in_A if name in in_B]


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
        return _read_card(files[name])
    raise UserError(f"there is no data set {name!r}: {hint(name, files)} A folder with trainA/ and trainB/ works too.")


def card_named(name_or_folder: str) -> dict:
    """The card of a data set's name, or the card.toml in a folder; {} where there is none. Nothing is fetched."""
    if name_or_folder in _card_files():
        return dataset_card(name_or_folder)
    for folder in (Path(name_or_folder).expanduser(), dataset_root() / name_or_folder):
        if (folder / "card.toml").is_file():
            return _read_card(folder / "card.toml")
    return {}


def dataset_of_run(folder: str | os.PathLike) -> str | None:
    """The data set of a run folder as its command named it, a path included; None for anything but a run folder.

    Folders of weights in a run, best/ and steps/STEP/, are its own. Raises UserError where the settings are damaged.
    """
    path = Path(folder)
    runs = [
        path,
        path.parent if path.name == "best" else path,
        path.parents[1] if path.parent.name == "steps" else path,
    ]
    return next((settings["dataset"] for run in runs if (settings := run_settings(run))), None)


def locate(
    name_or_folder: str | os.PathLike, data: str | os.PathLike | None = None, side_by_side: bool = False
) -> Dataset:
    """Find a data set by its card's name or as a folder of the user's own; fetch or make what is missing.

    `data` is an archive or a folder that takes the place of the download. A name always means the card of that
    name: write ./horse2zebra for a folder called the same. Pictures that show A and B `side_by_side` are for those
    who ask for them. Raises UserError for what the user can mend.
    """
    if len(card_named(os.fspath(name_or_folder)).get("domains", "AB")) == 1:
        models = "train a model that makes pictures from noise, such as --model dcgan"
        raise UserError(f"{name_or_folder} is a set of pictures without a second domain: {models}")
    return _dataset(*find_dataset(name_or_folder, data), find_pairs if side_by_side else find_domains)


def find_dataset(name_or_folder: str | os.PathLike, data: str | os.PathLike | None = None) -> tuple[str, Path, dict]:
    """The name, the folder and the card ({} where there is none) of a data set with any number of domains.

    Fetches or makes what is missing, as ``locate`` does. Raises UserError.
    """
    given = os.fspath(name_or_folder)
    path, data = Path(given).expanduser(), Path(data).expanduser() if data else None
    is_name = path.name == given and given != ".."
    if data and not is_name:
        raise UserError(f"--data takes the place of a download: it needs a data set's name and not {given}")
    if data and not data.exists():
        raise UserError(f"there is no file or folder {data} to take the data from")

    known = is_name and given in _card_files()
    card = dataset_card(given) if known else {}
    if data and data.is_dir():
        return given, data, card
    if data or known:
        return given, _ready(given, card, data), card
    for folder in (path, dataset_root() / given):
        if folder.is_dir():
            return folder.resolve().name, folder, _own_card(folder)
    if path.is_file():
        return find_dataset(stem(path.name), path)
    if is_name:
        dataset_card(given)  # says that it does not exist, and which names are near
    raise UserError(f"there is no folder {given}")


def _card_files() -> dict[str, Path]:
    return card_files("datasets", dataset_root())


def _own_card(folder: Path) -> dict:
    own = folder / "card.toml"
    return _read_card(own) if own.is_file() else {}


def _read_card(path: Path) -> dict:
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


def _dataset(name: str, folder: Path, card: dict, find: Callable[[Path, Sequence[str]], Domains]) -> Dataset:
    try:
        folder = unwrap(folder)
        card = card or _own_card(folder)
        found = find(folder, card.get("folders") or card.get("domains") or ())
    except OSError as error:
        raise UserError(f"cannot read {error.filename or folder}: {error.strerror or error}") from error
    except ImageError as error:
        raise UserError(str(error)) from error
    return Dataset(
        name=name,
        folder=folder,
        domains=tuple(card.get("domains", found.names)),
        channels=tuple(card["channels"] if "channels" in card else map(channels_in, (found.train_A, found.train_B))),
        paired_test=bool(card.get("paired_test", False)),
        defaults=dict(card.get("train", {})),
        card=card,
        **{key: value for key, value in found._asdict().items() if key != "names"},
    )


def channels_in(folder: Path) -> int:
    """How many channels the pictures in a folder have, where no card says it: 3 but for TIFFs with further bands."""
    first = next((path for path in walk(folder) if path.suffix.lower() in SUFFIXES), None)
    try:
        return bands_of(first) if first else 3
    except MissingPackage:
        raise
    except Exception:
        return 3  # damaged: reading it says so


def _ready(name: str, card: dict, data: Path | None) -> Path:
    """The folder of the data set `name`, fetched, unpacked from `data` or made where it is not there yet."""
    target = dataset_root() / name
    by_hand = [pack for end in ENDINGS if (pack := target.with_name(name + end)).is_file()]
    if not data and filled(target):
        return target
    if data or by_hand:
        from_archive(target, data or by_hand[0], card.get("archive", {}).get("sha256"))
    elif "maker" in card:
        place(target, lambda work: _make(card["maker"], work))
    elif "reader" in card:
        from cyclegan.data.published import fetch_published

        fetch_published(card["reader"], target)
    elif "archive" in card:
        from_mirrors(target, **card["archive"])
    else:
        raise UserError(f"the card of {name} names neither an archive nor a maker: give the data with --data")
    return target


def _make(maker: str, work: Path) -> Path:
    from cyclegan.data.makers import MAKERS

    if maker not in MAKERS:
        raise UserError(f"no maker is called {maker!r}: there are {', '.join(sorted(MAKERS))}")
    try:
        MAKERS[maker](work)
    except ModuleNotFoundError as error:
        raise UserError(str(error)) from error
    return work
