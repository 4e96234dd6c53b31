"""The tab "Files": many pictures or a video in, a zip or a video out, with progress and Stop."""

from __future__ import annotations

import threading
from pathlib import Path

import gradio as gr

from cyclegan.data.finding import SUFFIXES
from cyclegan.page import choices, many_files, one_picture, swatches, words
from cyclegan.page.background import Stopped
from cyclegan.page.parts import SORRY, sentence, work_folder
from cyclegan.page.swatches import colour_panel
from cyclegan.translate.jobs import VIDEOS

PREVIEWS = 12
_stops: dict[str, threading.Event] = {}  # of the running job of each visitor, by session


def files_tab(key, direction) -> None:
    videos = many_files.videos_work()
    kinds = sorted(SUFFIXES) + [".zip"] + (sorted(VIDEOS) if videos else [])
    film = f" or a video of up to {many_files.VIDEO_SECONDS} seconds" if videos else ""
    with gr.Row():
        with gr.Column():
            files = gr.File(label="Your files", file_count="multiple", file_types=kinds, height=220, elem_id="files")
            gr.Markdown(f"Up to {many_files.PICTURES} pictures, a zip of them{film}.", elem_classes="note")
            panel, wanted, like = colour_panel("files-colours", swatches.painted(key.value, direction.value))
            detail = gr.Radio(one_picture.DETAILS, value=one_picture.FITTED, label="Detail")
            with gr.Row():
                go = gr.Button("Translate all", variant="primary", elem_id="go-all")
                halt = gr.Button("Stop", elem_id="halt", interactive=False)
        with gr.Column():
            said = gr.Markdown("The results appear here, to look at and to download.", elem_classes="words",
                               elem_id="files-said")  # fmt: skip
            take = gr.DownloadButton("Download", visible=False, elem_id="take-all", variant="primary")
            seen = gr.Gallery(label="Results", columns=3, visible=False, elem_id="seen", object_fit="contain")
            film = gr.Video(label="Result", visible=False, elem_id="film", interactive=False)
    outputs = [said, take, seen, film, go, halt]
    inputs = [files, key, direction, detail, wanted, like]
    go.click(_translated, inputs, outputs, concurrency_id="files", concurrency_limit=1,
             api_visibility="private", show_progress="minimal", show_progress_on=said, trigger_mode="once")  # fmt: skip
    gr.on([key.change, direction.change], _offered, [key, direction], panel, api_visibility="private",
          show_progress="hidden")  # fmt: skip
    halt.click(_halted, None, said, queue=False, api_visibility="private", show_progress="hidden")


def _offered(key: str | None, direction: str | None):
    """The choice of colours, where that direction has one."""
    return gr.Column(visible=swatches.painted(key, direction))


def _halted(request: gr.Request) -> str:
    if stop := _stops.get(request.session_hash):
        stop.set()
    return "Stopping …"


def _idle(said: str):
    off = gr.DownloadButton(visible=False)
    return said, off, gr.Gallery(visible=False), gr.Video(visible=False), gr.Button(interactive=True), gr.Button(
        interactive=False)  # fmt: skip


def _busy(said: str):
    same = gr.skip()
    return said, same, same, same, gr.Button(interactive=False), gr.Button(interactive=True)


def _translated(files: list[str] | None, key: str | None, direction: str | None, detail: str, text: str,
                like: str | None, request: gr.Request):  # fmt: skip
    """Yields the state of the whole tab; ends in a usable one whatever happens, which an exception would not."""
    if not files:
        yield _idle("**There are no files yet.** Choose some on the left, or drop them there.")
        return
    stop = _stops[request.session_hash] = threading.Event()
    work, kept = work_folder(), []
    try:
        choice = choices.choose(key)
        way = choice.way(direction)
        palette, _ = swatches.palette(choice, way, text, like)
        yield _busy("Getting ready …")
        for report in many_files.translate_files(files, way, detail, work, stop, palette):
            if not (report and report.file):
                yield _busy(_progress(report) if report else "Getting ready …")
                continue
            pictures, videos = _sorted(report)
            kept = [report.file, *pictures, *videos]
            yield _finished(report, pictures, videos)
    except Stopped:
        yield _idle("Stopped before the first one was finished.")
    except Exception as error:
        yield _idle(f"**{SORRY}.** {sentence(error)}")
    finally:  # also where the visitor has left
        stop.set()
        _stops.pop(request.session_hash, None)
        for file in work.rglob("*"):  # the rest goes when it is old
            if file.is_file() and file not in kept:
                file.unlink()


def _sorted(report: many_files.Report) -> tuple[list[Path], list[Path]]:
    """The pictures and the videos among the results that are shown."""
    pictures = [path for path in report.results if path.suffix.lower() not in VIDEOS]
    return pictures[:PREVIEWS], [path for path in report.results if path.suffix.lower() in VIDEOS][:1]


def _progress(report: many_files.Report) -> str:
    if not report.total:
        return f"**{report.done}** done …"
    return f"**{report.done} of {report.total}**  `{words.bar(report.done / report.total)}`"


def _finished(report: many_files.Report, pictures: list[Path], videos: list[Path]):
    said = f"**Done:** {len(report.results)} translated."
    if report.stopped:
        said = f"**Stopped:** {len(report.results)} of {report.total} were finished, and are kept."
    if len(report.results) > len(pictures) + len(videos):
        said += " The first ones are shown; the download has them all."
    if report.left_out:
        said += "\n\nLeft out:\n" + "\n".join(f"- {reason}" for reason in report.left_out)
    name = "the zip" if report.file.suffix == ".zip" else Path(report.file).name
    return (
        said,
        gr.DownloadButton(f"Download {name}", value=str(report.file), visible=True),
        gr.Gallery([str(path) for path in pictures], visible=bool(pictures)),
        gr.Video(str(videos[0]) if videos else None, visible=bool(videos)),
        gr.Button(interactive=True),
        gr.Button(interactive=False),
    )
