"""What the drawing pad and the brush share: strokes of mouse, pen or finger on a canvas, sent when they rest."""

from __future__ import annotations

import base64
import binascii

from PIL import Image

from cyclegan.data.images import open_image
from cyclegan.system.errors import ImageError

LONGEST = 3_000_000  # characters of a drawing on its way here; a full canvas takes some 100,000
PREFIX = "data:image/png;base64,"

CSS = """
.tools { display: flex; flex-wrap: wrap; gap: 6px; justify-content: center; margin-top: 10px; }
.tools button { min-width: 40px; height: 40px; padding: 0 9px; border-radius: var(--radius-md); cursor: pointer;
  border: 1px solid var(--border-color-primary); background: var(--background-fill-primary);
  color: var(--body-text-color); font-size: .92rem; display: inline-flex; align-items: center;
  justify-content: center; }
.tools button.on { border-color: var(--color-accent); box-shadow: inset 0 0 0 1px var(--color-accent); }
.tools i { display: inline-block; border-radius: 50%; background: currentColor; }
"""

# Whoever uses it says before: canvas, pen (its context), width, wipe(), ink(thick) and extra(name) for buttons of its
# own. The event "stroke" carries the canvas as a data URL.
JS = """
const REST = 450;  // milliseconds without a movement
let down = null, timer = null;
const past = [];
const keep = () => {
  past.push(pen.getImageData(0, 0, canvas.width, canvas.height));
  if (past.length > 30) past.shift();
};
const later = () => { clearTimeout(timer); timer = setTimeout(send, REST); };
const send = () => trigger('stroke', { drawing: canvas.toDataURL('image/png') });
const place = (event) => {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
};
const line = (from, to, thick = width) => {
  ink(thick); pen.lineWidth = Math.abs(thick);
  pen.lineCap = pen.lineJoin = 'round';
  pen.beginPath(); pen.moveTo(...from); pen.lineTo(...to); pen.stroke();
};
canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  event.preventDefault(); canvas.setPointerCapture(event.pointerId);
  keep(); down = place(event); line(down, down); later();
});
canvas.addEventListener('pointermove', (event) => {
  if (!down) return;
  for (const each of event.getCoalescedEvents?.() ?? [event]) { const to = place(each); line(down, to); down = to; }
  later();
});
for (const end of ['pointerup', 'pointercancel'])
  canvas.addEventListener(end, () => { if (down) { down = null; later(); } });
element.querySelector('.tools').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.pen) {
    width = Number(button.dataset.pen);
    element.querySelectorAll('.tools .on').forEach((other) => other.classList.remove('on'));
    button.classList.add('on');
    return;
  }
  if (button.dataset.do === 'undo') { const last = past.pop(); if (last) pen.putImageData(last, 0, 0); }
  else { keep(); wipe(); }
  extra(button.dataset.do);
  later();
});
"""


def sent(drawing) -> Image.Image:
    """The canvas of an event, with its transparency. Raises ``ImageError``."""
    if not isinstance(drawing, str) or not drawing.startswith(PREFIX) or len(drawing) > LONGEST:
        raise ImageError("that is not a drawing of this page")
    try:
        return open_image(base64.b64decode(drawing[len(PREFIX) :], validate=True))
    except binascii.Error as error:
        raise ImageError("that is not a drawing of this page") from error
