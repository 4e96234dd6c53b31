"""Pictures of many formats, damaged at random: translated, or refused in a sentence."""

import random
import time
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from forks import counted, outcome, so_far
from PIL import Image

from cyclegan import Translator
from cyclegan.data.formats import save_picture
from cyclegan.data.images import load_image
from cyclegan.networks.build import build_generator
from cyclegan.system.errors import UserError

ARCHITECTURE = {"name": "mobile", "width": 4, "blocks": 1}
FORMATS = {"JPEG": ("L", "RGB", "CMYK"), "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "GIF": ("P",)}
FORMATS |= {"TIFF": ("1", "L", "RGB", "RGBA", "CMYK", "I;16", "F"), "WEBP": ("RGB", "RGBA"), "BMP": ("RGB",)}
FORMATS |= {"TGA": ("RGB",), "PPM": ("RGB",), "JPEG2000": ("RGB",), "AVIF": ("RGB",)}


def mutated_pictures(count: int, seed: int) -> tuple[str, int]:
    """What came of ``count`` pictures, in words, and how many went wrong."""
    header = {"architecture": ARCHITECTURE, "domains": ["a", "b"], "preprocessing": {"channels": [3, 3]}}
    translator = Translator(build_generator(ARCHITECTURE), header, "cpu")
    whole = [(kind, _file(kind, mode)) for kind, modes in FORMATS.items() for mode in modes]
    outcomes, slowest = [], 0.0
    for i in range(count):
        draw = random.Random(f"{seed} {i}")
        kind, data = draw.choice(whole)
        Path("picture").write_bytes(mutated(data, draw))
        begun = time.monotonic()
        outcomes.append(outcome(partial(_translated, translator)))
        slowest = max(slowest, time.monotonic() - begun)
        so_far(outcomes)
        if outcomes[-1] in ("crash", "hang"):
            print(f"  picture {i}, {kind}: {outcomes[-1]}", flush=True)
    return f"{counted(outcomes)}; the slowest took {slowest:.1f} s", outcomes.count("crash") + outcomes.count("hang")


def mutated(data: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, cut off, doubled or overwritten with zeros."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = (
            min(int(draw.expovariate(1 / 200)), len(changed) - 1)
            if draw.random() < 0.6
            else draw.randrange(len(changed))
        )
        kind = draw.randrange(6)
        if kind < 3:
            changed[place] = draw.choice((0, 255, 127, draw.randrange(256)))
        elif kind == 3:
            del changed[max(8, draw.randrange(len(changed))) :]
        elif kind == 4:
            changed[place:place] = changed[place : place + draw.randrange(1, 40)]
        else:
            changed[place : place + 8] = bytes(8)
        changed = changed or bytearray(1)
    return bytes(changed)


def _translated(translator: Translator) -> str:
    try:
        info = load_image("picture").info
        save_picture(translator("picture", size=32), "out.png", info)
        save_picture(translator("picture", size=32), "out.jpg", info)
        return "translated"
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
        return "refused in a sentence"


def _file(kind: str, mode: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 4), dtype=np.uint8)
    if mode in ("F", "I;16"):
        picture = Image.fromarray(
            pixels[..., 0].astype(np.float32) / 255 if mode == "F" else pixels[..., 0].astype(np.uint16)
        )
    else:
        picture = Image.fromarray(pixels).convert("RGB").convert(mode) if mode != "RGBA" else Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112], exif[315] = 6, "somebody"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09"}
    file = BytesIO()
    options = {"exif": exif.tobytes()} if kind in ("JPEG", "PNG", "WEBP", "AVIF") else {}
    picture.save(file, kind, **options)
    return file.getvalue()
