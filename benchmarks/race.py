"""Trainings against the clock: ``race.py RUN RUN … [-o race.png] [--direction AB]``, each made with --eval-every.

Draws the KID of their evaluations against minutes of training, and prints when each first was as good as the first
RUN ever got: the time to equal quality. For a fair race every run has the machine, or the same core, to itself.
"""

import argparse
from pathlib import Path

from cyclegan.curves import read_log


def evaluations(folder: Path, direction: str) -> list[tuple[float, float]]:
    """(minutes, KID) of a run's evaluations in one direction."""
    return [
        (record["seconds"] / 60, value)
        for record in read_log(folder)
        for name, value in record.get("metrics", {}).items()
        if name.startswith("KID") and name.endswith(direction)
    ]


def draw(curves: dict[str, list[tuple[float, float]]], title: str, output: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), label=name, marker=".", linewidth=1)
    axes.set(title=title, xlabel="minutes", ylabel="KID", ylim=(0, None))
    axes.legend(frameon=False, fontsize=8)
    axes.grid(alpha=0.25)
    figure.savefig(output, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--direction", choices=("AB", "BA"), default="AB")
    parser.add_argument("-o", "--output", type=Path, default=Path("race.png"))
    options = parser.parse_args()
    curves = {run.name: evaluations(run, f"G_{options.direction}") for run in options.runs}
    if missing := [name for name, points in curves.items() if not points]:
        parser.error(f"no evaluations in {', '.join(missing)}: train with --eval-every")
    draw(curves, f"KID of G_{options.direction} in training", options.output)
    reached, goal = min(next(iter(curves.values())), key=lambda point: point[1])
    print("| run | best KID | after, min | as good as the first run's best after, min | times as fast |")
    print("|---|---|---|---|---|")
    for name, points in curves.items():
        minutes, best = min(points, key=lambda point: point[1])
        equal = next((m for m, value in points if value <= goal), None)
        last = "never | " if equal is None else f"{equal:.1f} | {reached / equal:.1f}"
        print(f"| {name} | {best:.4f} | {minutes:.1f} | {last} |")


if __name__ == "__main__":
    main()
