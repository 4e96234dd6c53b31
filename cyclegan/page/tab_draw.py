"""The tab "Draw": strokes become a picture whenever the pen rests, and that picture becomes a drawing again."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cyclegan.page import choices, colours, one_picture, swatches, words
from cyclegan.page.drawing_pad import drawing_pad, kept
from cyclegan.page.parts import EACH, LAST, WORK, friendly
from cyclegan.page.swatches import colour_panel

FIRST = "sketch2photo"  # the translator of drawings that is taken where the chosen one starts from something else
NO_SKETCHES = """
### No translator for drawings here
This tab needs a translator that starts from sketches. Train one on drawings of emoji, which are made on this machine
(nothing is downloaded): `python -m cyclegan.train sketch2emoji --recipe quick`
"""


def draw_tab(key) -> None:
    hint = gr.Markdown(_hint(key.value), elem_classes="note", elem_id="draw-hint")
    with gr.Row(visible=sketcher(key.value) is not None, elem_id="board-draw") as board:
        with gr.Column():
            pad = drawing_pad("pad")
            panel, wanted, like = colour_panel("draw-colours", _paints(key.value))
        with gr.Column():
            made = gr.Image(label="Your drawing, translated", height=300, elem_id="made", interactive=False,
                            format="png", buttons=["download", "fullscreen"])  # fmt: skip
            said = gr.Markdown(elem_classes="words", elem_id="draw-said")
            back = gr.Image(label="… and back to a drawing", height=220, elem_id="redrawn", interactive=False,
                            format="png", buttons=["fullscreen"])  # fmt: skip
    options = {"show_progress": "minimal", "show_progress_on": made, "api_visibility": "private", **LAST, **WORK}
    options |= {"inputs": [key, wanted, like, drawn := gr.State()], "outputs": [made, back, said]}
    pad.stroke(kept, None, drawn, show_progress="hidden", api_visibility="private", **EACH).then(_drawn, **options)
    gr.on([wanted.input, like.upload, like.clear], _drawn, **options)
    key.change(_offer, key, [hint, board, panel], api_visibility="private", show_progress="hidden")


def sketcher(key: str | None) -> tuple[choices.Choice, choices.Way] | None:
    """The chosen translator if it starts from drawings, else one on this machine that does, ``FIRST`` before others."""
    found = choices.choices()
    for choice in sorted(found, key=lambda choice: (choice.key != key, not choice.here, choice.key != FIRST)):
        for way in choice.ways:
            if way.source.lower() in choices.DRAWN:
                return choice, way
    return None


def _paints(key: str | None) -> bool:
    chosen = sketcher(key)
    return chosen is not None and colours.paints(*chosen)


@friendly
def _offer(key: str | None):
    return _hint(key), gr.Row(visible=sketcher(key) is not None), gr.Column(visible=_paints(key))


def _hint(key: str | None) -> str:
    chosen = sketcher(key)
    if chosen is None:
        return NO_SKETCHES
    choice, way = chosen
    what = "a landscape: hills, trees, water" if choice.key == FIRST else "something simple"
    return f"Draw {what} with the pen; lift it, and it is translated **{way.label}** by *{choice.key}*."


@friendly
def _drawn(key: str | None, text: str, like: str | None, picture: Image.Image | None):
    chosen = sketcher(key)
    if chosen is None or picture is None:
        return None, None, ""
    choice, way = chosen
    palette, named = swatches.palette(choice, way, text, like)
    trip = one_picture.travel(picture, choice, way, palette=palette)
    painted = f", in the colours of {named}" if named else ""
    said = f"**{way.label}** in {words.seconds(trip.seconds)}{painted}. " + words.cycle(trip, way)
    return trip.full, trip.back, said
