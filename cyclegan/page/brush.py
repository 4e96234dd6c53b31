"""A brush: what is painted of a picture is what is to change. The rest keeps its pixels."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cyclegan.page import strokes
from cyclegan.page.parts import friendly

# A picture's path and, in mode L, the mask that was painted on it: it counts for no other picture.
Painted = tuple[str, Image.Image] | None
SIDE = 512  # pixels of the longer side of the canvas

_HTML = """
<p class="hint">Your picture appears here as soon as it is translated once.</p>
<div class="sheet" hidden>
  <img alt="Your picture">
  <canvas aria-label="Paint here with the mouse, a pen or a finger where the picture is to change"></canvas>
</div>
<div class="tools">
  <button data-pen="20" title="Thin brush"><i style="width:6px;height:6px"></i></button>
  <button data-pen="50" class="on" title="Brush"><i style="width:11px;height:11px"></i></button>
  <button data-pen="110" title="Thick brush"><i style="width:18px;height:18px"></i></button>
  <button data-pen="-60" title="Eraser">Erase</button>
  <button data-do="undo" title="Take the last stroke back">Undo</button>
  <button data-do="clear" title="Change everything again">Clear</button>
</div>
"""

_CSS = (
    """
.sheet { position: relative; width: min(100%, 380px * var(--ratio)); margin: 0 auto; }
.sheet img { display: block; width: 100%; margin: 0; border-radius: var(--radius-md); }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; opacity: .6; cursor: crosshair; touch-action: none; }
.hint { color: var(--body-text-color-subdued); }
"""
    + strokes.CSS
)

# The picture is the left one of the result. It comes anew with each result; what is painted goes when it is another.
_JS = (
    """
const canvas = element.querySelector('canvas'), pen = canvas.getContext('2d', { willReadFrequently: true });
const under = element.querySelector('img'), sheet = element.querySelector('.sheet');
const hint = element.querySelector('.hint');
let width = 50, known = null, former = null;
const wipe = () => pen.clearRect(0, 0, canvas.width, canvas.height);
const ink = (thick) => {
  pen.globalCompositeOperation = thick < 0 ? 'destination-out' : 'source-over'; pen.strokeStyle = '#139484';
};
const extra = () => {};
const look = () => {
  const small = new OffscreenCanvas(16, 16).getContext('2d');
  small.drawImage(under, 0, 0, 16, 16);
  return small.getImageData(0, 0, 16, 16).data;
};
under.addEventListener('load', () => {
  hint.hidden = true;
  sheet.hidden = false;
  sheet.style.setProperty('--ratio', under.naturalWidth / under.naturalHeight);
  const seen = look(), before = known;
  known = seen;
  if (before && seen.reduce((sum, value, i) => sum + Math.abs(value - before[i]), 0) < 6 * seen.length) return;
  const scale = SIDE / Math.max(under.naturalWidth, under.naturalHeight);
  canvas.width = Math.max(1, Math.round(scale * under.naturalWidth));
  canvas.height = Math.max(1, Math.round(scale * under.naturalHeight));
  past.length = 0;
});
const follow = () => {
  const seen = document.querySelector('#result img');
  if (seen && seen.src !== former && seen.src !== under.src) { former = null; under.src = seen.src; }
};
// What is painted belongs to the picture that was uploaded or chosen last: until it is here, there is none to paint on.
document.addEventListener('arriving', () => {
  former = under.src;
  under.removeAttribute('src');
  hint.hidden = false;
  sheet.hidden = true;
});
document.addEventListener('answered', () => { former = null; follow(); });
new MutationObserver(follow).observe(document.querySelector('#both'), {
  subtree: true, childList: true, attributes: true, attributeFilter: ['src'] });
follow();
""".replace("SIDE", str(SIDE))
    + strokes.JS
)


def brush(elem_id: str) -> gr.HTML:
    """The brush over the picture in ``#result``; its event ``stroke`` carries {"drawing": a PNG as a data URL}."""
    return gr.HTML(html_template=_HTML, css_template=_CSS, js_on_load=_JS, elem_id=elem_id)


@friendly
def painted(given: str | None, example: str, event: gr.EventData) -> Painted:
    """What the brush has painted, and on which picture; None where nothing is painted."""
    canvas = strokes.sent(event.drawing)
    mask = canvas.getchannel("A") if canvas.mode == "RGBA" else None
    return (given or example, mask) if mask and mask.getbbox() else None
