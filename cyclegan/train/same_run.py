"""Whether a run folder belongs to these settings and these pictures: a run goes on, or a sentence says what differs."""

import json
from pathlib import Path
from shlex import quote
from typing import Any

from cyclegan.data.identity import share_kept
from cyclegan.data.values import is_span
from cyclegan.system.errors import UserError
from cyclegan.system.records import read_object
from cyclegan.train.config import Config, as_dict

Record = dict[str, Any]  # settings; or of a data set: folder, pictures, fingerprints …; see ``data.source``

# May change between the parts of one run: they do not change what a step computes.
FREE = {"epochs", "steps", "device", "compile", "workers", "cache", "skip_bad"}
FREE |= {"log_every", "sample_every", "save_every", "eval_every", "patience", "keep_every", "track"}
FREE |= {"gradient_checkpointing"}

# What a run did that began before there was the setting; of other settings, what is asked for now.
ABSENT: Record = {"init": None, "init_back": None}

SAME = 0.5  # the share of a run's pictures that must still be there: some may be mended, removed or added


def recorded_data(folder: Path) -> Record:
    """What the run in ``folder`` keeps of its data set, where it has a checkpoint to go on from; else {}."""
    return read_data(folder) if (folder / "checkpoint.pt").exists() else {}


def read_data(folder: Path) -> Record:
    """The record of the pictures that the run in ``folder`` is trained on; {} where there is none.

    Raises ``UserError`` where it is damaged.
    """
    path = folder / "data.json"
    record = read_object(path)
    prints, spans, masks = (record.get(key, []) for key in ("fingerprints", "spans", "masks"))
    sound = (
        isinstance(prints, list)
        and all(isinstance(side, list) and all(isinstance(entry, str) for entry in side) for side in prints)
        and isinstance(record.get("folder", ""), str)
        and isinstance(record.get("pictures", 0), int)
        and (not prints or {"folder", "pictures"} <= record.keys())
        and isinstance(spans, list)
        and all(span is None or is_span(span) for span in spans)
        and isinstance(masks, list)
        and all(isinstance(count, int) for count in masks)
    )
    if not sound:
        raise UserError(f"{path} is damaged: put a copy in its place, or remove it")
    return record


def require_same_settings(folder: Path, before: Record, now: Record) -> None:
    """Raises ``UserError`` with the settings that differ although they must not."""
    if differing := _differences(before, now):
        raise UserError(
            f"{folder} was begun with {differing}; give the same settings to go on, or another --name to begin anew"
        )


def require_same_data(folder: Path, before: Record, now: Record, names: tuple[str, str]) -> list[str]:
    """Lines for the user about pictures that came or went; raises ``UserError`` where the run's pictures are others.

    ``names`` are those of the data set, as given then and now: all there is to compare for a run without a record.
    """
    if not (before.get("fingerprints") and now.get("fingerprints")):
        if Path(names[0]).name != Path(names[1]).name:
            raise UserError(f"{folder} was trained on {names[0]} and not on {names[1]}: give another --name for that")
        return []
    kept = min(map(share_kept, before["fingerprints"], now["fingerprints"]))
    if kept < SAME:
        there, here = before["folder"], now["folder"]
        others = f"on other pictures, those in {there}" if there != here else "when its data set held other pictures"
        name = _free_name(folder, Path(here))
        raise UserError(f"{folder} was trained {others}: give --name {quote(name)} to train on these")
    notes = []
    if kept < 1 or before["pictures"] != now["pictures"]:
        counts = f"{before['pictures']} then, {now['pictures']} now, {kept:.0%} of the former unchanged"
        notes.append(
            f"The pictures have changed since this run began ({counts}); it goes on with those that are there now."
        )
    then, today = (sum(record.get("masks", [])) for record in (before, now))
    if then != today:
        notes.append(f"{then} pictures had masks when this run began, and {today} have now; it goes on with these.")
    return notes


def as_plain(config: Config) -> Record:
    """The settings as JSON gives them back, so that both can be compared."""
    return json.loads(json.dumps(as_dict(config)))


def _differences(before: Record, now: Record) -> str:
    """The settings in which two configurations differ although they must not, as flags of the first."""
    found = []
    if before["algorithm"] != now["algorithm"]:
        found.append(f"--model {before['algorithm'][:60]} (now {now['algorithm']})")
    for group in ("model", "pictures", "training"):
        for key, value in now[group].items():
            old = before[group].get(key, ABSENT.get(key, value))
            if key not in FREE and old != value:
                found.append(f"--{key.replace('_', '-')} {str(old)[:60]} (now {value})")
    return ", ".join(found)


def _free_name(taken: Path, data: Path) -> str:
    """A name for the run on ``data`` that no run beside ``taken`` has."""
    base = "_".join(part for part in (data.parent.name, data.name) if part).replace(" ", "_") or "other"
    number, name = 1, base
    while (taken.parent / name).exists():
        number += 1
        name = f"{base}_{number}"
    return name
