"""A data set's name, folder, archive or table in, the folders of the two domains out."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cyclegan.data.archives import ENDINGS, from_archive, from_mirrors, stem
from cyclegan.data.bands import bands_of
from cyclegan.data.dataset_cards import card_named, dataset_card, dataset_names, dataset_root, own_card
from cyclegan.data.finding import is_picture, walk
from cyclegan.data.folders import Domains, find_domains, find_pairs, pictures_in, unwrap
from cyclegan.data.listed import from_table
from cyclegan.data.tables import fetch_tables, is_table
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

    known = is_name and given in dataset_names()
    card = dataset_card(given) if known else {}
    if data and data.is_dir() and not is_table(data):
        return given, data, card
    if data or known:
        return given, _ready(given, card, data), card
    for folder in (path, dataset_root() / given):
        if folder.is_dir():
            name = folder.resolve().name
            if not is_table(folder):
                return name, folder, own_card(folder)
            made = dataset_root() / (f"{name}_pictures" if folder == dataset_root() / name else name)
            from_table(made, folder)
            return made.name, made, own_card(made)
    if path.is_file():
        return find_dataset(path.stem if is_table(path) else stem(path.name), path)
    if is_table(path) or given.endswith(ENDINGS):
        raise UserError(f"there is no file {given}")
    if is_name:
        dataset_card(given)  # says that it does not exist, and which names are near
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", given):
        made = dataset_root() / path.name
        if not filled(made):
            from_table(made, fetch_tables(given))
        return made.name, made, own_card(made)
    raise UserError(f"there is no folder {given}")


def _dataset(name: str, folder: Path, card: dict, find: Callable[[Path, Sequence[str]], Domains]) -> Dataset:
    try:
        folder = unwrap(folder)
        card = card or own_card(folder)
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
    first = next((path for path in walk(folder) if is_picture(path)), None)
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
    if data and is_table(data):
        from_table(target, data)
    elif data or by_hand:
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
