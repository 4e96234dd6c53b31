"""Where the figures and samples of a run go besides its folder: TensorBoard, Weights & Biases, MLflow (``--track``)."""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any, Protocol

from PIL import Image

from cyclegan.system.errors import UserError, require
from cyclegan.system.files import write_whole
from cyclegan.train.board import Board
from cyclegan.train.log import figures_of

Settings = dict[str, Any]  # of a run, by group, as in its config.json


class Tracker(Protocol):
    """Takes what a training shows of itself."""

    def add(self, record: dict) -> None:
        """The losses and evaluations of one line of the log."""

    def add_sample(self, picture: Image.Image, step: int) -> None:
        """A picture of samples."""

    def close(self) -> None:
        """Called once at the end."""


class WandB:
    """Weights & Biases, which sends in processes of its own. A run that goes on is one run there too.

    ``WANDB_MODE=offline`` writes to ``folder``/wandb alone, for ``wandb sync``. Raises ``UserError`` where it refuses.
    """

    def __init__(self, folder: Path, settings: Settings):
        require("--track wandb", "wandb", "wandb")
        import wandb

        self._image = wandb.Image
        name = _kept(folder / "wandb_id", lambda: secrets.token_hex(4))
        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", "cyclegan"),
                name=folder.name,
                id=name,
                resume="allow",
                dir=folder,
                config=settings,
                settings=wandb.Settings(console="off"),  # it would take over the output, and with it the progress line
            )
        except wandb.errors.Error as error:
            raise UserError(f"--track wandb: {_first_line(error)}. Without a key: WANDB_MODE=offline") from error

    def add(self, record: dict) -> None:
        self._run.log(figures_of(record), step=record["step"])

    def add_sample(self, picture: Image.Image, step: int) -> None:
        self._run.log({"samples": self._image(picture)}, step=step)

    def close(self) -> None:
        self._run.finish()


class MLflow:
    """MLflow, at ``MLFLOW_TRACKING_URI`` or else in the folder mlruns beside the runs.

    A run that goes on is one run there too. Raises ``UserError`` where it refuses.
    """

    def __init__(self, folder: Path, settings: Settings):
        require("--track mlflow", "mlflow", "mlflow")
        place = os.environ.get("MLFLOW_TRACKING_URI") or (folder.parent / "mlruns").resolve().as_uri()
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # since 3.7 a folder has to be asked for
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param
        from mlflow.exceptions import MlflowException

        self._metric = Metric
        try:
            self._client = MlflowClient(place)
            self._run = _kept(folder / "mlflow_id", lambda: self._begun(folder.name))
            if self._client.get_run(self._run).data.params:
                self._client.update_run(self._run, status="RUNNING")
            else:
                params = [Param(key, str(value)) for key, value in _flat(settings).items()]
                self._client.log_batch(self._run, params=params)
        except MlflowException as error:
            raise UserError(f"--track mlflow: {place} says: {_first_line(error)}") from error

    def _begun(self, name: str) -> str:
        """The id of a new run."""
        title = os.environ.get("MLFLOW_EXPERIMENT_NAME", "cyclegan")
        found = self._client.get_experiment_by_name(title)
        experiment = found.experiment_id if found else self._client.create_experiment(title)
        return self._client.create_run(experiment, run_name=name).info.run_id

    def add(self, record: dict) -> None:
        now = round(time.time() * 1000)
        metrics = [self._metric(name, value, now, record["step"]) for name, value in figures_of(record).items()]
        self._client.log_batch(self._run, metrics=metrics)

    def add_sample(self, picture: Image.Image, step: int) -> None:
        self._client.log_image(self._run, picture, artifact_file=f"samples/step_{step:06d}.png")

    def close(self) -> None:
        self._client.set_terminated(self._run)


class Lenient:
    """A tracker whose failures are said once, after which nothing more is sent: a run outlives its server."""

    def __init__(self, tracker: Tracker, name: str, say: Callable[[str], Any]):
        self._tracker, self._name, self._say, self._lost = tracker, name, say, False

    def add(self, record: dict) -> None:
        self._ask(lambda: self._tracker.add(record))

    def add_sample(self, picture: Image.Image, step: int) -> None:
        self._ask(lambda: self._tracker.add_sample(picture, step))

    def close(self) -> None:
        self._ask(self._tracker.close)

    def _ask(self, call: Callable[[], None]) -> None:
        if self._lost:
            return
        try:
            call()
        except Exception as error:  # whatever its network raises
            self._lost = True
            self._say(f"--track {self._name} failed ({_first_line(error)}): nothing more is sent; the run goes on.")


def open_tracker(name: str, folder: Path, first: int, settings: Settings, say: Callable[[str], Any]) -> Tracker:
    """The tracker of that name for the run in ``folder``, from step ``first`` on. Raises ``UserError``."""
    if name == "tensorboard":
        return Board(folder / "tensorboard", first)
    return Lenient(TRACKERS[name](folder, settings), name, say)


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The line in a file, made where it is not there."""
    if not path.exists():
        write_whole(path, make() + "\n")
    return path.read_text().strip()


def _flat(settings: Settings) -> Settings:
    """Without groups: {"dataset": …, "model.width": …}."""
    flat: Settings = {}
    for key, value in settings.items():
        flat |= {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _first_line(error: Exception) -> str:
    return shorten(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__, 200).rstrip(".")


TRACKERS: dict[str, Callable[[Path, Settings], Tracker]] = {"wandb": WandB, "mlflow": MLflow}
