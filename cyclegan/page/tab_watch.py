"""The tab "Watch": a run's samples and curves, renewed every few seconds while the tab is open."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from PIL import Image

from cyclegan.page import choices, one_picture, run_reader
from cyclegan.page.parts import LAST, friendly

EVERY = 5  # seconds
NO_RUNS = "No training has been started here yet. Start one in a terminal: `python -m cyclegan.train horse2zebra`"
PLOTS = (("Cycle and identity losses", "close"), ("Adversarial losses", "game"), ("Quality", "quality"))


def watch_tab(tab) -> gr.Timer:
    """Builds the tab; returns the clock that renews it, which is to tick only while the tab is open."""
    with gr.Row():
        run = gr.Dropdown(label="Run", elem_id="run", filterable=False, min_width=290)
        number = gr.Slider(1, 2, value=1, step=1, label="Sample (the last is the newest)", elem_id="number",
                           buttons=[], visible=False, min_width=290)  # fmt: skip
    said = gr.Markdown(NO_RUNS, elem_id="run-said", elem_classes="words")
    grid = gr.Image(label="Test pictures, translated there and back", elem_id="grid", interactive=False, format="png",
                    show_label=False, buttons=["download", "fullscreen"], visible=False)  # fmt: skip
    with gr.Row():
        plots = [_plot(title, name) for title, name in PLOTS]
    clock = gr.Timer(EVERY, active=False)
    mark, picked = gr.State(()), gr.State(False)
    quiet = {"api_visibility": "private", "show_progress": "hidden"}
    outputs = [run, number, said, grid, *plots, mark]
    newest = {"fn": _newest, "inputs": [run, number, mark, picked], "outputs": outputs, **quiet}
    gr.on([tab.select, clock.tick], trigger_mode="once", **newest)
    run.input(lambda: True, None, picked, **LAST, **quiet).then(**LAST, **newest)
    number.input(_sample, [run, number], grid, **LAST, **quiet)
    return clock


def _plot(title: str, name: str) -> gr.LinePlot:
    return gr.LinePlot(
        x="step", y="value", color="curve", title=title, y_title=" ", color_title=" ", show_label=False, height=320,
        min_width=300,
        visible=False, elem_id=name, buttons=["fullscreen"],
    )  # fmt: skip


@friendly
def _newest(name: str | None, number: int, mark: tuple, picked: bool):
    """The whole tab, or nothing where no file has changed; a sample that the visitor went back to stays.

    It follows the run that is being trained until the visitor has ``picked`` one.
    """
    folders = {folder.name: folder for folder in choices.run_folders()}
    if not folders:
        return gr.Dropdown([], value=None), gr.skip(), NO_RUNS, *[gr.skip()] * 4, ()
    alive = [each for each, folder in folders.items() if run_reader.is_alive(folder)]
    if name not in folders or (alive and name not in alive and not picked):
        name = next(iter([*alive, *folders]))
    folder = folders[name]
    there = run_reader.samples(folder)
    log = folder / "log.jsonl"
    now = (name, list(folders), len(there), log.stat().st_mtime if log.exists() else 0, name in alive)
    if now == mark:
        return [gr.skip()] * 8
    following = not mark or mark[0] != name or number >= mark[2]
    slider, grid = gr.skip(), gr.skip()
    if following:
        slider = gr.Slider(1, max(2, len(there)), value=max(1, len(there)), visible=len(there) > 1)
        grid = _sample(name, len(there))
    elif mark[2] != len(there):
        slider = gr.Slider(maximum=len(there))
    return gr.Dropdown(list(folders), value=name), slider, run_reader.state(folder), grid, *_plots(folder), now


def _plots(folder: Path) -> list:
    losses, metrics = run_reader.curves(folder)
    tables = [None, None, metrics]
    if losses is not None:
        close = losses["curve"].str.match("cycle|identity")
        tables[:2] = losses[close], losses[~close]
    return [gr.LinePlot(table, visible=table is not None and len(table) > 1) for table in tables]


@friendly
def _sample(name: str, number: int):
    there = run_reader.samples(choices.RUNS / Path(name).name)
    if not there:
        return gr.Image(visible=False)
    sample = there[min(number, len(there)) - 1]
    label = f"After {run_reader.step_of(sample):,} steps: test pictures, translated there and back"
    return gr.Image(one_picture.shown(Image.open(sample)), label=label, visible=True)
