"""Model cards: a name, a folder, a file or a Hugging Face repository in, one weights file out.

A card is a TOML file, one per pair (or per single direction):
    name, title, licence, source     text
    domains = ["horse", "zebra"]     A first
    [G_AB], [G_BA]                   A → B and B → A; a card may have one of them only
    [G], [E]                         instead: a generator from noise, and the encoder that belongs to it, if any
        file = "G_AB.safetensors"    beside the card, or
        url, sha256, bytes           fetched once (sha256 and bytes where they are known)
        format = "reference"         weights of the reference implementation, converted on the way in
    [training], [metrics]            how it was made and how it does, free keys
A run folder, or any folder with G_AB.safetensors and G_BA.safetensors, needs no card.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan.networks.directions import A_TO_B, B_TO_A, DIRECTIONS, Direction
from cyclegan.networks.linked import linked_weights
from cyclegan.networks.schema import check_provenance
from cyclegan.networks.weights import is_ours
from cyclegan.system.cards import card_files, hint, read_card
from cyclegan.system.errors import UserError
from cyclegan.system.file_sets import current

GENERATOR = "G"  # the name of a generator from noise: its file, and its table on a card
ENCODER = "E"  # the name of what finds the latent of a picture for that generator, where there is one
_FIELDS = {"file": str, "url": str, "sha256": str, "format": str, "bytes": int}  # of a network on a card
_WORDS = {str: "text", int: "whole number"}


@dataclass(frozen=True)
class Found:
    """One generator on disk."""

    path: Path
    direction: str  # "G_AB" or "G_BA"
    domains: tuple[str, str] = ("A", "B")  # source and target; only for files that do not say it themselves
    reference: bool = False  # weights of another program, see cyclegan.networks.reference


def model_names() -> list[str]:
    """The names of all cards, in ./pretrained and in the package."""
    return list(_card_files())


def translators() -> dict[str, list[tuple[str, str]]]:
    """The pretrained translators by name, each with what it translates: (source, target), A → B first.

    Where there are two, ``Translator.from_pretrained(name, reverse=True)`` loads the second.
    """
    found = {}
    for name in model_names():
        card = model_card(name)
        found[name] = [direction.of(card["domains"]) for direction in DIRECTIONS if direction.name in card]
    return found


def model_card(name: str) -> dict:
    """The card of that name; raises ``UserError`` with the nearest names where there is none."""
    files = _card_files()
    if name not in files:
        raise UserError(_unknown(name))
    return read_model_card(files[name])


def find(name: str | os.PathLike, reverse: bool = False, **hub: Any) -> Found:
    """The generator A → B, or with ``reverse`` B → A, of a card's name, a folder, a file or a repository id.

    ``hub`` are options of ``huggingface_hub.hf_hub_download``. Raises ``UserError`` with one sentence.
    """
    given, direction = os.fspath(name), DIRECTIONS[reverse]
    path = Path(given).expanduser()
    if path.is_file():
        return _in_card(path, direction) if path.suffix == ".toml" else _as_file(current(path), direction)
    if path.is_dir() and not (given in _card_files() and path.name == given):
        return _in_folder(path, direction)
    if given in _card_files():
        return _in_card(_card_files()[given], direction)
    if (run := Path("runs") / given).is_dir():
        return _in_folder(run, direction)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", given) and given.split("/")[0] not in (".", "..", "runs", "pretrained"):
        from cyclegan.networks.hub import download

        return Found(download(given, f"{direction.name}.safetensors", **hub), direction.name)
    raise UserError(_unknown(given))


def find_generator(name: str | os.PathLike) -> Path:
    """The weights file of a generator from noise, by a card's name, a run folder or its name, or its own path.

    A translator's file is found too, so that whoever loads it can say what it is. Raises ``UserError``.
    """
    return _find_part(name, (GENERATOR, *(direction.name for direction in DIRECTIONS)), "generator")


def find_encoder(name: str | os.PathLike) -> Path:
    """The weights file of a generator's encoder, by the names that ``find_generator`` takes, or its own path.

    Beside a weights file G.safetensors it is E.safetensors. Raises ``UserError`` where there is none.
    """
    path = Path(name).expanduser()
    if path.name == f"{GENERATOR}.safetensors" and path.is_file():
        path = path.parent
    return _find_part(path, (ENCODER,), "encoder, so it makes nothing from a picture")


def _find_part(name: str | os.PathLike, parts: tuple[str, ...], what: str) -> Path:
    given = os.fspath(name)
    path = Path(given).expanduser()
    if path.is_file() and path.suffix != ".toml":
        return current(path)
    if path.is_dir() and not (given in _card_files() and path.name == given):
        return _part_in(path, parts, what)
    if path.is_file() or given in _card_files():
        card_file = path if path.is_file() else _card_files()[given]
        card = read_model_card(card_file)
        part, entry = next(((part, card[part]) for part in parts if part in card), (None, None))
        if entry is None:
            raise UserError(f"{card_file.stem} has no {what}")
        if "file" not in entry:
            return linked_weights(card_file.stem, part, entry, tuple(card["domains"]))
        return current(card_file.parent / entry["file"])
    if (run := Path("runs") / given).is_dir():
        return _part_in(run, parts, what)
    raise UserError(_unknown(given))


def _part_in(folder: Path, parts: tuple[str, ...], what: str) -> Path:
    for part in parts:
        if (file := current(folder / f"{part}.safetensors")).is_file():
            return file
    raise UserError(f"{folder} holds no {what} (has its training reached a checkpoint yet?)")


def _card_files() -> dict[str, Path]:
    return card_files("pretrained", Path("pretrained"))


def _unknown(given: str) -> str:
    if "/" in given or "\\" in given or Path(given).suffix in (".pth", ".pt", ".safetensors", ".toml"):
        return f"there is no file or folder {given}"
    others = "A run folder, a weights file and OWNER/NAME on Hugging Face work too."
    return f"there is no translator {given!r}: {hint(given, model_names())} {others}"


def read_model_card(path: Path) -> dict:
    """What a model card says, checked; raises ``UserError`` with one sentence, and OSError."""
    card = read_card(path)
    domains, count = card.get("domains"), 1 if GENERATOR in card else 2
    if not (isinstance(domains, list) and len(domains) == count and all(isinstance(d, str) for d in domains)):
        example = '["what it makes"]' if count == 1 else '["A\'s name", "B\'s name"]'
        raise UserError(f"the card {path} needs domains = {example}, not {domains!r}")
    for part in (*(direction.name for direction in DIRECTIONS), GENERATOR, ENCODER):
        entry = card.get(part)
        if entry is not None and not (isinstance(entry, dict) and ("file" in entry or "url" in entry)):
            raise UserError(f"the card {path} needs a file or a url in [{part}]")
        for key, kind in _FIELDS.items():
            value = (entry or {}).get(key, kind())
            if not isinstance(value, kind) or len(str(value)) > 1000:
                said = f"{key} = {str(value)[:40]!r} in [{part}]"
                raise UserError(f"the card {path} has {said}, which is no {_WORDS[kind]}")
    check_provenance(card.get("training", {}), f"[training] in the card {path}")
    if not isinstance(card.get("metrics", {}), dict):
        raise UserError(f"the card {path} has metrics = {str(card['metrics'])[:40]!r}, and needs a table [metrics]")
    if not isinstance(card.get("title", ""), str):
        raise UserError(f"the card {path} has title = {str(card['title'])[:40]!r}, which is no text")
    return card


def _in_card(path: Path, direction: Direction) -> Found:
    card = read_model_card(path)
    if GENERATOR in card:
        raise UserError(f"{path.stem} makes pictures from noise and translates none: use python -m cyclegan.sample")
    domains = direction.of(card["domains"])
    if direction.name not in card:
        raise UserError(_one_way(path.stem, domains))
    entry = card[direction.name]
    if "file" not in entry:
        return Found(linked_weights(path.stem, direction.name, entry, domains), direction.name)
    file = current(path.parent / entry["file"])
    if not file.is_file():
        raise UserError(f"the card {path} names {str(file)[:200]}, which is not there")
    return Found(file, direction.name, domains, reference=entry.get("format") == "reference")


def _one_way(name: str, wanted: tuple[str, str]) -> str:
    source, target = wanted
    others = [n for n, path in _card_files().items() if n != name and _leads(path, wanted)]
    instead = f"; {' and '.join(others)} {'does' if len(others) == 1 else 'do'}" if others else ""
    return f"{name} translates {target} → {source} only and has no generator for {source} → {target}{instead}"


def _leads(path: Path, wanted: tuple[str, str]) -> bool:
    try:
        card = read_model_card(path)
    except UserError:  # somebody else's card is not what was asked for
        return False
    return A_TO_B.name in card and tuple(card["domains"]) == wanted


def _as_file(path: Path, direction: Direction) -> Found:
    if direction.reverse:
        raise UserError(f"{path} is one generator, so there is no other direction in it; give the folder of the pair")
    name = path.stem if path.stem == B_TO_A.name else A_TO_B.name
    return Found(path, name, reference=not is_ours(path))


def _in_folder(folder: Path, direction: Direction) -> Found:
    file = current(folder / f"{direction.name}.safetensors")
    if file.is_file():
        return Found(file, direction.name)
    if (folder / "card.toml").is_file() and direction.name in read_model_card(folder / "card.toml"):
        return _in_card(folder / "card.toml", direction)
    there = [path.name for path in sorted(folder.glob("*.safetensors"))]
    if f"{GENERATOR}.safetensors" in there:
        raise UserError(f"{folder} makes pictures from noise and translates none: use python -m cyclegan.sample")
    if there == [f"{direction.back.name}.safetensors"]:
        way = "reverse=True, or --reverse, is its direction" if not direction.reverse else "leave out --reverse"
        raise UserError(f"{folder} holds only {there[0]}, which translates the other way: {way}")
    what = f"only {', '.join(there)}" if there else "no weights (has its training reached a checkpoint yet?)"
    raise UserError(f"{folder} holds {what}, and {file.name} is needed for this direction")
