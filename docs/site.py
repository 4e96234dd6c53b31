"""What the site has beside the pages in docs/: files of the tree that they link to, and the table of models.

MkDocs calls the functions by their names, see ``hooks`` in mkdocs.yml.
"""

import re
import sys
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def on_page_markdown(markdown, page, config, files):
    """Puts files outside docs/ that a page links to into the site, under repository/, and points the links there."""

    def moved(link):
        path, rest = link[1], link[2]
        if not (ROOT / path).is_file():
            raise SystemExit(f"{page.file.src_path}: there is no {path}")
        place = f"repository/{path}"
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, content=(ROOT / path).read_bytes()))
        return f"]({place}{rest})"

    markdown = markdown.replace("<!-- models -->", models())
    return re.sub(r"\]\(\.\./([^)#\s]+)([^)]*)\)", moved, markdown)


def models() -> str:
    """The table of all cards in pretrained/, in Markdown."""
    from cyclegan.networks.library import model_card, model_names

    lines = [
        "| name | makes | size | weights | trained on | steps, minutes | licence |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in sorted(model_names(), key=lambda n: "file" not in str(model_card(n))):
        card = model_card(name)
        trained, parts = card.get("training", {}), [card[p] for p in ("G_AB", "G_BA", "G", "E") if p in card]
        files = [ROOT / "pretrained" / part["file"] for part in parts if "file" in part]
        weights = (
            f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB, here" if files else "fetched at first use"
        )
        arrow = " ↔ " if {"G_AB", "G_BA"} <= card.keys() else " → "
        steps = f"{trained['steps']:,}" if isinstance(trained.get("steps"), int) else trained.get("steps", "–")
        cells = [f"`{name}`", arrow.join(card["domains"]), trained.get("size", 256), weights]
        cells += [trained.get("dataset", "–"), f"{steps}; {trained.get('minutes', '–')}", card.get("licence", "–")]
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
