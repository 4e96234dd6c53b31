"""The loss curves of a run as one picture."""

import json
from pathlib import Path

from cyclegan.models import MODELS, load_model
from cyclegan.system.files import whole


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
    """Draws what log.jsonl holds into curves.png: a panel for each kind of loss, and one for evaluations."""
    records = read_log(folder)
    if not records:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels, ideals = _panels(records), _ideals(folder)
    figure = Figure(figsize=(3.6 * len(panels), 3), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (kind, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        judged = kind.startswith("KID")
        for name, points in curves.items():
            (line,) = axes.plot(*zip(*points, strict=True), label=name, linewidth=1, marker="." if judged else None)
            if name in ideals:
                label = f"ideal {ideals[name]:.3f}"
                axes.axhline(ideals[name], color=line.get_color(), linestyle="--", linewidth=0.8, label=label)
        axes.set(title=kind, xlabel="step", ylim=None if kind == "G" or judged else (0, None))
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.25)
    with whole(folder / "curves.png") as part:
        figure.savefig(part, format="png", dpi=100)


def _ideals(folder: Path) -> dict[str, float]:
    """The values that the losses of the run's model would have where nobody can win any more; {} if unknown."""
    path = folder / "config.json"
    algorithm = json.loads(path.read_text()).get("algorithm", "cyclegan") if path.exists() else None
    return load_model(algorithm).ideals if algorithm in MODELS else {}


def _panels(records: list[dict]) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Title → curve → (step, value): losses by their kind, which their names begin with, and what evaluations say."""
    panels: dict = {}
    for record in records:
        for name, value in record["losses"].items():
            kind = name.split("_")[0]
            panels.setdefault(kind, {}).setdefault(name, []).append((record["step"], value))
        for name, value in record.get("metrics", {}).items():
            measure, network, curve = name.split(" ")
            panels.setdefault(f"{measure} ({network})", {}).setdefault(curve, []).append((record["step"], value))
    return panels
