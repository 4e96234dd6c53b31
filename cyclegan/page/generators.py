"""Which generators from noise a visitor can choose from, and what they make. No gradio here, and torch on first use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from cyclegan.networks import library
from cyclegan.networks.weights import read_header
from cyclegan.page import choices
from cyclegan.system.errors import UserError

MOST = 64  # pictures made at once: one visitor may not stall all
LARGEST_SEED = 2**31 - 1
VISIBLE = 128  # pixels: smaller pictures are enlarged to about this, each pixel a square
WARM = 3  # generators kept in memory
FIRST = ("gan_mnist", "stylegan_emoji")
ROWS, COLUMNS = 4, 5  # of a mixing board


@dataclass(frozen=True)
class Maker:
    """A generator that can be chosen on the page."""

    key: str  # "gan_mnist", "runs/gan_mnist": unique, and what the API takes
    label: str
    path: Path
    mixes: bool  # whether its layers can follow different styles
    solid: bool  # whether it makes solids, of which pictures are taken


def makers() -> list[Maker]:
    """All generators on this machine, cards before runs, and first those whose pictures say at once what they are."""
    return [*sorted(_cards(), key=lambda maker: not maker.key.startswith(FIRST)), *_runs()]


def choose(key: str | None) -> Maker:
    """The generator with that key, the first one for None; raises ``UserError`` where there is none."""
    found = makers()
    if not found:
        raise UserError("There is no generator here yet. Train one first: python -m cyclegan.train mnist --model gan")
    if key is None:
        return found[0]
    for maker in found:
        if maker.key == key:
            return maker
    raise UserError(f"There is no generator called {key} here. There are: {', '.join(m.key for m in found)}.")


def _cards() -> list[Maker]:
    found = []
    for name in library.model_names():
        try:
            card = library.model_card(name)
            entry = card.get(library.GENERATOR, {})
            if "file" in entry:
                found.append(_maker(name, card.get("title", name), library.find_generator(name)))
        except (UserError, OSError) as error:
            print(f"left out: {error}")
    return [maker for maker in found if maker]


def _runs() -> list[Maker]:
    found = []
    for folder in choices.run_folders():
        file = folder / f"{library.GENERATOR}.safetensors"
        try:
            found.append(_maker(f"runs/{folder.name}", f"{folder.name} (trained here)", file))
        except (UserError, OSError):
            continue  # a translator's run, or not exported yet
    return [maker for maker in found if maker]


def _maker(key: str, label: str, path: Path) -> Maker | None:
    header = read_header(path)
    if header["kind"] != "generator":
        return None
    return Maker(key, label, path, header["architecture"]["name"] == "stylegan", len(header["outputs"]) == 4)


def pictures(maker: Maker, count: int, seed: int, truncation: float) -> list[Image.Image]:
    """``count`` pictures, large enough to be seen. Raises ``UserError``."""
    generator = warm.generator(maker)
    return [enlarged(picture) for picture in generator.images(_latents(maker, count, seed, truncation))]


def walk(maker: Maker, seed: int, truncation: float, ends: Sequence[int], share: float) -> list[Image.Image]:
    """The first end, the picture at ``share`` (0 to 1) of the way, and the other end; ends are numbers of pictures."""
    generator = warm.generator(maker)
    latents = _latents(maker, max(ends) + 1, seed, truncation)
    start, end = (latents[i] for i in ends)
    between = generator.network.between(start, end, share)
    import torch

    return [enlarged(picture) for picture in generator.images(torch.stack([start, between, end]))]


def board(maker: Maker, seed: int, truncation: float, at: int) -> Image.Image:
    """A mixing board: the first ``ROWS`` pictures give the coarse styles, the next ``COLUMNS`` the fine ones."""
    from cyclegan.sample.mixing import mixing_grid

    latents = _latents(maker, ROWS + COLUMNS, seed, truncation)
    return enlarged(mixing_grid(warm.generator(maker), latents[:ROWS], latents[ROWS:], at), VISIBLE * COLUMNS)


def surface(maker: Maker, seed: int, truncation: float, number: int, file: Path) -> Path:
    """The surface of the solid with that number, written to a .glb file. Raises ``UserError``."""
    from cyclegan.sample.solid import save_solids

    latents = _latents(maker, number + 1, seed, truncation)
    return save_solids(warm.generator(maker).run(latents[number:]), file)


def surface_of(maker: Maker, picture: Image.Image, file: Path) -> Path:
    """The surface of the solid that a picture shows, written to a .glb file. Raises ``UserError``."""
    from cyclegan.sample.solid import from_picture, save_solids

    return save_solids(from_picture(warm.generator(maker), maker.key, picture), file)


def layers(maker: Maker) -> int:
    """How many layers have a style of their own; 0 where none has."""
    return warm.generator(maker).network.layers if maker.mixes else 0


def _latents(maker: Maker, count: int, seed: int, truncation: float):
    if not 1 <= count <= MOST:
        raise UserError(f"The number of pictures is from 1 to {MOST}, not {count}.")
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"The seed is a whole number from 0 to {LARGEST_SEED}, not {seed}.")
    return warm.generator(maker).latents(count, seed, truncation)


def enlarged(picture: Image.Image, side: int = VISIBLE) -> Image.Image:
    """A picture below ``side`` pixels with every pixel a square; others as they are. In RGB."""
    times = max(1, round(side / max(picture.size)))
    return picture.convert("RGB").resize([times * pixels for pixels in picture.size], Image.Resampling.NEAREST)


class Warm:
    """Generators that stay loaded: the last ``WARM`` ones, each replaced when its file changes (a run in training)."""

    def __init__(self):
        self._loaded: OrderedDict = OrderedDict()
        self._lock = threading.Lock()

    def generator(self, maker: Maker):
        """The generator of that choice. Raises ``UserError`` where it cannot be read."""
        changed = maker.path.stat().st_mtime_ns
        with self._lock:  # weights are small: who waits, waits for less than a second
            seen, generator = self._loaded.get(maker.key, (None, None))
            if seen != changed:
                from cyclegan.sample.generator import Generator

                generator = Generator.from_pretrained(maker.path)
            self._loaded[maker.key] = changed, generator
            self._loaded.move_to_end(maker.key)
            while len(self._loaded) > WARM:
                self._loaded.popitem(last=False)
        return generator


warm = Warm()
