"""How the pictures of two domains lie in a folder."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cyclegan.data.finding import find_images, is_debris, walk
from cyclegan.data.halves import halves
from cyclegan.data.masks import BESIDE
from cyclegan.system.errors import UserError

TRAIN, TEST = ("train", "training"), ("test", "testing", "val", "valid", "validation")  # the first that is there
EXPECTED = (
    "expected are trainA/ and trainB/ (testA/ and testB/ if there are any), "
    "or exactly two folders of pictures named after the two domains"
)


class Domains(NamedTuple):
    """The folders of the two domains, and the names that the folders suggest for them."""

    names: tuple[str, str]
    train_A: Path
    train_B: Path
    test_A: Path | None
    test_B: Path | None
    side_by_side: bool = False  # whether those of A and B are the same, and each file shows both


def pictures_in(A: Path | None, B: Path | None, side_by_side: bool) -> tuple[list[Path], list[Path]]:
    """The pictures of A and of B in their two folders, which for pictures ``side_by_side`` are one; [] without one."""
    of_A, of_B = (find_images(folder) if folder else [] for folder in (A, B))
    return halves(of_A) if side_by_side else (of_A, of_B)


def unwrap(folder: Path) -> Path:
    """`folder`, or the only folder in it: archives often wrap their content once."""
    inside = _subfolders(folder)
    wrapped = len(inside) == 1 and not inside.keys() & {*TRAIN, *TEST, "traina", "trainb"}
    return next(iter(inside.values())) if wrapped else folder


def find_domains(folder: Path, order: Sequence[str] = ()) -> Domains:
    """The two domains in `folder`, which is laid out in one of these ways:

        trainA trainB [testA testB]       the paper's; train_A, traina … are understood
        train/horse train/zebra [test/…]  one folder a split
        horse zebra                       the domains themselves, or each with its splits below it: train/ [test/],
                                          or trainA/ [testA/] in one and trainB/ [testB/] in the other

    Without test pictures those for validation (val, valA …) are the test; no split but train is trained on. Named
    domains come in alphabetical order unless `order` names both. A test folder without pictures counts as none.
    Folders of masks, horse_mask beside horse, are no domains, see ``data.masks``.
    Raises UserError, saying what was found, for anything else and for missing training pictures.
    """
    inside = _subfolders(folder)
    if inside.keys() & {"traina", "trainb"}:
        if missing := {"traina", "trainb"} - inside.keys():
            raise _unexpected(folder, f" and no train{missing.pop()[-1].upper()}/")
        names = _names_in(folder.name)
        train = [inside["traina"], inside["trainb"]]
        test = [_first(inside, [split + side for split in TEST]) for side in "ab"]
    elif split := _first(inside, TRAIN):
        train = _two(split, order)
        names = train[0].name, train[1].name
        split = _first(inside, TEST)
        in_test = _subfolders(split) if split else {}
        test = [in_test.get(_key(path.name)) for path in train]
    else:
        domains = _two(folder, order)
        names = domains[0].name, domains[1].name
        splits = [_splits(path, side) for path, side in zip(domains, "ab", strict=True)]
        train, test = [of_train for of_train, _ in splits], [of_test for _, of_test in splits]
    for path in train:
        if not find_images(path):
            raise UserError(f"{path} holds {_content(path)} but no pictures that can be read here{_unread(path)}")
    test_A, test_B = (path if path and find_images(path) else None for path in test)
    return Domains(names, train[0], train[1], test_A, test_B)


def find_pairs(folder: Path, order: Sequence[str] = ()) -> Domains:
    """As ``find_domains``, but pictures that show A and B side by side are understood too.

    They lie in train/ [test/ or val/], as in the archives of pix2pix, or in `folder` itself.
    """
    inside = _subfolders(folder)
    train = _first(inside, TRAIN) if inside else folder
    if train is None or _subfolders(train) or not find_images(train):
        return find_domains(folder, order)
    test = _first(inside, TEST)
    test = test if test and find_images(test) else None
    return Domains(_names_in(folder.name), train, train, test, test, side_by_side=True)


def _splits(domain: Path, side: str) -> tuple[Path, Path | None]:
    """The folders for training and for the test in that of one domain, which may be its pictures themselves."""
    inside = _subfolders(domain)
    train, test = ([*names, *(name + side for name in names)] for names in (TRAIN, TEST))
    found = _first(inside, train)
    if not found and (held_out := _first(inside, test)):
        hint = f"put the training pictures into {domain / 'train'}"
        raise UserError(f"{domain} holds {held_out.name}/ and nothing that is called train: {hint}")
    return found or domain, _first(inside, test)


def _first(inside: dict[str, Path], names: Sequence[str]) -> Path | None:
    """The first of the names that is there, with pictures if any of them has some."""
    there = [inside[name] for name in names if name in inside]
    return next((path for path in there if find_images(path)), there[0] if there else None)


def _two(folder: Path, order: Sequence[str]) -> list[Path]:
    inside = _subfolders(folder)
    named = [inside[_key(name)] for name in order if _key(name) in inside]
    if len(named) == 2:
        return named
    if len(inside) > 2:  # two are the domains, however they are called
        masks = {_key(name + end) for name in inside for end in BESIDE}
        inside = {name: path for name, path in inside.items() if name not in masks}
    if len(inside) != 2:
        raise _unexpected(folder)
    if not any(find_images(path) for path in inside.values()):
        raise _unexpected(folder, f" but no pictures{_unread(folder)}")
    return sorted(inside.values(), key=lambda path: path.name.lower())


def _subfolders(folder: Path) -> dict[str, Path]:
    return {_key(path.name): path for path in folder.iterdir() if path.is_dir() and not is_debris(path.name)}


def _key(name: str) -> str:
    return re.sub("[ _-]", "", name.lower())


def _names_in(name: str) -> tuple[str, str]:
    """horse2zebra and monet2photo_small name their domains; other names do not."""
    found = re.fullmatch(r"([^\W\d_]+)2([^\W\d_]+)(_.*)?", name)
    return (found[1], found[2]) if found else ("A", "B")


def _unexpected(folder: Path, but: str = "") -> UserError:
    found = f"{folder} holds {_content(folder)}{but}"
    inside = _subfolders(folder)
    if not inside and find_images(folder):
        return UserError(
            f"{found}, and no folder for each domain: put their pictures into trainA/ and trainB/; where each picture "
            "shows A and B side by side, --model pix2pix takes it as it is, and for other models cut it in halves first"
        )
    if len(inside) > 2 and not but:
        two = ", ".join(f'"{path.name}"' for path in sorted(inside.values())[:2])
        return UserError(f"{found}: {EXPECTED}; folders = [{two}] in a card.toml there chooses two of more")
    return UserError(f"{found}: {EXPECTED}")


def _content(folder: Path) -> str:
    """Its folders and the number of its files, in words."""
    names = sorted(f"{path.name}/" for path in _subfolders(folder).values())
    shown = names[:6] + ([f"{len(names) - 6} more folders"] if len(names) > 6 else [])
    files = sum(path.is_file() for path in folder.iterdir())
    if files:
        shown.append("1 file" if files == 1 else f"{files} files")
    return ", ".join(shown) or "nothing"


def _unread(folder: Path) -> str:
    """What files there are instead of pictures, and what to do about them."""
    suffixes = sorted({path.suffix.lower() for path in walk(folder)} - {""})[:4]
    return f" ({', '.join(suffixes)} files have to be converted to PNG or TIFF first)" if suffixes else ""
