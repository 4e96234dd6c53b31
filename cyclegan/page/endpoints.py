"""/translate and /translators, for ``gradio_client`` and plain HTTP; described in docs/app.md."""

from __future__ import annotations

import gradio as gr

from cyclegan.page import choices, colours, one_picture
from cyclegan.page.parts import WORK, friendly, save_result
from cyclegan.system.errors import ImageError


def add_endpoints() -> None:
    with gr.Column(visible=False):
        file = gr.File(label="picture")
        key = gr.Textbox("", label="translator")
        direction = gr.Textbox("", label="direction")
        detail = gr.Textbox(one_picture.FITTED, label="detail")
        palette = gr.Textbox("", label="palette")
        mask = gr.File(label="mask")
        result, facts = gr.File(label="translated"), gr.JSON(label="facts")
        unseen = gr.Button()
    described = "Translates one picture. Returns the file of the result, which has its size, and facts about it."
    unseen.click(translate, [file, key, direction, detail, palette, mask], [result, facts], api_name="translate",
                 api_description=described, **WORK)  # fmt: skip
    gr.api(translators, api_name="translators", api_description="All translators with their directions.")


@friendly
def translate(
    picture: str,
    translator: str = "",
    direction: str = "",
    detail: str = one_picture.FITTED,
    palette: str = "",
    mask: str | None = None,
):
    """(file, facts) of one translated picture; empty texts mean the first translator and its first direction.

    ``palette`` is text as ``colours.read_colours`` takes it, for translators whose colours can be chosen; ``mask`` the
    file of a picture that is white where the other one is to change.
    """
    if not picture:
        raise ImageError("There is no picture to translate.")
    choice = choices.choose(translator or None)
    if direction and direction not in [way.label for way in choice.ways]:
        there = ", ".join(way.label for way in choice.ways)
        raise ImageError(f"{choice.key} does not know the direction {direction}. It knows: {there}.")
    if detail not in one_picture.DETAILS:
        raise ImageError(f"The detail is one of: {', '.join(one_picture.DETAILS)}.")
    way, wanted = choice.way(direction), colours.read_colours(palette)
    if wanted is not None and not colours.paints(choice, way):
        raise ImageError(f"The colours of {way.label} by {choice.key} cannot be chosen.")
    inside = one_picture.read_picture(mask).convert("L") if mask else None
    trip = one_picture.travel(one_picture.read_picture(picture), choice, way, detail, wanted, mask=inside)
    facts = {"translator": choice.key, "direction": way.label, "seconds": round(trip.seconds, 3),
             "size": trip.full.size, "worked_at": trip.worked_at, "cycle_error": trip.cycle_error}  # fmt: skip
    return str(save_result(trip.full, picture, way)), facts


def translators() -> list[dict]:
    """[{"key", "directions", "colours", "downloads"}]; "colours" are the directions that take a palette."""
    return [
        {"key": choice.key, "directions": [way.label for way in choice.ways],
         "colours": [way.label for way in choice.ways if colours.paints(choice, way)],
         "downloads": not choice.here}
        for choice in choices.choices()
    ]  # fmt: skip
