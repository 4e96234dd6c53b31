"""The curves and samples of a run for TensorBoard."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from cyclegan.system.errors import NO_ROOM
from cyclegan.train.log import figures_of


class Board:
    """Writes to a folder for TensorBoard, from step ``first`` on: what a killed process wrote behind it is hidden.

    Raises OSError where the disk refuses, if need be at the next call: TensorBoard writes in a thread of its own, which
    would print a traceback besides.
    """

    def __init__(self, folder: Path, first: int):
        from torch.utils.tensorboard import SummaryWriter  # here: it takes a second to import

        self.folder = folder
        self._hook = threading.excepthook
        threading.excepthook = self._quiet
        with self._named():
            self._writer = SummaryWriter(folder, purge_step=first)

    def add(self, record: dict) -> None:
        """The losses and evaluations of one line of the log."""
        with self._named():
            for name, value in figures_of(record).items():
                self._writer.add_scalar(name, value, record["step"])

    def add_sample(self, picture: Image.Image, step: int) -> None:
        """A picture of samples."""
        with self._named():
            self._writer.add_image("samples", np.asarray(picture), step, dataformats="HWC")

    def close(self) -> None:
        try:
            with self._named():
                self._writer.close()
        finally:
            threading.excepthook = self._hook

    def _quiet(self, thrown: threading.ExceptHookArgs) -> None:
        if not (isinstance(thrown.exc_value, OSError) and thrown.exc_value.errno in NO_ROOM):
            self._hook(thrown)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno and not error.filename:
                error.filename = str(self.folder)
            raise
