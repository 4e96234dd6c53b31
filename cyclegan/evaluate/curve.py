"""The weights that a training kept (``--keep-every``) as a curve: which there are, and KID over the steps."""

from pathlib import Path
from typing import Any

from cyclegan.system.cards import read_card
from cyclegan.system.errors import UserError, require
from cyclegan.system.files import whole


def kept_weights(run: str) -> list[str]:
    """The folders in steps/ of a run, in order, and the run itself where it went on after the last of them.

    Raises ``UserError`` where there are fewer than two.
    """
    folder = next((path for path in (Path(run), Path("runs") / run) if path.is_dir()), Path(run))
    kept = sorted((path.parent for path in folder.glob("steps/*/card.toml")), key=lambda path: path.name)
    if kept and read_card(folder / "card.toml").get("training", {}).get("steps") != int(kept[-1].name):
        kept.append(folder)
    if len(kept) < 2:
        raise UserError(f"{folder} kept no weights of its training to draw a curve of: train with --keep-every STEPS")
    require("--every-kept", "eval", "matplotlib")
    return [str(path) for path in kept]


def draw(report: dict[str, Any], names: list[str], path: Path) -> None:
    """KID ± its standard error of the rows called ``names``, over their steps: one panel a direction and network."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [(d, network) for d in report["directions"] for network in d["rows"][0]["features"]]
    figure = Figure(figsize=(4.5 * len(panels), 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (direction, network) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        rows = [row for row in direction["rows"] if row["name"] in names]
        steps = [row["facts"]["provenance"]["steps"] for row in rows]
        figures = [row["features"][network] for row in rows]
        errors = [f["kid_standard_error"] for f in figures]
        axes.errorbar(steps, [f["kid"] for f in figures], errors, marker=".", linewidth=1, capsize=2)
        for row in direction["rows"]:
            if row["kind"] == "control":
                axes.axhline(row["features"][network]["kid"], linestyle="--", linewidth=0.8, color="grey")
                axes.annotate(
                    row["name"], (0, row["features"][network]["kid"]), xycoords=("axes fraction", "data"), fontsize=7
                )
        axes.set(title=f"{direction['from']} → {direction['to']}", xlabel="step", ylabel=f"KID ({network})")
        axes.grid(alpha=0.25)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=100)
