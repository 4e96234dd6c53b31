"""Draws rooms.png from the import contract in setup.cfg and the rooms' docstrings: run it without arguments."""

import ast
import configparser
import textwrap
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIDTH, HEIGHT, GAP = 12.0, 1.4, 0.18
FILLS = ("#e9f8f5", "#c9efe8", "#98dfd4")


def contract() -> list[list[str]]:
    """The floors, top down, each with its rooms."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings["importlinter:contract:rooms"]["layers"].strip().splitlines()
    return [[room.strip() for room in line.split("|")] for line in lines]


def purpose(room: str) -> str:
    """The first sentence of the room's docstring, without its command."""
    package = ROOT / "cyclegan" / room
    file = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    said = (ast.get_docstring(ast.parse(file.read_text())) or "").split("\n\n")[0].replace("\n", " ")
    said = said.split("``: ")[-1].split(": ``")[0].replace("``", "")
    return said[0].upper() + said[1:]


def modules(room: str) -> list[str]:
    """The files in the room."""
    return sorted(file.stem for file in (ROOT / "cyclegan" / room).glob("*.py") if file.stem != "__init__")


def draw() -> None:
    """Writes rooms.png."""
    floors = contract()
    figure = Figure(figsize=(WIDTH, len(floors) * (HEIGHT + GAP)), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, len(floors) * (HEIGHT + GAP)))
    axes.axis("off")
    for i, floor in enumerate(floors):
        bottom = (len(floors) - 1 - i) * (HEIGHT + GAP) + GAP / 2
        side = (WIDTH - GAP) / len(floor)
        for j, room in enumerate(floor):
            left = GAP + j * side
            box = FancyBboxPatch((left, bottom), side - GAP, HEIGHT, boxstyle="round,pad=0,rounding_size=0.12",
                                 facecolor=FILLS[i % len(FILLS)], edgecolor="#0b776b")  # fmt: skip
            axes.add_patch(box)
            axes.text(left + 0.15, bottom + HEIGHT - 0.3, room, fontsize=13, fontweight="bold", color="#0d3f3b")
            letters = int((side - GAP) * 13)
            said = textwrap.wrap(purpose(room), letters)[:3]
            axes.text(left + 0.15, bottom + HEIGHT - 0.42, "\n".join(said), fontsize=8.5, va="top", color="#222a33")
            files = "\n".join(textwrap.wrap("  ".join(modules(room)), letters + 4)[:3])
            lower = bottom + HEIGHT - 0.48 - 0.18 * len(said)
            axes.text(left + 0.15, lower, files, fontsize=7.5, va="top", color="#5d6b7c")
    figure.savefig(HERE / "rooms.png")


if __name__ == "__main__":
    draw()
