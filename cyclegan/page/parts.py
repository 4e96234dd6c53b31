"""What several tabs need: gradio's components with our bounds, messages instead of tracebacks, files to take away."""

from __future__ import annotations

import contextlib
import functools
import inspect
import shutil
import tempfile
import time
import traceback
from abc import ABCMeta
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from cyclegan.page.choices import Way, choices
from cyclegan.system.download import NotFetched
from cyclegan.system.errors import UserError

SORRY = "That did not work"
MADE = "made-"
WORK = {"concurrency_id": "pictures", "concurrency_limit": 2}  # two at once; the others wait in the order they came
# Without one of these, gradio drops what a visitor does while the answer to the same thing before is on its way. LAST
# does it afterwards, once, but with what the first event carried; so where events carry something, EACH is done.
LAST, EACH = {"trigger_mode": "always_last"}, {"trigger_mode": "multiple"}


def _component(base: Any, name: str, preprocess: Callable[..., Any]) -> Any:
    """``base`` with other preprocessing.

    A class, for gradio makes a component anew after each event that has it among its outputs; and past gradio's
    metaclass, which would write a stub file beside this one. A "template" is drawn in the browser as what it is made
    from.
    """
    return ABCMeta.__new__(type(base), name, (base,), {"is_template": True, "preprocess": preprocess})


_PictureFile = _component(gr.Image, "PictureFile", lambda self, payload: payload.path if payload else None)
_Direction = _component(gr.Radio, "Direction", lambda self, payload: payload)


def picture(**options) -> gr.Image:
    """A ``gr.Image`` that hands over the file: gradio would open it before anybody could say what is wrong with it."""
    return _PictureFile(type="filepath", image_mode=None, format="png", **options)


def direction_choice(labels: list[str], **options) -> gr.Radio:
    """A ``gr.Radio`` of directions that hands over any label, for ``Choice.way`` knows what to do with it.

    Where a visitor chooses one translator and at once another, the label of the first may arrive after its directions
    are gone: gradio would refuse it, and drop what was to follow, the examples and colours of the second.
    """
    return _Direction(labels, value=labels[0] if labels else None, **options)


def friendly(function):
    """``function``, whose errors appear as one sentence on the page, which stays alive."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def steps(*arguments, **named):
            try:
                yield from function(*arguments, **named)
            except Exception as error:
                raise _told(error) from error

        return steps

    @functools.wraps(function)
    def step(*arguments, **named):
        try:
            return function(*arguments, **named)
        except Exception as error:
            raise _told(error) from error

    return step


def work_folder() -> Path:
    """A new folder below gradio's own temporary one, so that gradio hands out what lies in it; see ``sweep``."""
    parent = Path(get_upload_folder())
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=MADE, dir=parent))


def save_result(picture: Image.Image, source: str, way: Way) -> Path:
    """``picture`` in a file to take away, named after ``source`` and what it became: a JPEG for a JPEG, else a PNG."""
    suffix = ".jpg" if Path(source).suffix.lower() in (".jpg", ".jpeg") else ".png"
    file = work_folder() / f"{Path(source).stem}_{way.target}{suffix}".replace(" ", "_").replace("/", "_")
    picture.save(file, quality=95)
    return file


def sweep(old: float) -> None:
    """Removes the work folders in which nothing has changed for ``old`` seconds; gradio sees to its own files."""
    for folder in Path(get_upload_folder()).glob(f"{MADE}*"):
        with contextlib.suppress(OSError):  # a file vanished while we looked
            if time.time() - max(path.stat().st_mtime for path in (folder, *folder.rglob("*"))) > old:
                shutil.rmtree(folder)


def sweep_forever(every: float, old: float) -> None:
    """``sweep`` for a thread of its own."""
    while True:
        time.sleep(every)
        sweep(old)


def sentence(error: Exception) -> str:
    """What a visitor is told about ``error``; what nobody foresaw goes to the program's log."""
    if isinstance(error, gr.Error):
        return error.message
    if isinstance(error, UserError):
        if isinstance(error.__cause__, NotFetched):
            return _unreached()
        text = str(error)
        starts_with_a_word = text.split()[0].isalpha()  # and not with a file's name
        return text[0].upper() + text[1:] if starts_with_a_word else text
    traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return "This picture needs more memory than this machine has. Please scale it down and try again."
    return "Something went wrong on this machine; the log of the program says what. Another picture may work."


def _unreached() -> str:
    """Where weights could not be downloaded: what works all the same."""
    ready = [choice.key for choice in choices() if choice.here]
    works = f" These work without: {', '.join(ready)}." if ready else ""
    return f"This translator must be downloaded first, and its server could not be reached.{works}"


def _told(error: Exception) -> gr.Error:
    return gr.Error(sentence(error), title=SORRY, duration=12, print_exception=False)
