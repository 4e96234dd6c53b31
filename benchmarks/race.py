"""Trainings against the clock: ``race.py RUN RUN … [-o race.png]``, each made with --eval-every.

Draws the KID of their evaluations against minutes of training, and prints for each direction when each first was as
good as the first RUN ever got: the time to equal quality. For a fair race every run has the machine, or the same core,
to itself.
"""

import argparse
from pathlib import Path

from cyclegan.train.log import read_log

DIRECTIONS = ("G_AB", "G_BA")


def evaluations(folder: Path, direction: str) -> list[tuple[float, float]]:
    """(minutes, KID) of a run's evaluations in one direction."""
    return [
        (record["seconds"] / 60, value)
        for record in read_log(folder)
        for name, value in record.get("metrics", {}).items()
        if name.startswith("KID") and name.endswith(direction)
    ]


def draw(curves: dict[str, dict[str, list[tuple[float, float]]]], output: Path) -> None:
    """Run → direction → its evaluations, as one panel a direction."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, direction in zip(figure.subplots(1, 2), DIRECTIONS, strict=True):
        for name, points in curves.items():
            axes.plot(*zip(*points[direction], strict=True), label=name, marker=".", linewidth=1)
        axes.set(title=f"KID of {direction} in training", xlabel="minutes", ylabel="KID")
        axes.axhline(0, color="grey", linewidth=0.5)  # as good as real pictures; an unbiased estimate may fall below
        axes.set_xlim(left=0)
        axes.grid(alpha=0.25)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, fontsize=8, ncols=4, loc="outside lower center")
    figure.savefig(output, dpi=90)


def print_table(curves: dict[str, list[tuple[float, float]]]) -> None:
    reached, goal = min(next(iter(curves.values())), key=lambda point: point[1])
    print("| run | best KID | after, min | as good as the first run's best after, min | times as fast |")
    print("|---|---|---|---|---|")
    for name, points in curves.items():
        minutes, best = min(points, key=lambda point: point[1])
        equal = next((m for m, value in points if value <= goal), None)
        last = "never | " if equal is None else f"{equal:.1f} | {reached / equal:.1f}"
        print(f"| {name} | {best:.4f} | {minutes:.1f} | {last} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, default=Path("race.png"))
    options = parser.parse_args()
    curves = {run.name: {d: evaluations(run, d) for d in DIRECTIONS} for run in options.runs}
    if missing := [name for name, points in curves.items() if not points[DIRECTIONS[0]]]:
        parser.error(f"no evaluations in {', '.join(missing)}: train with --eval-every")
    draw(curves, options.output)
    for direction in DIRECTIONS:
        print(f"\n{direction}\n")
        print_table({name: points[direction] for name, points in curves.items()})


if __name__ == "__main__":
    main()
