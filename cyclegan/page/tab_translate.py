"""The tab "Translate": one picture there and back, in colours that can be chosen."""

from __future__ import annotations

import gradio as gr

from cyclegan.page import offers, one_picture, scripts, translating
from cyclegan.page.brush import brush, painted
from cyclegan.page.parts import EACH, LAST, WORK, picture
from cyclegan.page.swatches import colour_panel

LARGE_WORK = {"concurrency_id": "large pictures", "concurrency_limit": 1}
HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}


def translate_tab(key, direction):
    """Builds the tab; returns two functions, to be called with the event that leads to another translator.

    The first begins a turn of the visitor, and the second, with what follows from it, translates in that turn.
    """
    with gr.Row(elem_id="both"):
        with gr.Column():
            given = picture(
                label="Your picture", sources=["upload", "clipboard", "webcam"], height=300, elem_id="given",
                buttons=["fullscreen"],
                placeholder="# Drop a picture here\nor click to choose one. Photographs of any size will do.",
            )  # fmt: skip
            tried = _row("Or try one of these", "examples", 4)
            panel, wanted, like = colour_panel("colours")
            with gr.Accordion("Detail", open=False, elem_id="fine"):
                detail = gr.Radio(
                    one_picture.DETAILS, value=one_picture.FITTED, show_label=False, container=False, elem_id="detail",
                    info="The networks learned on small pictures. At that size results look most like the training. "
                    "Finer ones take longer; bolder ones suit what fills your picture.",
                )  # fmt: skip
            with gr.Accordion("Only a part of it", open=False, elem_id="part"):
                pen = brush("brush")
            go = gr.Button("Translate", variant="primary", elem_id="go")
        with gr.Column():
            result = _slider("Before | after", "result", 420)
            halt = gr.Button("Cancel", visible=False, elem_id="cancel")
            said = gr.Markdown(translating.EMPTY, elem_id="said", elem_classes="words")
            five = gr.Button("Five suggestions", visible=False, elem_id="five")
            suggestions = _row("Click the colours that you like", "offers", 5)
            with gr.Row(visible=False) as taking:
                take = gr.DownloadButton("Download the result", elem_id="take", min_width=160)
                pair = gr.DownloadButton("Before and after", elem_id="take-pair", min_width=160)
                copy = gr.Button("Copy both", elem_id="copy-both", min_width=120)
                share = gr.Button("Share both", elem_id="share-both", min_width=120)
            back = _slider("Original | there and back", "back", 320, visible=False)
            cycle = gr.Markdown(elem_id="cycle", elem_classes="words")
    copy.click(None, pair, js=scripts.COPY, api_visibility="private")
    share.click(None, pair, js=scripts.SHARE, api_visibility="private")
    example, offset, large, turn = gr.State(""), gr.State(0), gr.State(None), gr.State(0)
    mask = gr.State(None)
    order = [given, example, key, direction, detail, wanted, like, mask]
    shown = [result, halt, said, taking, take, pair, back, cycle, given]
    busy = {"show_progress": "minimal", "show_progress_on": [result], "api_visibility": "private"}
    quick = busy | WORK | LAST
    now = {"fn": translating.translated, "inputs": order, "outputs": [*shown, large], **quick}
    gr.on([given.input, tried.select], None, js=scripts.ARRIVING, **HIDDEN)
    answered = {"fn": None, "js": scripts.ANSWERED, **HIDDEN}
    arriving = [given, key, direction, detail, wanted, like]
    given.input(translating.uploaded, arriving, [*shown, large, example], **quick).then(**answered)
    gr.on([detail.input, wanted.input, like.upload, like.clear], **now)
    pen.stroke(painted, [given, example], mask, **EACH, **HIDDEN).then(**now)
    go.click(translating.pressed, order, [*shown, large], **quick)
    large.change(translating.continued, [large, *order], shown, **busy, **LARGE_WORK)
    halt.click(translating.cancelled, None, [halt, said], queue=False, **HIDDEN)
    tried.select(offers.chosen, [key, direction], [example, given], **EACH, **HIDDEN).then(**now).then(**answered)
    five.click(offers.suggested, [given, example, key, direction, offset], [suggestions, offset], **quick)
    suggestions.select(offers.taken, offset, [wanted, like], **EACH, **HIDDEN).then(**now)
    gr.on([given.input, tried.select], lambda: gr.Gallery(visible=False), None, suggestions, **HIDDEN)
    following = {"fn": offers.followed, "inputs": [given, key, direction],
                 "outputs": [tried, example, panel, five, suggestions], **LAST, **HIDDEN}  # fmt: skip
    then = now | {"fn": translating.after, "inputs": [turn, *order]}
    begin = {"fn": translating.begun, "inputs": None, "outputs": turn, "queue": False, **LAST, **HIDDEN}
    direction.input(**begin).then(**following).then(**then)
    return lambda event: event(**begin), lambda event: event.then(**following).then(**then)


def _row(label: str, name: str, columns: int) -> gr.Gallery:
    """Pictures to click on, in one row."""
    return gr.Gallery(label=label, columns=columns, rows=1, allow_preview=False, visible=False, height="auto",
                      elem_id=name, elem_classes="one-row", buttons=[], object_fit="cover",
                      interactive=False)  # fmt: skip


def _slider(label: str, name: str, height: int, visible: bool = True) -> gr.ImageSlider:
    return gr.ImageSlider(label=label, max_height=height, elem_id=name, interactive=False, visible=visible,
                          slider_position=20, buttons=["fullscreen"])  # fmt: skip
