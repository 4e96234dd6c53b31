"""Pictures to try a translator on, and what becomes of them, made before anybody asks. No gradio here."""

from __future__ import annotations

import threading
from pathlib import Path

from cyclegan.data.dataset_cards import dataset_root
from cyclegan.data.folders import find_pairs, pictures_in
from cyclegan.page import choices, one_picture
from cyclegan.page.choices import Choice, Way
from cyclegan.system.errors import UserError
from cyclegan.translate.examples import examples_of, own_examples

COUNT = 4
KEPT = 32  # results: up to some megabytes each


def examples(choice: Choice, way: Way) -> list[Path]:
    """Pictures of the direction's source: chosen ones that come with the package, else test pictures, or [].

    A run has those that were chosen for the translator of its data set; where there are no test pictures either, those
    of any translator from the same domain.
    """
    dataset = _dataset(choice)
    if chosen := own_examples(dataset, way.source):
        return chosen[:COUNT]
    for folder in (dataset_root() / Path(dataset).name, Path(dataset)):
        try:
            found = find_pairs(folder)
            there = found.test_A or found.train_A, found.test_B or found.train_B
            return pictures_in(*there, found.side_by_side)[way.reverse][:COUNT]
        except (UserError, OSError):
            continue
    return examples_of(way.source)[:COUNT]


def are_chosen(found: list[Path], choice: Choice, way: Way) -> bool:
    """Whether these examples are those that were chosen for this translator, because they come out well."""
    return bool(found) and found[0] in own_examples(_dataset(choice), way.source)


def _dataset(choice: Choice) -> str:
    return str(choice.card.get("training", {}).get("dataset") or choice.key)


def result(path: Path, choice: Choice, way: Way) -> one_picture.Trip:
    """The translation of an example as it is shown, there and back; made once for each version of the weights."""
    there = one_picture.warm.translator(way)
    key = path, way
    with _lock:
        seen, trip = _ready.get(key, (None, None))
    if seen is not there:
        trip = one_picture.travel(one_picture.shown(one_picture.read_picture(path)), choice, way)
        with _lock:
            _ready[key] = there, trip
            while len(_ready) > KEPT:
                _ready.pop(next(iter(_ready)))
    return trip


def prepare() -> None:
    """Translates the examples of all translators that are here; for a thread of its own."""
    for choice in choices.choices():
        for way in choice.ways if choice.here else ():
            for path in examples(choice, way):
                try:
                    result(path, choice, way)
                except (UserError, OSError):
                    continue  # whoever asks for it will be told


_ready: dict = {}
_lock = threading.Lock()
