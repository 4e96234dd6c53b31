"""The tab "Imagine": pictures from noise, walks between two of them, mixtures; and the same as an endpoint."""

from __future__ import annotations

import random

import gradio as gr

from cyclegan.data.contact_sheet import grid
from cyclegan.page import generators
from cyclegan.page.parts import EACH, LAST, WORK, friendly, work_folder
from cyclegan.page.solid_panel import solid_panel

NONE_HERE = """
### No generator on this machine yet
A generator makes pictures from nothing but a number. Train one; it appears here with its first checkpoint:

`python -m cyclegan.train mnist --model gan`
"""
HINT = "Click a picture, then another: the slider walks from the one to the other."
FIRST = (0, 1)  # the pictures between which the slider walks at first


def imagine_tab(tab) -> None:
    """Builds the tab; it looks for new generators whenever it is opened."""
    found = generators.makers()
    nothing = gr.Markdown(NONE_HERE, visible=not found, elem_classes="note", elem_id="no-generators")
    with gr.Column(visible=bool(found)) as all_:
        with gr.Row():
            key = gr.Dropdown(_labels(found), value=found[0].key if found else None, label="Generator",
                              elem_id="generator", filterable=False, min_width=290)  # fmt: skip
            number = gr.Slider(4, generators.MOST, 16, step=1, label="Pictures", elem_id="count", buttons=[])
        with gr.Row():
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, info="The same one makes the same.",
                             maximum=generators.LARGEST_SEED, elem_id="seed", min_width=160)  # fmt: skip
            truncation = gr.Slider(0, 1, 1, step=0.05, label="Variety", info="Less: more alike, and better on average.",
                                   elem_id="truncation", min_width=240, buttons=[])  # fmt: skip
            other = gr.Button("Others", variant="primary", elem_id="others", min_width=120, scale=0)
        shown = gr.Gallery(label="Made from noise", columns=8, height="auto", allow_preview=False, elem_id="imagined",
                           interactive=False, format="png", buttons=[], object_fit="contain")  # fmt: skip
        said = gr.Markdown(HINT, elem_id="walk-said", elem_classes="words")
        with gr.Row(elem_id="walk"):
            start, between, end = (
                gr.Image(label=label, elem_id=f"walk-{name}", interactive=False, format="png", height=170, min_width=80,
                         buttons=[])
                for name, label in (("start", "From"), ("between", "Between"), ("end", "To"))
            )  # fmt: skip
        share = gr.Slider(0, 100, 50, step=2, label="How far, in percent", elem_id="share", buttons=[])
        with gr.Column(visible=False) as mixing:
            at = gr.Slider(1, 9, 3, step=1, label="Styles change at layer", elem_id="mix-at", buttons=[],
                           info="Rows give shapes (layers before), columns colours and detail (layers from here on).",
                           )  # fmt: skip
            board = gr.Image(label="Mixing board", elem_id="board", interactive=False, format="png",
                             buttons=["download", "fullscreen"])  # fmt: skip
        ends = gr.State(FIRST)
        solids = solid_panel([key, seed, truncation], ends)
    _connect(tab, {"key": key, "number": number, "seed": seed, "truncation": truncation, "other": other,
                   "shown": shown, "said": said, "walk": [start, between, end], "share": share, "mixing": mixing,
                   "at": at, "board": board, "ends": ends, "nothing": nothing, "all": all_,
                   "solids": solids})  # fmt: skip


def _connect(tab, ui: dict) -> None:
    """What follows from what."""
    quiet = {"api_visibility": "private", "show_progress": "hidden"}
    work = {"api_visibility": "private", **WORK}
    drawn = [ui["key"], ui["seed"], ui["truncation"]]
    made = [ui["shown"], ui["ends"], ui["said"], *ui["walk"], ui["mixing"], ui["at"], ui["board"]]
    inputs = [*drawn, ui["number"], ui["share"], ui["at"]]
    opened = tab.select(_opened, ui["key"], [ui["key"], ui["nothing"], ui["all"]], **quiet)
    ui["other"].click(lambda: random.randrange(10_000), None, ui["seed"], **quiet)
    again = [ui["key"].change, ui["seed"].change, ui["truncation"].release, ui["number"].release]
    remade = gr.on(again, _made, inputs, made, show_progress="minimal", **LAST, **work)
    first = opened.then(_made_first, [ui["shown"], *inputs], made, show_progress="minimal", **LAST, **work)
    way, walked = [*drawn, ui["share"], ui["ends"]], [ui["ends"], ui["said"], *ui["walk"]]
    chosen = ui["shown"].select(_chosen, way, walked, show_progress="hidden", **EACH, **work)
    ui["share"].input(_walked, way, ui["walk"], show_progress="hidden", **LAST, **work)
    ui["at"].input(_board, [*drawn, ui["at"]], ui["board"], show_progress="minimal", **LAST, **work)
    for event in (remade, first, chosen):
        ui["solids"](event)


def _labels(found: list[generators.Maker]) -> list[tuple[str, str]]:
    return [(maker.label, maker.key) for maker in found]


@friendly
def _opened(key: str | None):
    found = generators.makers()
    rest = gr.Markdown(visible=not found), gr.Column(visible=bool(found))
    if key in [maker.key for maker in found]:
        return gr.Dropdown(_labels(found)), *rest  # what a quick visitor has chosen in the meantime stays
    return gr.Dropdown(_labels(found), value=found[0].key if found else None), *rest


@friendly
def _made_first(shown, key: str | None, *rest):
    """When the tab is opened: pictures, unless there are some already."""
    return [gr.skip()] * 9 if shown or not key else _made(key, *rest)


@friendly
def _made(key: str, seed: float, truncation: float, number: float, share: float, at: float):
    maker = generators.choose(key)
    seed = int(seed or 0)
    pictures = generators.pictures(maker, int(number), seed, truncation)
    styles = generators.layers(maker)
    at = max(1, min(int(at), styles - 1))
    slider = gr.Slider(1, max(2, styles - 1), value=at) if styles else gr.skip()
    board = generators.board(maker, seed, truncation, at) if styles else None
    walk = generators.walk(maker, seed, truncation, FIRST, share / 100)
    group = gr.Column(visible=bool(styles))
    return gr.Gallery(pictures, selected_index=None), FIRST, _way(FIRST), *walk, group, slider, board


@friendly
def _chosen(key: str, seed: float, truncation: float, share: float, ends, event: gr.SelectData):
    """The picture clicked last is where the walk ends, the one before where it begins."""
    ends = (ends[1], event.index)
    return ends, _way(ends), *_walked(key, seed, truncation, share, ends)


@friendly
def _walked(key: str, seed: float, truncation: float, share: float, ends):
    return generators.walk(generators.choose(key), int(seed or 0), truncation, ends, share / 100)


@friendly
def _board(key: str, seed: float, truncation: float, at: float):
    return generators.board(generators.choose(key), int(seed or 0), truncation, int(at))


def _way(ends) -> str:
    return f"A walk from picture {ends[0] + 1} to picture {ends[1] + 1}. {HINT}"


def add_sample_endpoints() -> None:
    """/sample and /generators, for ``gradio_client`` and plain HTTP; described in docs/app.md."""
    with gr.Column(visible=False):
        key = gr.Textbox("", label="generator")
        count, seed = gr.Number(16, label="count", precision=0), gr.Number(0, label="seed", precision=0)
        truncation = gr.Number(1.0, label="truncation")
        result, facts = gr.File(label="sheet"), gr.JSON(label="facts")
        unseen = gr.Button()
    described = "Makes pictures from noise. Returns one sheet of them as a PNG file, and facts about it."
    unseen.click(sample, [key, count, seed, truncation], [result, facts], api_name="sample",
                 api_description=described, **WORK)  # fmt: skip
    gr.api(list_generators, api_name="generators", api_description="All generators of pictures from noise.")


@friendly
def sample(generator: str = "", count: int = 16, seed: int = 0, truncation: float = 1.0):
    """(file, facts) of a sheet of pictures; an empty text means the first generator."""
    maker = generators.choose(generator or None)
    pictures = generators.pictures(maker, int(count), int(seed), float(truncation))
    file = work_folder() / f"{maker.key.replace('/', '_')}_{int(seed)}.png"
    grid(pictures).save(file)
    return str(file), {"generator": maker.key, "count": len(pictures), "seed": int(seed), "truncation": truncation}


def list_generators() -> list[dict]:
    """[{"key", "label", "mixes", "solid"}]."""
    return [
        {"key": maker.key, "label": maker.label, "mixes": maker.mixes, "solid": maker.solid}
        for maker in generators.makers()
    ]
