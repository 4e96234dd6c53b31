"""An evaluation as one HTML file that opens without a server, in the light and in the dark, on a telephone too."""

import base64
from html import escape
from io import BytesIO

from PIL import Image

from cyclegan.evaluate.report import legend, notes_on, protocol_lines, table

Sheets = dict[tuple[str, str], dict[str, list[list[Image.Image]]]]  # (direction, row's name) → group → rows

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2028; --faint: #626878; --paper: #fff; --line: #d9dce4; --band: #f3f5f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ef; --faint: #9aa1b2; --paper: #14161b; --line: #333845; --band: #1e222b }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: var(--paper); color: var(--ink);
       font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin-bottom: .25rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
th, td { padding: .4rem .75rem; text-align: right; border-bottom: 1px solid var(--line) }
th, td { white-space: nowrap } th { vertical-align: bottom; font-weight: 600 }
th:first-child, td:first-child { text-align: left; padding-left: .25rem; min-width: 8rem; white-space: normal;
                                 overflow-wrap: anywhere; position: sticky; left: 0; background: var(--paper) }
tr.control td { color: var(--faint) }
ul, dl, p.note { color: var(--faint); font-size: .9rem } dt { font-weight: 600 }
dd { margin: 0 0 .4rem; overflow-wrap: anywhere }
.groups { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)) }
figure { margin: 0; padding: .75rem; background: var(--band); border-radius: .5rem }
figcaption { font-size: .85rem; margin-bottom: .5rem }
.row { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: .25rem; margin-bottom: .25rem }
img { width: 100%; height: auto; display: block }
"""


def page(report: dict, sheets: Sheets, score: str) -> str:
    """The whole file. ``score`` says by what the pictures of ``sheets`` were ranked."""
    title = f"Evaluation on {report['protocol']['dataset']}"
    parts = [f"<h1>{escape(title)}</h1>"]
    for direction in report["directions"]:
        way = f"{direction['from']} → {direction['to']}"
        parts.append(f"<h2>{escape(way)}</h2>{_table(direction)}")
        for row in direction["rows"]:
            sheet = sheets.get((direction["direction"], row["name"]))
            if sheet:
                parts.append(f"<h3>{escape(row['name'])}</h3>{_groups(sheet, score)}")
    notes = "".join(f"<li>{escape(note)}</li>" for note in (legend(report), *notes_on(report)))
    entries = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in protocol_lines(report))
    parts.append(f"<h2>How to read this</h2><ul>{notes}</ul><h2>Protocol</h2><dl>{entries}</dl>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def _table(direction: dict) -> str:
    headings, rows = table(direction)
    head = "".join(f'<th scope="col">{escape(heading).replace(" (", "<br>(")}</th>' for heading in headings)
    body, way = [], escape(f"{direction['from']} to {direction['to']}")
    for row, cells in zip(direction["rows"], rows, strict=True):
        texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        body.append(f'<tr class="{row["kind"]}">{texts}</tr>')
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    # What scrolls must be reachable by keyboard, hence the region.
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Figures, {way}">{whole}</div>'


def _groups(sheet: dict[str, list[list[Image.Image]]], score: str) -> str:
    figures = []
    for group, rows in sheet.items():
        titles = row_titles(sheet).lower().split(", ")
        pictures = "".join(f'<div class="row">{"".join(map(_image, row, titles))}</div>' for row in rows)
        figures.append(f"<figure><figcaption>{escape(group)}</figcaption>{pictures}</figure>")
    what = f"{row_titles(sheet)}; ranked by {score}."
    return f'<p class="note">{escape(what)}</p><div class="groups">{"".join(figures)}</div>'


def row_titles(sheet: dict[str, list[list[Image.Image]]]) -> str:
    """What stands side by side in a row."""
    length = len(next(iter(sheet.values()))[0])
    return {1: "Output", 2: "Input, output", 3: "Input, output, round trip"}[length]


def _image(picture: Image.Image, title: str) -> str:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    data = base64.b64encode(buffer.getvalue()).decode()
    sharp = ' style="image-rendering: pixelated"' if picture.width < 64 else ""
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<img alt="{title}"{sharp} {size} src="data:image/jpeg;base64,{data}">'
