"""Colours to click on, for translators that are told which to paint in; the names can be typed as well."""

from __future__ import annotations

import gradio as gr

from cyclegan.page import choices, colours, one_picture
from cyclegan.page.parts import picture

NAMES = ("red", "orange", "gold", "olive", "yellowgreen", "teal", "skyblue", "royalblue", "purple", "pink", "brown",
         "grey", "black")  # fmt: skip

_HTML = f"""
<div class="head" id="swatch-label">Colours</div>
<div class="row" role="group" aria-labelledby="swatch-label">
  {
    "".join(
        f'<button type="button" class="dot" data-colour="{name}" aria-label="{name}" aria-pressed="false" '
        f'title="{name}" style="background:{name}"></button>'
        for name in NAMES
    )
}
  <label class="own" title="Another colour"><input type="color" value="#3355aa" aria-label="Another colour">+</label>
  <button type="button" class="word" data-do="chance">Surprise me</button>
  <button type="button" class="word" data-do="clear">Clear</button>
</div>
<input class="text" type="text" maxlength="240" spellcheck="false" aria-label="Colours, separated by commas"
  placeholder="as is typical; or: red, #ff8800, 7">
"""

_CSS = """
.head { font-size: var(--block-title-text-size); color: var(--block-title-text-color); margin-bottom: 8px; }
.row { display: flex; flex-wrap: wrap; gap: 7px; align-items: center; }
.row > * { margin: 0; flex: none; }
.dot { width: 32px; height: 32px; border-radius: 50%; cursor: pointer; padding: 0;
  border: 1px solid var(--border-color-primary); box-shadow: none; }
.dot[aria-pressed=true] { box-shadow: 0 0 0 2px var(--block-background-fill), 0 0 0 4px var(--color-accent); }
.own { width: 32px; height: 32px; border-radius: 50%; cursor: pointer; display: inline-flex; align-items: center;
  justify-content: center; border: 1px dashed var(--body-text-color-subdued); position: relative; overflow: hidden;
  color: var(--body-text-color); }
.own input { position: absolute; inset: 0; opacity: 0; cursor: pointer; width: 100%; height: 100%; }
.own:focus-within { outline: 2px solid var(--color-accent); }
.word { height: 32px; padding: 0 12px; border-radius: 16px; cursor: pointer; font-size: .9rem;
  border: 1px solid var(--border-color-primary); background: var(--button-secondary-background-fill);
  color: var(--body-text-color); }
.text { width: 100%; margin-top: 10px; padding: 7px 10px; border-radius: var(--radius-md); font-size: .95rem;
  border: 1px solid var(--input-border-color); background: var(--input-background-fill);
  color: var(--body-text-color); }
"""

_JS = """
const text = element.querySelector('.text'), dots = [...element.querySelectorAll('.dot')];
const chosen = () => (props.value || '').split(',').map(part => part.trim()).filter(Boolean);
const show = () => {
  const now = chosen();
  text.value = now.join(', ');
  dots.forEach(dot => dot.setAttribute('aria-pressed', now.includes(dot.dataset.colour)));
};
const choose = (parts) => { props.value = parts.join(', '); show(); trigger('input'); };
const colours = () => chosen().filter(part => !/^[0-9]+$/.test(part));  // a number is a whole palette by itself
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const name = button.dataset.colour, now = colours();
  if (name) choose(now.includes(name) ? now.filter(part => part !== name) : [...now, name]);
  else choose(button.dataset.do === 'clear' ? [] : [1 + Math.floor(Math.random() * 63)]);
});
element.querySelector('.own input').addEventListener('change', (event) => choose([...colours(), event.target.value]));
text.addEventListener('change', () => choose(text.value.split(',').map(part => part.trim()).filter(Boolean)));
watch('value', show);
show();
"""


def swatches(name: str) -> gr.HTML:
    """The colours; its value is text as ``colours.read_colours`` takes it, and its event is ``input``."""
    return gr.HTML("", html_template=_HTML, css_template=_CSS, js_on_load=_JS, elem_id=name,
                   container=True)  # fmt: skip


def colour_panel(name: str, visible: bool = False):
    """(column, swatches, picture): for directions that ``colours.paints``; the picture's colours are used as well."""
    with gr.Column(visible=visible, elem_id=f"{name}-panel") as panel:
        wanted = swatches(name)
        with gr.Accordion("Colours from a picture", open=False, elem_id=f"{name}-from"):
            like = picture(label="Its colours, not what it shows", sources=["upload"], height=150, buttons=[],
                           elem_id=f"{name}-like", placeholder="# Drop a picture here")  # fmt: skip
    return panel, wanted, like


def painted(key: str | None, direction: str | None) -> bool:
    """Whether the colours of the chosen direction can be chosen too."""
    return bool(key) and colours.paints(choice := choices.choose(key), choice.way(direction))


def palette(choice: choices.Choice, way: choices.Way, text: str | None, like: str | None):
    """(palette, words) of what a panel holds; (None, "") where that direction has no choice of colours."""
    if not colours.paints(choice, way):
        return None, ""
    given = one_picture.read_picture(like) if like else None
    return colours.read_colours(text, given), colours.described(text, given)
