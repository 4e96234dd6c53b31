"""The tab "Draw": strokes become a picture whenever the pen rests, and that picture becomes a drawing again."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cyclegan.page import choices, one_picture, words
from cyclegan.page.drawing_pad import decoded, drawing_pad
from cyclegan.page.parts import friendly
from cyclegan.page.tab_translate import WORK

NO_SKETCHES = """
### No translator for drawings here
This tab needs a translator that starts from sketches. Train one on drawings of emoji, which are made on this machine
(nothing is downloaded): `python -m cyclegan.train sketch2emoji --recipe quick`
"""


def draw_tab(key) -> None:
    able = sketcher(None) is not None
    hint = gr.Markdown(_hint(None), elem_classes="note", elem_id="draw-hint")
    with gr.Row(visible=able) as board:
        with gr.Column():
            pad = drawing_pad("pad")
        with gr.Column():
            made = gr.Image(label="Your drawing, translated", height=300, elem_id="made", interactive=False,
                            format="png", buttons=["download", "fullscreen"])  # fmt: skip
            back = gr.Image(label="… and back to a drawing", height=220, elem_id="redrawn", interactive=False,
                            format="png", buttons=["fullscreen"])  # fmt: skip
            said = gr.Markdown(elem_classes="words", elem_id="draw-said")
    options = {"show_progress": "minimal", "show_progress_on": made, "api_visibility": "private", **WORK}
    pad.stroke(_drawn, key, [made, back, said], trigger_mode="always_last", **options)
    key.change(_offer, key, [hint, board], api_visibility="private", show_progress="hidden")


@friendly
def _offer(key: str | None):
    return _hint(key), gr.Row(visible=sketcher(key) is not None)


def sketcher(key: str | None) -> tuple[choices.Choice, choices.Way] | None:
    """The chosen translator if it starts from drawings, else the first on this machine that does."""
    found = choices.choices()
    for choice in sorted(found, key=lambda choice: (choice.key != key, not choice.here)):
        for way in choice.ways:
            if way.source.lower() in choices.DRAWN:
                return choice, way
    return None


def _hint(key: str | None) -> str:
    chosen = sketcher(key)
    if chosen is None:
        return NO_SKETCHES
    choice, way = chosen
    return f"Draw something simple with the pen; lift it, and it is translated **{way.label}** by *{choice.key}*."


@friendly
def _drawn(key: str | None, event: gr.EventData):
    chosen, picture = sketcher(key), decoded(event.drawing)
    if chosen is None or picture is None:
        return None, None, ""
    choice, way = chosen
    trip = one_picture.travel(picture, choice, way)
    home = trip.back and trip.back.resize(trip.size, Image.Resampling.BICUBIC)
    said = f"**{way.label}** in {words.seconds(trip.seconds)}. " + words.cycle(trip, way)
    return trip.full, home, said
