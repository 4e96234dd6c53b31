"""How samples are read, and what is settled for all pictures of a data set before the first one is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan.data.check import find_spans
from cyclegan.data.dataset_cards import spans_on_card
from cyclegan.data.datasets import Dataset
from cyclegan.data.masks import Masks, masks_beside
from cyclegan.data.values import Span

Say = Callable[[str], None]


@dataclass(frozen=True)
class Reading:
    """How samples are read."""

    seed: int = 0
    cache: float = 0.0  # bytes for decoded pictures
    skip_bad: bool = False  # leave out pictures that cannot be read
    masks: bool = False  # whether the model takes masks
    say: Say = print  # takes lines for the user
    # a data set's name → ``Source.record`` of the run that goes on, {} for a new one
    before: Callable[[str], dict[str, Any]] = lambda name: {}


def spans_of(
    name: str,
    domains: Sequence[str],
    wide: Sequence[list[Path]],
    channels: Sequence[int],
    given: Span | None,
    card: dict[str, Any],
    reading: Reading,
) -> list[Span | None]:
    """The values that are black and white in each domain's pictures of more than 8 bits; None where it has none.

    As given, else as on the card, else as in the run that goes on, else found over all training pictures.
    """
    if not any(wide):
        return [None] * len(wide)
    on_card = spans_on_card(card)
    before = reading.before(name).get("spans")
    spans: Sequence[Span | None]
    if given:
        spans, origin = [given] * len(wide), "--range"
    elif on_card:
        spans, origin = on_card[: len(wide)], "the card"
    elif before and len(before) == len(wide):
        spans, origin = before, "found when this run began"
    else:
        spans, origin = find_spans(wide, channels, reading.skip_bad), "found over all of them; --range sets others"
    used = [(span[0], span[1]) if span and files else None for span, files in zip(spans, wide, strict=True)]
    said = {domain: f"{span[0]:g} to {span[1]:g}" for domain, span in zip(domains, used, strict=True) if span}
    ranges = " and ".join(f"{values} in {domain}" for domain, values in said.items())
    reading.say(f"Pictures of more than 8 bits: black to white is {ranges} ({origin}).")
    return used


def masks_of(found: Dataset, train: Sequence[list[Path]], reading: Reading) -> list[Masks]:
    """The masks of each domain's training pictures; [] where there are none, or nobody who could use them."""
    if found.side_by_side:
        return []
    sides = [masks_beside(*side) for side in zip((found.train_A, found.train_B), train, strict=True)]
    if not any(sides):
        return []
    if not reading.masks or len(set(found.channels)) > 1:
        why = "pictures of A and B differ in their channels" if reading.masks else "this model takes none"
        reading.say(f"The masks beside the pictures are not used in training: {why}. translate --mask uses them.")
        return []
    for domain, files, masks in zip(found.domains, train, sides, strict=True):
        have = f"{len(masks)} of {len(files)} pictures" if masks else "no picture"
        rest = "" if masks and len(masks) == len(files) else "; one without may change everywhere"
        reading.say(f"Masks: {have} of {domain}{rest}.")
    return [masks or {} for masks in sides]
