"""What the tab "Translate" does when something is asked of it: the events that ``tab_translate`` connects."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from cyclegan.data.contact_sheet import grid
from cyclegan.page import choices, examples, one_picture, swatches, words
from cyclegan.page.background import Stopped, Turn, Turns, in_background
from cyclegan.page.brush import Painted
from cyclegan.page.parts import SORRY, save_result, sentence
from cyclegan.system.errors import ImageError

LARGE = 1_000_000  # pixels: from here on a picture waits for other large ones, and keeps no small one waiting
PATIENCE = 2.0  # seconds after which it is said how long it will take
EMPTY = "The translated picture appears here, with a handle to compare it with the original."
NO_PICTURE = "**There is no picture yet.** Drop one into the field, click it to choose one, or take an example."
CANCELLED = "Cancelled."
turns = Turns()


@dataclass(frozen=True)
class Order:
    """What a visitor asks for."""

    path: str  # of the picture
    picture: Image.Image
    choice: choices.Choice
    way: choices.Way
    detail: str
    palette: Any
    colours: str  # the palette in words
    mask: Image.Image | None  # where it may change; None: everywhere

    @property
    def large(self) -> bool:
        width, height = one_picture.working_size(self.picture.size, None, self.detail)
        return width * height >= LARGE

    def trip(self, tell) -> one_picture.Trip:
        trip = one_picture.travel(self.picture, self.choice, self.way, self.detail, self.palette, tell, self.mask)
        # Who paints what is to change has chosen it, and the rest of the picture may be anything.
        return trip if self.mask else replace(trip, far=one_picture.is_far(trip.given, self.way))


def _ordered(given, example, key, direction, detail, text, like, mask) -> Order:
    choice = choices.choose(key)
    way = choice.way(direction)
    palette, named = swatches.palette(choice, way, text, like)
    path = given or example
    of_this = mask[1] if mask and mask[0] == path else None
    return Order(path, one_picture.read_picture(path), choice, way, detail, palette, named, of_this)


def translated(
    given: str | None, example: str, key: str, direction: str, detail: str, text: str, like: str | None,
    mask: Painted, request: gr.Request,
):  # fmt: skip
    """Yields the results; or hands a large picture over to ``continued`` by a new value of the last output."""
    turn = turns.begin(request.session_hash)
    yield from _answer(turn, EMPTY, given, example, key, direction, detail, text, like, mask)


def uploaded(
    given: str | None, key: str, direction: str, detail: str, text: str, like: str | None, request: gr.Request
):
    """As ``translated``, of the visitor's picture as it was when it came; after those results no example is chosen.

    It is one event: where a first one cleared the example, an answer to something older could take an unreadable
    picture out of its field before the second looked there, which then said that there was none.
    """
    for state in translated(given, "", key, direction, detail, text, like, None, request):
        yield *state, ""


def pressed(given: str | None, example: str, key: str, direction: str, detail: str, text: str, like: str | None,
            mask: Painted, request: gr.Request):  # fmt: skip
    """The button: as ``translated``, but it says so where there is no picture."""
    turn = turns.begin(request.session_hash)
    yield from _answer(turn, NO_PICTURE, given, example, key, direction, detail, text, like, mask)


def begun(request: gr.Request) -> int:
    """The number of a new turn, for the first of several events, at the end of which comes ``after``."""
    return turns.begin(request.session_hash).number


def after(number: int, given: str | None, example: str, key: str, direction: str, detail: str, text: str,
          like: str | None, mask: Painted, request: gr.Request):  # fmt: skip
    """As ``translated``, unless the visitor has asked for something else since that turn was ``begun``."""
    turn = turns.last(request.session_hash)
    if turn is not None and turn.number == number:
        yield from _answer(turn, EMPTY, given, example, key, direction, detail, text, like, mask)
    else:
        yield *_same(), gr.skip()


def _answer(turn: Turn, empty: str, given: str | None, example: str, *rest):
    """States of the tab, and last the number of the turn where its picture is large and ``continued`` takes it on.

    Else that output is left as it is: what an older turn says when it ends may arrive behind a newer one's number.
    """
    if not (given or example):
        yield *_empty(empty), gr.skip()
        return
    try:
        order = _ordered(given, example, *rest)
        if not given and order.detail == one_picture.FITTED and order.palette is None and not order.mask:
            trip = examples.result(Path(example), order.choice, order.way)
            yield *_results(order, trip, turn), gr.skip()
        elif order.large:
            yield *_busy("Getting ready …"), turn.number
        else:
            for state in _steps(order, turn):
                yield *state, gr.skip()
    except Exception as error:
        yield *_failed(error, turn), gr.skip()


def continued(number: int, given: str | None, example: str, key: str, direction: str, detail: str, text: str,
              like: str | None, mask: Painted, request: gr.Request):  # fmt: skip
    """A large picture, after it has waited for other large ones."""
    turn = turns.last(request.session_hash)
    if turn is None or turn.number != number:
        yield _empty(CANCELLED) if turn is None else _same()
        return
    try:
        yield from _steps(_ordered(given, example, key, direction, detail, text, like, mask), turn)
    except Exception as error:
        yield _failed(error, turn)


def cancelled(request: gr.Request):
    """The button Cancel: ends what the visitor has running, or waiting for its turn."""
    left(request)
    return gr.Button(visible=False), CANCELLED


def left(request: gr.Request) -> None:
    """The same where the visitor has left the page."""
    turns.cancel(request.session_hash)


def _steps(order: Order, turn: Turn) -> Iterator[tuple]:
    """States of the tab: how far it is, where that takes long, and the results."""
    begun = time.monotonic()
    with contextlib.closing(in_background(order.trip, turn)) as work:
        while True:
            try:
                share = next(work)
            except StopIteration as end:
                yield _results(order, end.value, turn)
                return
            passed = time.monotonic() - begun
            if passed > PATIENCE:
                yield _busy(words.progress(share or 0, passed))


def _results(order: Order, trip: one_picture.Trip, turn: Turn):
    if turn.is_set():  # something newer was asked for meanwhile
        raise Stopped
    way = order.way
    seen = one_picture.shown(trip.given), one_picture.shown(trip.result)
    home = None if trip.back is None else (seen[0], one_picture.shown(trip.back))
    labels = f"{way.source} | {way.target}", f"{way.source} | {way.source} → {way.target} → {way.source}"
    file = save_result(trip.full, order.path, way)
    pair = file.with_name(f"{file.stem}_before_and_after.jpg")
    grid(list(seen), 2).save(pair, quality=92)
    return (
        gr.ImageSlider(seen, label=labels[0]),
        gr.Button(visible=False),
        words.summary(trip, order.choice, way, order.colours, order.mask is not None),
        gr.Row(visible=True),
        gr.DownloadButton(value=str(file)),
        gr.DownloadButton(value=str(pair)),
        gr.ImageSlider(home, label=labels[1], visible=home is not None),
        words.cycle(trip, way),
        gr.skip(),
    )


def _empty(said: str, keep: bool = True):
    """No results, and without ``keep`` no picture of the visitor's either."""
    same = gr.skip()
    return (None, gr.Button(visible=False), said, gr.Row(visible=False), same, same,
            gr.ImageSlider(None, visible=False), "", same if keep else None)  # fmt: skip


def _busy(said: str):
    return gr.skip(), gr.Button(visible=True), said, *[gr.skip()] * 6


def _same():
    return [gr.skip()] * 9


def _failed(error: Exception, turn: Turn):
    if turn.is_set():
        return _empty(CANCELLED) if turn.cancelled else _same()
    said = f"**{SORRY}.** {sentence(error)}"
    if isinstance(error, ImageError):  # the browser would show what cannot be read as a broken picture
        return _empty(said, keep=False)
    return gr.skip(), gr.Button(visible=False), said, *[gr.skip()] * 6
