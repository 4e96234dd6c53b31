"""What a visitor can choose from: the cards in pretrained/ and the runs in runs/. No torch and no gradio here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cyclegan.networks import library
from cyclegan.networks.directions import A_TO_B, DIRECTIONS, Direction
from cyclegan.networks.linked import model_cache
from cyclegan.networks.weights import read_header
from cyclegan.system.cards import package_folder
from cyclegan.system.errors import UserError
from cyclegan.system.file_sets import current
from cyclegan.system.records import run_settings

RUNS = Path("runs")
DRAWN = {"sketch", "sketches", "drawing", "drawings", "edges", "pencil"}  # domains that a visitor can draw


@dataclass(frozen=True)
class Way:
    """One direction of a choice: what ``Translator.from_pretrained`` is called with."""

    name: str
    direction: Direction
    source: str
    target: str

    @property
    def label(self) -> str:
        return f"{self.source} → {self.target}"

    @property
    def reverse(self) -> bool:
        return self.direction.reverse


@dataclass(frozen=True)
class Choice:
    """A translator, or a pair of them, that can be chosen on the page."""

    key: str  # "horse2zebra", "runs/horse2zebra": unique, and what the API takes
    label: str
    card: dict
    ways: tuple[Way, ...]  # one or two
    here: bool  # False where the weights are downloaded on first use

    def way(self, label: str | None) -> Way:
        """The direction of that label, the first one for None or a label of another translator."""
        return next((way for way in self.ways if way.label == label), self.ways[0])

    def back(self, way: Way) -> Way | None:
        """The opposite direction, for the round trip; None where there is none."""
        return next((other for other in self.ways if other is not way), None)


def choices() -> list[Choice]:
    """Everything there is now: first what can be used at once, cards before runs, then what must be downloaded."""
    found = _cards() + _runs()
    return sorted(found, key=lambda choice: not choice.here)


def choose(key: str | None) -> Choice:
    """The choice with that key, the first one for None; raises ``UserError`` where there is none."""
    found = choices()
    if not found:
        raise UserError("There is no translator here yet. Train one first: python -m cyclegan.train horse2zebra")
    if key is None:
        return found[0]
    for choice in found:
        if choice.key == key:
            return choice
    raise UserError(f"There is no translator called {key} here. There are: {', '.join(c.key for c in found)}.")


def sheet(choice: Choice) -> Path | None:
    """A picture of results: the newest samples of a run, or what lies beside a card under its name."""
    if choice.key.startswith("runs/"):
        return next(iter(sorted(Path(choice.key, "samples").glob("*.png"), reverse=True)), None)
    folders = (Path("pretrained"), package_folder("pretrained"))
    files = (folder / f"{choice.key}{suffix}" for folder in folders for suffix in (".jpg", ".png", ".webp"))
    return next((file for file in files if file.is_file()), None)


def _cards() -> list[Choice]:
    cards = {}
    for name in library.model_names():
        try:
            card = library.model_card(name)
            if library.GENERATOR not in card:
                cards[name] = card
        except (UserError, OSError) as error:
            print(f"left out: {error}")
    found = []
    for name, card in cards.items():
        partner = _swapped(name)
        if "G_BA" not in card and _opposite(card, cards.get(partner)):
            if name > partner:
                continue  # shown with its partner
            ways = (Way(name, A_TO_B, *card["domains"]), Way(partner, A_TO_B, *cards[partner]["domains"]))
        else:
            ways = _ways(name, card["domains"], [direction for direction in DIRECTIONS if direction.name in card])
        present = [_present(way, cards[way.name][way.direction.name]) for way in ways]
        usable = tuple(way for way, there in zip(ways, present, strict=True) if there is not None)
        if usable:
            here = all(there for there in present if there is not None)
            title = ("" if here else "to download: ") + _title(usable, name)
            found.append(Choice(name, title, card, usable, here))
    return found


def _present(way: Way, entry: dict) -> bool | None:
    """Whether the weights are on this machine; None where they are neither here nor anywhere."""
    if "file" not in entry:
        return (model_cache() / way.name / f"{way.direction.name}.safetensors").is_file()
    try:
        library.find(way.name, way.reverse)
        return True
    except (UserError, OSError):
        return None


def _runs() -> list[Choice]:
    found = []
    for folder in run_folders():
        try:
            card = library.read_model_card(current(folder / "card.toml"))
            weights = {d: current(folder / f"{d.name}.safetensors") for d in DIRECTIONS}
            there = [d for d, file in weights.items() if file.is_file()]
            source, target = read_header(weights[there[0]])["domains"]
        except (OSError, IndexError, ValueError):
            continue  # not exported yet, being written right now, or broken
        domains = there[0].of((source, target))
        key = f"runs/{folder.name}"
        steps = card.get("training", {}).get("steps")
        ways = _ways(key, domains, there)
        note = f"trained here, {steps:,} steps" if isinstance(steps, int) else "trained here"
        found.append(Choice(key, _title(ways, folder.name, note), card, ways, True))
    return found


def run_folders() -> list[Path]:
    """The run folders in ./runs, the one that was written to last first."""
    logs, others = {}, []
    for folder in sorted(RUNS.glob("*")):
        try:
            files = {name: folder / name for name in ("config.json", "log.jsonl", "card.toml")}
            times = {name: file.stat().st_mtime for name, file in files.items() if file.is_file()}
        except OSError:
            continue  # not ours to read
        if "config.json" in times:
            logs[folder] = times.get("log.jsonl", times["config.json"])
        elif "card.toml" in times:
            others.append(folder)
    return sorted(logs, key=logs.get, reverse=True) + others


def run_config(folder: Path) -> dict:
    """The settings of a run; {} where they cannot be read."""
    try:
        return run_settings(folder)
    except (UserError, OSError):
        return {}


def _ways(name: str, domains: Sequence[str], directions: list[Direction]) -> tuple[Way, ...]:
    return tuple(Way(name, direction, *direction.of(domains)) for direction in directions)


def _title(ways: tuple[Way, ...], name: str, note: str = "") -> str:
    pair = f"{ways[0].source} {'⇄' if len(ways) == 2 else '→'} {ways[0].target}"
    return f"{pair}  ·  {name}" + (f"  ({note})" if note else "")


def _swapped(name: str) -> str:
    """horse2zebra → zebra2horse, summer2winter_yosemite → winter2summer_yosemite; "" for other names."""
    parts = re.fullmatch(r"((?:.*_)?)([^_]+)2([^_]+)((?:_.*)?)", name)
    return "{0}{2}2{1}{3}".format(*parts.groups()) if parts else ""


def _opposite(card: dict, other: dict | None) -> bool:
    """Two cards of one direction each, there and back."""
    return bool(other and "G_AB" in other and "G_BA" not in other and other["domains"] == card["domains"][::-1])
