"""What the tab "Translate" offers to click on: examples and suggested colours, as events for ``tab_translate``."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from PIL import Image

from cyclegan.data.images import open_image
from cyclegan.page import choices, colours, examples, one_picture
from cyclegan.page.parts import friendly
from cyclegan.system.errors import UserError

THUMBNAIL = 160  # pixels of the longer side


@friendly
def followed(given: str | None, key: str | None, direction: str | None):
    """What the direction brings with it: examples, the first of which is taken where the visitor gave no picture."""
    if not key:
        off = {"visible": False}
        return gr.Gallery(**off), "", gr.Column(**off), gr.Button(**off), gr.Gallery(**off)
    choice = choices.choose(key)
    way = choice.way(direction)
    found = examples.examples(choice, way)
    paints = colours.paints(choice, way)
    first = str(found[0]) if found and choice.here and not given else ""
    label = "Or try one of these" + (
        ": chosen, for they come out well" if examples.are_chosen(found, choice, way) else ""
    )
    return (
        gr.Gallery([_thumbnail(path) for path in found], visible=bool(found), selected_index=None, label=label),
        first,
        gr.Column(visible=paints),
        gr.Button(visible=paints),
        gr.Gallery(visible=False),
    )


def _thumbnail(path: Path) -> Image.Image:
    small = one_picture.on_white(open_image(path))
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


@friendly
def chosen(key: str, direction: str, event: gr.SelectData):
    """An example, in place of the visitor's own picture."""
    choice = choices.choose(key)
    return str(examples.examples(choice, choice.way(direction))[event.index]), None


@friendly
def suggested(given: str | None, example: str, key: str, direction: str, offset: int):
    """The picture in the next stored palettes; the offset is the number of the first one."""
    if not (given or example):
        raise UserError("There is no picture yet: choose one first.")
    choice = choices.choose(key)
    numbers = range(offset, offset + colours.SUGGESTED)
    made = one_picture.suggestions(one_picture.read_picture(given or example), choice.way(direction), numbers)
    pictures = [one_picture.shown(picture) for picture in made]
    return gr.Gallery(pictures, visible=True, selected_index=None), offset + colours.SUGGESTED


@friendly
def taken(offset: int, event: gr.SelectData):
    """The suggestion that was clicked becomes the palette; the picture whose colours were used goes."""
    return str(offset - colours.SUGGESTED + event.index), None
