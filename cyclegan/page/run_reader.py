"""A training as it grows: the newest samples, the losses, the time to go. From files only, so it disturbs nobody."""

from __future__ import annotations

from pathlib import Path

from filelock import Timeout

from cyclegan.page.choices import run_config
from cyclegan.system.files import lock
from cyclegan.system.terminal import clock
from cyclegan.train.log import read_log

POINTS = 300  # per curve: more than a screen resolves


def samples(folder: Path) -> list[Path]:
    """The sample grids of a run, oldest first."""
    return sorted((folder / "samples").glob("*.png"))


def step_of(sample: Path) -> int:
    digits = "".join(c for c in sample.stem if c.isdigit())
    return int(digits or 0)


def curves(folder: Path):
    """(losses, metrics) as tables with the columns step, value, curve; None where there are none."""
    records = read_log(folder)
    return _table(records, "losses"), _table(records, "metrics")


def _table(records: list[dict], kind: str):
    records = [record for record in records if isinstance(record.get(kind), dict)]
    rows = [
        (record["step"], value, name)
        for record in records[:: -(-len(records) // POINTS) or 1]
        for name, value in record[kind].items()
        if isinstance(value, (int, float))
    ]
    if not rows:
        return None
    import pandas as pd

    return pd.DataFrame(rows, columns=["step", "value", "curve"])


def is_alive(folder: Path) -> bool:
    """Whether a process is training in that run folder: it holds the lock then."""
    file = folder / ".lock"
    if file.is_symlink() or not file.is_file():
        return False
    held = lock(file)
    try:
        held.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    held.release()
    return False


def state(folder: Path) -> str:
    """One sentence: how far it is; and one for each warning of the training."""
    alive = is_alive(folder)
    records = read_log(folder)
    total = run_config(folder).get("training", {}).get("steps")
    total = total if type(total) is int else None
    if not records:
        first = "has started and has not written its first line yet" if alive else "ended before its first line"
        return f"**{folder.name}** {first}."
    last = records[-1]
    step, rest = last["step"], last.get("eta_seconds")
    said = f"**{folder.name}**: step {step:,}" + (f" of {total:,}" if total else "") + f", epoch {last.get('epoch', 0)}"
    unfinished = not total or step < total
    if unfinished and not alive:
        said += f" · stopped; `python -m cyclegan.train` with the same arguments goes on with {folder.name}"
    elif rest is not None and unfinished:
        said += f" · {last.get('images_per_second', 0):.1f} pictures a second · about {clock(rest)} to go at that point"
    elif total and step >= total:
        said += " · finished"
    warnings = [f"\n\n⚠ {warning}." for record in records for warning in record.get("warnings", [])]
    return said + "." + "".join(warnings)
