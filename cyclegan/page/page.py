"""The page: what is chosen, above all tabs, and the tabs."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cyclegan.page import choices, one_picture, words
from cyclegan.page.endpoints import add_endpoints
from cyclegan.page.parts import LAST, direction_choice, friendly
from cyclegan.page.scripts import ABLE, ADDRESS, REMEMBERED, SWITCH
from cyclegan.page.tab_draw import draw_tab
from cyclegan.page.tab_files import files_tab
from cyclegan.page.tab_imagine import add_sample_endpoints, imagine_tab
from cyclegan.page.tab_translate import translate_tab
from cyclegan.page.tab_watch import watch_tab
from cyclegan.page.translating import left

SWEEP, OLD = 600, 3600  # seconds: how often, and how old, temporary files are removed
RESTS = 0.05, 0.1  # seconds between two looks at the queue, as gradio has them on Windows; else it takes 1 and 10 ms,
# which keeps a core busy by 7 % on a page that nobody looks at
WAITING = 100  # visitors in the queue, before the next one is told to come back later


def build() -> gr.Blocks:
    """The whole page, not launched yet."""
    Image.MAX_IMAGE_PIXELS = one_picture.MEGAPIXELS * 10**6  # for what gradio itself decodes
    with gr.Blocks(title="CycleGAN: translate pictures", analytics_enabled=False, delete_cache=(SWEEP, OLD)) as page:
        with gr.Row(elem_id="head"):
            gr.HTML(
                "<h1>Picture translator</h1><p>Turns one kind of picture into another, and back again. "
                "Two heaps of pictures are enough to learn it; matching pairs are not needed.</p>"
            )
            lights = gr.Button("◐", elem_id="lights", size="sm")
        lights.click(None, js=SWITCH, api_visibility="private")
        page.load(None, js=REMEMBERED, api_visibility="private")
        page.load(None, js=ABLE, api_visibility="private")
        key, direction, nothing = _chooser()
        with gr.Tabs() as tabs:
            with gr.Tab("Translate", id="translate"):
                begin, translate = translate_tab(key, direction)
            with gr.Tab("Draw", id="draw"):
                draw_tab(key)
            with gr.Tab("Files", id="files"):
                files_tab(key, direction)
            with gr.Tab("Imagine", id="imagine") as imagining:
                imagine_tab(imagining)
            with gr.Tab("Watch", id="watch") as watching:
                clock = watch_tab(watching)
            with gr.Tab("About", id="about"):
                sheet, about = _about(key.value)
        add_endpoints()
        add_sample_endpoints()
        hidden = {"api_visibility": "private", "show_progress": "hidden"}
        translate(begin(page.load).then(_refreshed, key, [key, direction, nothing], **hidden))
        translate(begin(key.input).then(_directions, [key, direction], direction, **LAST, **hidden))
        key.change(_told_about, key, [sheet, about], **hidden)
        gr.on([key.change, direction.change], None, [key, direction], js=ADDRESS, api_visibility="private")
        tabs.select(_clocked, None, clock, **hidden)
        page.unload(left)
    page.queue(max_size=WAITING, default_concurrency_limit=4)
    page._queue.sleep_when_free, page._queue.progress_update_sleep_when_free = RESTS
    return page


def _chooser():
    """What is translated into what: the translator and its direction."""
    found = choices.choices()
    first = found[0] if found else None
    with gr.Row():
        key = gr.Dropdown(
            [(choice.label, choice.key) for choice in found], value=first and first.key, label="Translator",
            elem_id="translator", filterable=False, min_width=290,
        )  # fmt: skip
        labels = [way.label for way in first.ways] if first else []
        direction = direction_choice(labels, label="Direction", elem_id="directions", min_width=290)
    nothing = gr.Markdown(words.NONE_HERE, visible=not any(choice.here for choice in found), elem_classes="note")
    return key, direction, nothing


def _about(key: str | None):
    picture = _sheet(key)
    shown = gr.Image(picture, visible=picture is not None, label="Results on test pictures, not chosen by hand",
                     elem_id="sheet", format="png", buttons=["fullscreen"])  # fmt: skip
    text = gr.Markdown(words.about(choices.choose(key)) if key else words.GENERAL, elem_classes="prose")
    return shown, text


def _sheet(key: str | None) -> Image.Image | None:
    file = choices.sheet(choices.choose(key)) if key else None
    return file and one_picture.shown(Image.open(file))


@friendly
def _refreshed(key: str | None, request: gr.Request):
    """When the page is opened: runs may have come and gone since the program started.

    What the address names is chosen, and what a quick visitor has chosen in the meantime stays.
    """
    found = choices.choices()
    named = request.query_params.get("translator")
    if found and key == found[0].key and named in [choice.key for choice in found]:
        labels = [(choice.label, choice.key) for choice in found]
        nothing = gr.Markdown(visible=not any(choice.here for choice in found))
        return gr.Dropdown(labels, value=named), _directions(named, request.query_params.get("direction")), nothing
    labels = [(choice.label, choice.key) for choice in found]
    nothing = gr.Markdown(visible=not any(choice.here for choice in found))
    if key in [choice.key for choice in found]:
        return gr.Dropdown(labels), gr.skip(), nothing
    first = found[0] if found else None
    radio = _directions(first.key, None) if first else gr.Radio([], value=None)
    return gr.Dropdown(labels, value=first and first.key), radio, nothing


@friendly
def _directions(key: str, direction: str | None):
    choice = choices.choose(key)
    return gr.Radio([way.label for way in choice.ways], value=choice.way(direction).label)


def _clocked(event: gr.SelectData):
    """The clock of "Watch" ticks while that tab is open, and no longer."""
    return gr.Timer(active=event.value == "Watch")


@friendly
def _told_about(key: str):
    picture = _sheet(key)
    return gr.Image(picture, visible=picture is not None), words.about(choices.choose(key))
