"""The tab "Translate": one picture there and back; and the same as an endpoint for programs."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from cyclegan.data.images import open_image
from cyclegan.page import choices, one_picture, words
from cyclegan.page.parts import SORRY, friendly, picture, sentence, work_folder
from cyclegan.system.errors import ImageError

WORK = {"concurrency_id": "pictures", "concurrency_limit": 2}  # two at once; the others wait in the order they came
THUMBNAIL = 160
EMPTY = "The translated picture appears here, with a handle to compare it with the original."


def translate_tab(key, direction):
    """Builds the tab; returns a function that makes the translation follow another event."""
    with gr.Row(elem_id="both"):
        with gr.Column():
            given = picture(
                label="Your picture", sources=["upload", "clipboard", "webcam"], height=360, elem_id="given",
                buttons=["fullscreen"],
                placeholder="# Drop a picture here\nor click to choose one. Photographs of any size will do.",
            )  # fmt: skip
            first = _small_examples(key.value, direction.value)
            tried = gr.Gallery(
                first, label="Or try one of these", columns=4, rows=1, allow_preview=False, visible=bool(first),
                height="auto", elem_id="examples", buttons=[], object_fit="cover", interactive=False,
            )  # fmt: skip
            with gr.Accordion("Detail", open=False, elem_id="fine"):
                detail = gr.Radio(
                    one_picture.DETAILS, value=one_picture.FITTED, show_label=False, container=False, elem_id="detail",
                    info="The networks learned on small pictures. At that size results look most like the training; "
                    "finer ones keep more of your picture, and take longer.",
                )  # fmt: skip
            go = gr.Button("Translate", variant="primary", elem_id="go")
        with gr.Column():
            result = gr.ImageSlider(label="Before | after", max_height=420, elem_id="result", interactive=False,
                                    buttons=["fullscreen"])  # fmt: skip
            said = gr.Markdown(EMPTY, elem_id="said", elem_classes="words")
            take = gr.DownloadButton("Download the result", visible=False, elem_id="take")
            back = gr.ImageSlider(label="Original | there and back", max_height=320, visible=False, elem_id="back",
                                  interactive=False, buttons=["fullscreen"])  # fmt: skip
            cycle = gr.Markdown(elem_id="cycle", elem_classes="words")
    inputs, outputs = [given, key, direction, detail], [result, said, take, back, cycle]
    options = {"show_progress_on": [result], "api_visibility": "private", "trigger_mode": "always_last", **WORK}
    gr.on([given.change, direction.input, detail.input, go.click], _translated, inputs, outputs, **options)
    hidden = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on([direction.change, key.change], _thumbnails, [key, direction], tried, **hidden)
    tried.select(_example, [key, direction], given, **hidden)
    return lambda event: event.then(_translated, inputs, outputs, **options)


def _translated(path: str | None, key: str | None, direction: str | None, detail: str):
    if path is None:
        return _empty(EMPTY)
    try:
        return _results(path, key, direction, detail)
    except Exception as error:
        text = sentence(error)
        gr.Warning(text, title=SORRY, duration=12)
        return _empty(f"**{SORRY}.** {text}")


def _empty(said: str):
    return None, said, gr.DownloadButton(visible=False), gr.ImageSlider(None, visible=False), ""


def _results(path: str, key: str | None, direction: str | None, detail: str):
    choice = choices.choose(key)
    way = choice.way(direction)
    trip = one_picture.travel(one_picture.read_picture(path), choice, way, detail)
    pair = (one_picture.shown(trip.given), one_picture.shown(trip.result))
    home = None if trip.back is None else (pair[0], one_picture.shown(trip.back))
    labels = f"{way.source} | {way.target}", f"{way.source} | {way.source} → {way.target} → {way.source}"
    return (
        gr.ImageSlider(pair, label=labels[0]),
        words.summary(trip, choice, way),
        gr.DownloadButton(value=str(_saved(trip, path, way)), visible=True),
        gr.ImageSlider(home, label=labels[1], visible=home is not None),
        words.cycle(trip, way),
    )


def _saved(trip: one_picture.Trip, path: str, way: choices.Way) -> Path:
    """The translation in full size: a JPEG for a JPEG, else a PNG."""
    suffix = ".jpg" if Path(path).suffix.lower() in (".jpg", ".jpeg") else ".png"
    file = work_folder() / f"{Path(path).stem}_{way.target}{suffix}".replace(" ", "_").replace("/", "_")
    trip.full.save(file, quality=95)
    return file


@friendly
def _thumbnails(key: str | None, direction: str | None):
    pictures = _small_examples(key, direction)
    return gr.Gallery(pictures, visible=bool(pictures), selected_index=None)


def _small_examples(key: str | None, direction: str | None) -> list:
    pictures = []
    for path in choices.examples(choice := choices.choose(key), choice.way(direction)) if key else []:
        try:
            small = one_picture.on_white(open_image(path))
        except ImageError:
            continue
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        pictures.append(small)
    return pictures


@friendly
def _example(key: str, direction: str, chosen: gr.SelectData):
    choice = choices.choose(key)
    return one_picture.on_white(open_image(choices.examples(choice, choice.way(direction))[chosen.index]))


def add_endpoints() -> None:
    """/translate and /translators, for ``gradio_client`` and plain HTTP; described in docs/app.md."""
    with gr.Column(visible=False):
        file = gr.File(label="picture")
        key = gr.Textbox("", label="translator")
        direction = gr.Textbox("", label="direction")
        detail = gr.Textbox(one_picture.FITTED, label="detail")
        result, facts = gr.File(label="translated"), gr.JSON(label="facts")
        unseen = gr.Button()
    described = "Translates one picture. Returns the file of the result, which has its size, and facts about it."
    unseen.click(translate, [file, key, direction, detail], [result, facts], api_name="translate",
                 api_description=described, **WORK)  # fmt: skip
    gr.api(translators, api_name="translators", api_description="All translators with their directions.")


@friendly
def translate(picture: str, translator: str = "", direction: str = "", detail: str = one_picture.FITTED):
    """(file, facts) of one translated picture; empty texts mean the first translator and its first direction."""
    if not picture:
        raise ImageError("There is no picture to translate.")
    choice = choices.choose(translator or None)
    if direction and direction not in [way.label for way in choice.ways]:
        there = ", ".join(way.label for way in choice.ways)
        raise ImageError(f"{choice.key} does not know the direction {direction}. It knows: {there}.")
    if detail not in one_picture.DETAILS:
        raise ImageError(f"The detail is one of: {', '.join(one_picture.DETAILS)}.")
    way = choice.way(direction)
    trip = one_picture.travel(one_picture.read_picture(picture), choice, way, detail)
    facts = {"translator": choice.key, "direction": way.label, "seconds": round(trip.seconds, 3),
             "size": trip.size, "worked_at": trip.given.size, "cycle_error": trip.cycle_error}  # fmt: skip
    return str(_saved(trip, picture, way)), facts


def translators() -> list[dict]:
    """[{"key", "directions", "downloads"}]."""
    return [
        {"key": choice.key, "directions": [way.label for way in choice.ways], "downloads": not choice.here}
        for choice in choices.choices()
    ]
