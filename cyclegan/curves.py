"""The loss curves of a run as one picture."""

import json
from pathlib import Path


def read_log(folder: Path) -> list[dict]:
    """The records of a run's log.jsonl, oldest first; a line torn by a kill is left out."""
    path = folder / "log.jsonl"
    records = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def draw_curves(folder: Path) -> None:
    """Draws the losses in log.jsonl into curves.png, one panel for each kind of loss."""
    records = read_log(folder)
    if not records:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds: dict[str, list[str]] = {}
    for name in records[-1]["losses"]:
        kinds.setdefault(name.split("_")[0], []).append(name)
    figure = Figure(figsize=(3.6 * len(kinds), 3), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (kind, names) in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds.items(), strict=True):
        for name in names:
            kept = [(r["step"], r["losses"][name]) for r in records if name in r["losses"]]
            axes.plot(*zip(*kept, strict=True), label=name, linewidth=1)
        axes.set(title=kind, xlabel="step", ylim=(0, None) if kind != "G" else None)
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.25)
    unfinished = folder / ".curves.png.part"
    figure.savefig(unfinished, format="png", dpi=100)
    unfinished.replace(folder / "curves.png")
