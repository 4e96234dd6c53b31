"""A drawing pad for mouse, pen and finger. It sends what is drawn whenever the pen rests.

gradio's own editor asks for a tool to be chosen before the first stroke, and fills a phone with its tool bars.
"""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cyclegan.page import strokes
from cyclegan.page.one_picture import on_white
from cyclegan.page.parts import friendly

SIDE = 512  # pixels of the canvas

_HTML = f"""
<canvas width="{SIDE}" height="{SIDE}" aria-label="Draw here with the mouse, a pen or a finger"></canvas>
<div class="tools">
  <button data-pen="8" title="Thin pen"><i style="width:6px;height:6px"></i></button>
  <button data-pen="14" class="on" title="Pen"><i style="width:10px;height:10px"></i></button>
  <button data-pen="24" title="Thick pen"><i style="width:16px;height:16px"></i></button>
  <button data-pen="-40" title="Eraser">Erase</button>
  <button data-do="undo" title="Take the last stroke back">Undo</button>
  <button data-do="clear" title="Begin anew">Clear</button>
  <button data-do="face" title="Draw a face">Face</button>
  <button data-do="hills" title="Draw hills by a lake">Hills</button>
</div>
"""

_CSS = (
    """
canvas { width: 100%; max-width: 512px; aspect-ratio: 1; display: block; margin: 0 auto; background: #fff;
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); cursor: crosshair;
  touch-action: none; }
"""
    + strokes.CSS
)

_JS = (
    """
const canvas = element.querySelector('canvas'), pen = canvas.getContext('2d', { willReadFrequently: true });
let width = 14;
const wipe = () => { pen.fillStyle = '#fff'; pen.fillRect(0, 0, canvas.width, canvas.height); };
const ink = (thick) => { pen.strokeStyle = thick < 0 ? '#fff' : '#000'; };
const path = (...points) => points.slice(1).forEach((to, i) => line(points[i], to, 7));
const curve = (x, y, radius, start, end) => {
  pen.strokeStyle = '#000'; pen.lineWidth = 14; pen.lineCap = 'round';
  pen.beginPath(); pen.arc(x, y, radius, start, end); pen.stroke();
};
const extra = (name) => {
  if (name === 'face') {
    curve(256, 256, 190, 0, 7); curve(190, 205, 14, 0, 7); curve(322, 205, 14, 0, 7); curve(256, 270, 95, .3, 2.84);
  }
  if (name === 'hills') {
    path([0, 300], [70, 250], [150, 150], [190, 110], [240, 165], [290, 230], [330, 200], [380, 140], [440, 210],
      [512, 260]);
    path([150, 150], [180, 180], [195, 160], [215, 190], [240, 165]);
    path([0, 330], [150, 318], [330, 326], [512, 316]);
    path([60, 400], [190, 396]); path([250, 420], [420, 414]); path([120, 450], [260, 446]);
    path([60, 325], [60, 270]); path([30, 300], [60, 215], [90, 300], [30, 300]); path([110, 322], [110, 285]);
    path([88, 300], [110, 240], [132, 300], [88, 300]); path([410, 322], [410, 280]);
    path([384, 295], [410, 220], [436, 295], [384, 295]);
  }
};
wipe();
"""
    + strokes.JS
)


def drawing_pad(elem_id: str) -> gr.HTML:
    """The pad; its event ``stroke`` carries {"drawing": a PNG as a data URL}."""
    return gr.HTML(html_template=_HTML, css_template=_CSS, js_on_load=_JS, elem_id=elem_id)


@friendly
def kept(event: gr.EventData) -> Image.Image | None:
    """The drawing of a ``stroke`` as an RGB picture, for a state; None for an empty canvas. Raises ``ImageError``."""
    picture = on_white(strokes.sent(event.drawing))
    picture.thumbnail((2 * SIDE, 2 * SIDE))
    return None if picture.convert("L").getextrema()[0] > 200 else picture
