"""The loss curves of a run as one picture."""

from pathlib import Path
from statistics import median

from cyclegan.models import MODELS, load_model
from cyclegan.system.files import whole, write_whole
from cyclegan.system.records import as_object, is_log_record, run_settings


def read_log(folder: Path) -> list[dict]:
    """The records of a run's log.jsonl, oldest first; a line torn by a kill, or damaged, is left out."""
    path = folder / "log.jsonl"
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [record for line in lines if (record := as_object(line)) and is_log_record(record)]


def figures_of(record: dict) -> dict[str, float]:
    """The losses of one record, and its evaluations where it has any, under names that sort them by kind."""
    figures = {f"loss/{name}": value for name, value in record["losses"].items()}
    for kind in ("metrics", "change"):
        figures |= {f"{kind}/{name.replace(' ', '/')}": value for name, value in record.get(kind, {}).items()}
    return figures


def forget_after(folder: Path, step: int) -> None:
    """Drops the log lines that a killed process wrote after its last checkpoint: they will be made again."""
    path = folder / "log.jsonl"
    if not path.is_file():
        return
    before = path.read_bytes()
    lines = [(as_object(line), line) for line in before.splitlines(keepends=True)]
    kept = b"".join(line for record, line in lines if record and is_log_record(record) and record["step"] <= step)
    if kept != before:
        write_whole(path, kept)


def draw_curves(folder: Path) -> None:
    """Draws what log.jsonl holds into curves.png: a panel for each kind of loss, and one for evaluations."""
    records = read_log(folder)
    if not records:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels, (ideals, medians) = _panels(records), _of_model(folder)
    width = 3.6 * len(panels)
    figure = Figure(figsize=(width, 3))
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    # Margins in inches. A layout engine would draw everything twice, and the place of a legend look at every point.
    figure.subplots_adjust(0.6 / width, 0.15, 1 - 0.1 / width, 0.91, wspace=0.7 / 2.9)
    for axes, (kind, curves) in zip(grid, panels.items(), strict=True):
        judged = kind.startswith("KID")
        for name, points in curves.items():
            (line,) = axes.plot(*zip(*points, strict=True), label=name, linewidth=1, marker="." if judged else None)
            if name in medians:
                line.set_alpha(0.35)
                steps, values = zip(*points, strict=True)
                filtered = median_filtered(list(values), medians[name])
                axes.plot(steps, filtered, label=f"median of {medians[name]}", color=line.get_color(), linewidth=1.4)
            if name in ideals:
                label = f"ideal {ideals[name]:.3f}"
                axes.axhline(ideals[name], color=line.get_color(), linestyle="--", linewidth=0.8, label=label)
        axes.set(title=kind, xlabel="step", ylim=None if _signed(kind, curves) else (0, None))
        axes.legend(loc="upper right", frameon=False, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.locator_params(nbins=5)
        axes.grid(alpha=0.25)
    with whole(folder / "curves.png") as part:
        figure.savefig(part, format="png", dpi=100)


def median_filtered(values: list[float], window: int) -> list[float]:
    """Each value replaced by the median of the ``window`` values around it, of fewer at the ends."""
    half = window // 2
    return [median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]


def _signed(kind: str, curves: dict[str, list[tuple[int, float]]]) -> bool:
    """Whether 0 is no end of a panel's values."""
    return kind == "G" or kind.startswith("KID") or any(value < 0 for points in curves.values() for _, value in points)


def _of_model(folder: Path) -> tuple[dict[str, float], dict[str, int]]:
    """The ``ideals`` and the ``medians`` of the run's model; {} where it is unknown."""
    algorithm = run_settings(folder).get("algorithm")
    if algorithm not in MODELS:
        return {}, {}
    game = load_model(algorithm)
    return game.ideals, game.medians


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
