"""How samples are read, and what is settled for all pictures of a data set before the first one is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan.data.check import find_spans
from cyclegan.data.dataset_cards import spans_on_card
from cyclegan.data.datasets import Dataset
from cyclegan.data.masks import Masks, masks_of_both
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


def masks_of(found: Dataset, train: Sequence[list[Path]], reading: Reading, paired: bool = False) -> list[Masks]:
    """The masks of each domain's training pictures; [] where there are none, or nobody who could use them."""
    sides = [] if found.side_by_side else masks_of_both((found.train_A, found.train_B), train)
    if not sides:
        return []
    if why := _unused(found, reading, paired):
        reading.say(f"The masks beside the pictures are not used in training: {why}. translate --mask uses them.")
        return []
    for domain, files, masks in zip(found.domains, train, sides, strict=True):
        have = f"{len(masks)} of {len(files)} pictures" if masks else "no picture"
        rest = "" if masks and len(masks) == len(files) else "; one without may change everywhere"
        reading.say(f"Masks: {have} of {domain}{rest}.")
    return sides


def test_masks_of(found: Dataset, test: Sequence[list[Path]], reading: Reading) -> list[Masks]:
    """As ``masks_of``, for the pictures that samples and evaluations in training show; nothing is said."""
    if found.side_by_side or _unused(found, reading):
        return []
    return masks_of_both((found.test_A or found.train_A, found.test_B or found.train_B), test)


def _unused(found: Dataset, reading: Reading, paired: bool = False) -> str:
    """Why masks are not used; "" where they are."""
    if not reading.masks:
        return "with pairs the true picture says what is to change" if paired else "this model takes none"
    return "pictures of A and B differ in their channels" if len(set(found.channels)) > 1 else ""
