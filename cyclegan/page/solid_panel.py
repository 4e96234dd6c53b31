"""The part of "Imagine" for generators of solids: turn one in the browser, and make one of a picture."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from PIL import Image

from cyclegan.page import generators, one_picture
from cyclegan.page.drawing_pad import drawing_pad, kept
from cyclegan.page.parts import EACH, LAST, WORK, friendly, picture, work_folder

QUIET = {"api_visibility": "private", "show_progress": "minimal", **LAST, **WORK}


def solid_panel(drawn: list, ends):
    """Builds the panel; returns a function that makes it follow another event.

    ``drawn`` are the components that say what is made (generator, seed, truncation), ``ends`` those of the walk.
    """
    with gr.Row(visible=False, elem_id="solids") as panel:
        with gr.Column():
            turned = gr.Model3D(label="Turn it with the mouse or a finger", elem_id="solid", interactive=False,
                                height=420, clear_color=(1.0, 1.0, 1.0, 1.0))  # fmt: skip
        with gr.Column():
            given = picture(label="Or a solid of your picture", sources=["upload", "clipboard", "webcam"], height=240,
                            elem_id="solid-given", buttons=[],
                            placeholder="# Drop a picture here\nof one thing on a plain light ground.")  # fmt: skip
            with gr.Accordion("Or draw it", open=False, elem_id="solid-draw"):
                pad = drawing_pad("solid-pad")
    given.change(_of_file, [drawn[0], given], turned, **QUIET)
    sketch, hidden = gr.State(), {"api_visibility": "private", "show_progress": "hidden"}
    pad.stroke(kept, None, sketch, **EACH, **hidden).then(_of_drawing, [drawn[0], sketch], turned, **QUIET)

    def follow(event):  # in two steps, as a scene that is filled before it is there stays empty
        event.then(_offered, drawn[0], panel, **LAST, **hidden).then(_shown, [*drawn, ends], turned, **QUIET)

    return follow


@friendly
def _offered(key: str | None):
    return gr.Row(visible=bool(key) and generators.choose(key).solid)


@friendly
def _shown(key: str | None, seed: float, truncation: float, ends):
    """The picture clicked last, as a solid; nothing for generators of pictures."""
    if not key or not (maker := generators.choose(key)).solid:
        return None
    return str(generators.surface(maker, int(seed or 0), truncation, ends[1], _new(maker)))


@friendly
def _of_file(key: str, path: str | None):
    return gr.skip() if path is None else _of(key, one_picture.read_picture(path))


@friendly
def _of_drawing(key: str, drawing: Image.Image | None):
    return gr.skip() if drawing is None else _of(key, drawing)


def _of(key: str, given) -> str:
    maker = generators.choose(key)
    return str(generators.surface_of(maker, given, _new(maker)))


def _new(maker: generators.Maker) -> Path:
    return work_folder() / f"{Path(maker.key).name}.glb"
