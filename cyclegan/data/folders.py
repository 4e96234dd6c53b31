"""How the pictures of two domains lie in a folder."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cyclegan.data.images import find_images
from cyclegan.system.errors import UserError

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


def unwrap(folder: Path) -> Path:
    """`folder`, or the only folder in it: archives often wrap their content once."""
    inside = _subfolders(folder)
    wrapped = len(inside) == 1 and not inside.keys() & {"train", "traina", "trainb"}
    return next(iter(inside.values())) if wrapped else folder


def find_domains(folder: Path, order: Sequence[str] = ()) -> Domains:
    """The two domains in `folder`, which is laid out in one of these ways:

        trainA trainB [testA testB]       the paper's; train_A, traina … are understood
        train/horse train/zebra [test/…]  one folder a split
        horse zebra                       the domains themselves, or each with train/ [and test/] below it

    Named domains come in alphabetical order unless `order` names both. A test folder without pictures counts
    as none. Raises UserError, saying what was found, for anything else and for missing training pictures.
    """
    inside = _subfolders(folder)
    if inside.keys() & {"traina", "trainb"}:
        if not inside.keys() >= {"traina", "trainb"}:
            raise _unexpected(folder)
        names = _names_in(folder.name)
        train = [inside["traina"], inside["trainb"]]
        test = [inside.get("testa"), inside.get("testb")]
    elif "train" in inside:
        train = _two(inside["train"], order)
        names = train[0].name, train[1].name
        in_test = _subfolders(inside["test"]) if "test" in inside else {}
        test = [in_test.get(_key(path.name)) for path in train]
    else:
        domains = _two(folder, order)
        names = domains[0].name, domains[1].name
        train = [_subfolders(path).get("train", path) for path in domains]
        test = [_subfolders(path).get("test") for path in domains]
    for path in train:
        if not find_images(path):
            raise _unexpected(path, " but no pictures")
    return Domains(names, *train, *(path if path and find_images(path) else None for path in test))


def _two(folder: Path, order: Sequence[str]) -> list[Path]:
    inside = _subfolders(folder)
    named = [inside[_key(name)] for name in order if _key(name) in inside]
    if len(named) == 2:
        return named
    if len(inside) != 2:
        raise _unexpected(folder)
    return sorted(inside.values(), key=lambda path: path.name.lower())


def _subfolders(folder: Path) -> dict[str, Path]:
    visible = (path for path in folder.iterdir() if path.name[0] != "." and path.name != "__MACOSX")
    return {_key(path.name): path for path in visible if path.is_dir()}


def _key(name: str) -> str:
    return re.sub("[ _-]", "", name.lower())


def _names_in(name: str) -> tuple[str, str]:
    """horse2zebra and monet2photo_small name their domains; other names do not."""
    found = re.fullmatch(r"([^\W\d_]+)2([^\W\d_]+)(_.*)?", name)
    return (found[1], found[2]) if found else ("A", "B")


def _unexpected(folder: Path, but: str = "") -> UserError:
    names = sorted(f"{path.name}/" for path in _subfolders(folder).values())
    shown = names[:6] + ([f"{len(names) - 6} more folders"] if len(names) > 6 else [])
    files = sum(path.is_file() for path in folder.iterdir())
    if files:
        shown.append("1 file" if files == 1 else f"{files} files")
    return UserError(f"{folder} holds {', '.join(shown) or 'nothing'}{but}: {EXPECTED}")
