"""The real page in a process of its own, with small untrained translators: what its tests need."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cyclegan.networks.build import build_generator
from cyclegan.networks.palette import COLOURS
from cyclegan.networks.weights import save_weights

APP = Path(__file__).parents[1] / "app.py"
SMALL = {"name": "mobile", "width": 4, "blocks": 1, "residual": 0.3}


def make_run(folder: Path, domains: tuple[str, str], size: int = 64, both: bool = True, palette: bool = False) -> Path:
    """A run folder as a training leaves it, of untrained generators that change every picture visibly.

    With ``palette`` the one from A to B is told its colours.
    """
    torch.manual_seed(len(folder.name))
    for direction, names in (("G_AB", domains), ("G_BA", domains[::-1]))[: 1 + both]:
        header = {"architecture": SMALL, "domains": list(names), "size": size}
        if palette and direction == "G_AB":
            header |= {"architecture": SMALL | {"palette": COLOURS}, "palettes": torch.eye(COLOURS).tolist()}
        network = build_generator(header["architecture"])
        for name, values in network.named_parameters():  # without effect before they have learned
            if name.endswith("film"):
                torch.nn.init.normal_(values, std=0.1)
        save_weights(folder / f"{direction}.safetensors", network, header)
    parts = "".join(f'[{d}]\nfile = "{d}.safetensors"\n' for d in ("G_AB", "G_BA")[: 1 + both])
    training = '[training]\ndataset = "somewhere"\nsteps = 12\n'
    (folder / "card.toml").write_text(f'name = "{folder.name}"\ndomains = {list(domains)}\n{parts}{training}')
    (folder / "config.json").write_text('{"training": {"steps": 20}}')
    line = '{{"step": {0}, "epoch": 1, "images_per_second": 2.5, "eta_seconds": 65, "losses": {{"cycle_A": {1}}}}}\n'
    (folder / "log.jsonl").write_text(line.format(6, 0.5) + line.format(12, 0.4))
    (folder / "samples").mkdir()
    picture(1, 120, 60).save(folder / "samples" / "step_000012.png")
    return folder


def picture(seed: int, width: int = 96, height: int = 64) -> Image.Image:
    """Soft blobs of colour, different for each seed."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@contextlib.contextmanager
def running(folder: Path, *flags: str, **environment: str):
    """``python app.py`` with ``folder`` as its working directory; gives the page's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    offline = {"HF_HUB_OFFLINE": "1", "CYCLEGAN_MODELS": str(folder / "models"), "TMPDIR": str(temporary)}
    environment = os.environ | offline | {"OMP_NUM_THREADS": "1"} | environment
    with open(folder / "app.log", "w") as log:
        command = [sys.executable, str(APP), "--port", str(port), *flags]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/", process, folder / "app.log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.terminate()  # as impatient as some supervisors
        process.wait(timeout=60)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except urllib.error.HTTPError:
            return  # it answers, if only to ask for a password
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the page did not come up:\n{log.read_text()}")
