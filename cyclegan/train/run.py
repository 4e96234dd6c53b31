"""The run folder: everything that a training leaves on disk, and what it needs to go on.

    runs/NAME/
        config.json                 all settings
        data.json                   which pictures it is trained on
        checkpoint.pt               networks, averages, optimisers, pools, random states and the step; one file
        log.jsonl                   one line for each log interval
        curves.png                  the losses, drawn from log.jsonl
        samples/step_000500.png     the same test pictures each time, both directions
        tensorboard/                the same curves and samples for TensorBoard, or what else --track names
        G_AB.safetensors …, card.toml   what Translator loads
        best.pt, best/              checkpoint and exports of the best evaluation, where there are evaluations
        steps/001000/ …             exports and card of that step, one folder in --keep-every

Files appear by rename, whole or not at all, and the exports all at once: a ``kill -9`` costs the work since the last
checkpoint and nothing else. The next start makes up for exports that a kill prevented.
"""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w
import torch.distributed as dist
from filelock import Timeout

from cyclegan import __version__
from cyclegan.data.contact_sheet import sheet
from cyclegan.data.formats import save_picture
from cyclegan.data.pixels import to_picture
from cyclegan.models.game import Game
from cyclegan.networks.weights import read_header, save_weights
from cyclegan.system.devices import process_count, process_rank
from cyclegan.system.errors import UserError
from cyclegan.system.file_sets import settle, together
from cyclegan.system.files import append, lock, sweep, whole, write_whole
from cyclegan.system.randomness import random_state
from cyclegan.system.records import run_settings
from cyclegan.train.checkpoint import read_checkpoint, restore, write_checkpoint
from cyclegan.train.config import Config
from cyclegan.train.log import draw_curves, forget_after
from cyclegan.train.same_run import as_plain, read_data, require_same_data, require_same_settings
from cyclegan.train.trackers import Tracker, open_tracker


class Run:
    """One run folder. Only rank 0 writes; the other processes may call everything and nothing happens.

    ``data`` is ``Source.record``; ``notes`` are lines for the user. Raises ``UserError`` where the folder belongs to
    other settings or other pictures, or another process trains in it right now.
    """

    def __init__(self, folder: Path, config: Config, data: dict[str, Any] | None = None):
        self.folder, self.config, self.data = folder, config, data or {}
        self.notes: list[str] = []
        self.writes = process_rank() == 0
        self.checkpoint = folder / "checkpoint.pt"
        if self.writes:
            self._claim()
        self._tracker: Tracker | None = None
        self._first = 0  # the step that this process goes on from
        self.origin: dict[str, Any] = {}  # what the run began with, see ``train.init.begin``

    def _claim(self) -> None:
        _require_no_links(self.folder)
        (self.folder / "samples").mkdir(parents=True, exist_ok=True)
        self._lock = lock(self.folder / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"another process is training in {self.folder}; give this run another --name") from None
        try:
            sweep(self.folder)
            settle(self.folder)
            self._require_same()
        except BaseException:
            self._lock.release()
            raise

    def _require_same(self) -> None:
        """Writes down settings and pictures, unless the folder belongs to others."""
        settings, data = as_plain(self.config), self.folder / "data.json"
        if not self.checkpoint.exists() and any(self.folder.glob("*.safetensors")):
            raise UserError(
                f"{self.folder} holds trained weights and no checkpoint.pt to go on from; give another --name"
            )
        if self.checkpoint.exists() and (before := run_settings(self.folder)):
            require_same_settings(self.folder, before, settings)
            names = before["dataset"], settings["dataset"]
            self.notes = require_same_data(self.folder, read_data(self.folder), self.data, names)
        elif self.checkpoint.exists():
            self.notes = ["No config.json says what this run was begun with; it goes on with the settings given now."]
        write_whole(self.folder / "config.json", json.dumps(settings, indent=2) + "\n")
        if self.data:
            write_whole(data, json.dumps(self.data) + "\n")

    @property
    def seen(self) -> list[str]:
        """The feature networks that judge in this training, or judged the weights that it began with."""
        return sorted({*self.config.model.seen(), *self.origin.get("seen", [])})

    # -- what training needs to go on -------------------------------------------------------------------------------

    def save(self, game: Game, step: int) -> None:
        """Writes the checkpoint and the exported weights after ``step`` steps."""
        local = {"random": random_state(), "game": game.local_state()}
        locals_: list[Any] = [None] * process_count()
        if process_count() > 1:
            dist.all_gather_object(locals_, local)
        else:
            locals_ = [local]
        if not self.writes:
            return
        state = {"step": step, "game": game.state_dict(), "locals": locals_}
        write_checkpoint(self.checkpoint, state | ({"origin": self.origin} if self.origin else {}))
        self.export(game, step, self.folder)

    def keep(self, game: Game, step: int) -> None:
        """Exports the weights into steps/STEP/, where they stay."""
        inside = f"steps/{step:06d}"
        if self.writes and not self._exported(game, step, inside):
            self.export(game, step, self.folder / inside)

    def keep_best(self, game: Game, step: int) -> None:
        """Makes what was saved last, at ``step``, the best: best.pt, and best/ with the exports and their card."""
        if not self.writes or self._exported(game, step, "best"):
            return
        with whole(self.folder / "best.pt") as part:
            shutil.copyfile(self.checkpoint, part)
        with together(self.folder / "best") as new:
            for path in (*self.folder.glob("*.safetensors"), self.folder / "card.toml"):
                with whole(new / path.name) as part:
                    shutil.copyfile(path, part)

    def load(self, game: Game) -> int:
        """Restores the last checkpoint into ``game``; returns its step, 0 where there is none.

        What a killed process logged after it is dropped, and what it did not export any more is made up for. Raises
        ``UserError`` where the checkpoint is damaged or of another model.
        """
        if self.checkpoint.exists():
            state = read_checkpoint(self.checkpoint)
            if len(state["locals"]) != process_count():
                raise UserError(
                    f"{self.folder} was trained by {len(state['locals'])} processes, not {process_count()}; "
                    f"use as many, or another --name"
                )
            restore(game, state, process_rank(), self.checkpoint)
            self._first, self.origin = state["step"], state.get("origin", {})
        if self.writes:
            forget_after(self.folder, self._first)
            if self._first and not self._exported(game, self._first):
                self.export(game, self._first, self.folder)
        return self._first

    def _exported(self, game: Game, step: int, inside: str = "") -> bool:
        """Whether all exports of that step are there, in the run folder or in its folder ``inside``."""
        try:
            headers = [read_header(self.folder / inside / f"{name}.safetensors") for name in game.exports()]
        except (UserError, OSError):
            return False
        return all(header["provenance"].get("steps") == step for header in headers)

    # -- what people look at ----------------------------------------------------------------------------------------

    def log(self, record: dict) -> None:
        """Appends one line to log.jsonl and to the tracker; ``record`` has "step", "losses" and whatever else."""
        if not self.writes:
            return
        append(self.folder / "log.jsonl", json.dumps(record) + "\n")
        if self._tracker:
            self._tracker.add(record)
        if "metrics" in record:
            draw_curves(self.folder)

    def sample(self, game: Game, step: int, pictures: tuple) -> None:
        """Writes the game's preview of the fixed test ``pictures`` (one tensor a domain, [-1, 1]; then masks)."""
        if not self.writes:
            return
        blocks = {
            title: [[to_picture(image) for image in row] for row in rows]
            for title, rows in game.preview(*pictures).items()
        }
        grid = sheet(blocks)
        save_picture(grid, self.folder / "samples" / f"step_{step:06d}.png")
        if self._tracker:
            self._tracker.add_sample(grid, step)
        draw_curves(self.folder)

    def track(self, say: Callable[[str], Any]) -> None:
        """Opens what else takes log and samples, see ``train.trackers``; ``say`` takes a line where it fails later.

        Raises ``UserError`` where it refuses at once.
        """
        if self.writes:
            track, settings = self.config.training.track, as_plain(self.config)
            self._tracker = open_tracker(track, self.folder, self._first + 1, settings, say)

    def export(self, game: Game, step: int, into: Path) -> None:
        """Writes what ``Translator`` loads, all at once: each network with its header, and the card that names them."""
        provenance = {
            "dataset": Path(self.config.dataset).name,  # weights travel, and should not tell where folders lie
            "model": self.config.algorithm,
            "recipe": self.config.recipe,
            "steps": step,
            "pictures": step * self.config.training.pictures * process_count(),
            "seed": self.config.training.seed,
            "ema": getattr(self.config.model, "ema", 0.0),
            "seen": self.seen,
            "toolkit": __version__,
            "date": time.strftime("%Y-%m-%d"),
        }
        for key, setting in (("class", "category"), ("resize", "resize")):  # what an evaluation has to do alike
            if value := getattr(self.config.pictures, setting, None):
                provenance[key] = value
        if game.samples == "paired":  # so its test pictures have a truth to be held against
            provenance["paired"] = True
        if self.origin:
            provenance["init"] = self.origin["init"]
        card: dict = {"name": self.folder.name, "title": f"Trained on {Path(self.config.dataset).name}"}
        with together(into) as new:
            for name, (network, header) in game.exports().items():
                header = self._with_spans(name, header) | {"provenance": provenance}
                save_weights(new / f"{name}.safetensors", network, header)
                card.setdefault("domains", header["domains"])
                card[name] = {"file": f"{name}.safetensors"}
            write_whole(new / "card.toml", tomli_w.dumps(card | {"training": provenance}))

    def _with_spans(self, name: str, header: dict) -> dict:
        """A translator's header with the values that are black and white in its two domains, see ``data.values``."""
        spans = self.data.get("spans", [])
        if len(spans) != 2 or not any(spans):
            return header
        of_both = {"spans": spans[::-1] if name == "G_BA" else spans}
        return header | {"preprocessing": header.get("preprocessing", {}) | of_both}

    def close(self) -> None:
        try:
            if self._tracker:
                self._tracker.close()
        finally:
            if self.writes:
                self._lock.release()


def _require_no_links(folder: Path) -> None:
    """Raises ``UserError`` where writing to a run folder would change what lies elsewhere."""
    for name in ("log.jsonl", "samples", "tensorboard", "best"):
        if (folder / name).is_symlink():
            raise UserError(f"{folder / name} is a link, and a training writes into its own folder only: remove it")
