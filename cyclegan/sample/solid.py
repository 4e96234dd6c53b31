"""Solids out of generators: from noise or from one picture, as pictures, cells (.npz) and surfaces (.obj, .glb)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.images import open_image
from cyclegan.data.pixels import to_signed
from cyclegan.data.render import framed, render
from cyclegan.networks.library import find_encoder
from cyclegan.networks.weights import load_weights
from cyclegan.system.errors import MissingPackage, UserError
from cyclegan.system.files import whole

if TYPE_CHECKING:
    from cyclegan.sample.generator import Generator

LOOK = 128  # pixels of a solid in a picture
WOOD = (0.72, 0.55, 0.38, 1.0)  # the colour of surfaces, RGBA


def look(solid: Tensor, pixels: int = LOOK) -> Image.Image:
    """A grey picture of a solid (1, X, Y, Z) in [-1, 1], half from the side and a little from above."""
    return Image.fromarray(render(solid[0].numpy() > 0, pixels))


@torch.inference_mode()
def from_picture(generator: Generator, name: str | os.PathLike, picture: str | os.PathLike | Image.Image) -> Tensor:
    """The solid (1, 1, X, Y, Z) in [-1, 1] that a picture shows, by the encoder that belongs to ``generator``.

    ``name`` is what the generator was loaded by; ``picture`` a file or a Pillow image of one thing on a plain light
    ground. Raises ``UserError`` where there is no encoder, and ``ImageError`` for a file that cannot be read.
    """
    encoder, header = load_weights(find_encoder(name), generator.device)
    if header["kind"] != "encoder" or header["outputs"] != generator.header["inputs"]:
        raise UserError(f"the encoder beside {name} does not belong to its generator")
    image = picture if isinstance(picture, Image.Image) else open_image(picture)
    pixels = framed(image, header["inputs"][-1])
    seen = to_signed(torch.from_numpy(pixels.copy())[None, None], generator.device)
    mean, _ = encoder(seen)
    return generator.run(mean.cpu())


def save_solids(solids: Tensor, path: str | os.PathLike) -> Path:
    """Writes solids (N, 1, X, Y, Z) in [-1, 1] to a file: .npz, .obj or .glb by its ending; returns its path.

    .npz holds ``solids``, bool (N, X, Y, Z) with Z upwards, as training reads them. Surfaces are one unit high at
    most, with Y upwards and the front towards Z; several stand side by side. Raises ``UserError`` for solids without
    a surface, and for a missing package.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        with whole(path) as part, open(part, "wb") as file:
            np.savez_compressed(file, solids=solids[:, 0].numpy() > 0)
        return path
    parts = [surface(solid[0].numpy()) for solid in solids]
    columns = int(np.ceil(np.sqrt(len(parts))))
    for i, part in enumerate(parts):
        part.apply_translation((1.2 * (i % columns), 0, 1.2 * (i // columns)))
    trimesh = _package("trimesh")
    if path.suffix.lower() == ".glb":
        data = trimesh.Scene(parts).export(file_type="glb")
    else:  # one file: no materials, which would stand in a second one
        data = trimesh.util.concatenate(parts).export(file_type="obj", include_texture=False, include_color=False)
    with whole(path) as part:
        part.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def surface(field: np.ndarray) -> Any:
    """The surface of a solid (X, Y, Z) in [-1, 1] where it passes 0, as a ``trimesh.Trimesh``.

    By marching cubes (Lorensen & Cline 1987): smoother than cubes, since the field says how sure each cell is. Raises
    ``UserError`` for a solid that is empty.
    """
    measure, trimesh = _package("skimage.measure"), _package("trimesh")
    if not (field > 0).any():
        raise UserError("this solid is empty, so it has no surface: try another picture or --seed")
    points, faces, _, _ = measure.marching_cubes(np.pad(field, 1, constant_values=-1.0), 0.0)
    x, y, z = (points - 0.5 - np.array(field.shape) / 2).T / max(field.shape)
    made = trimesh.Trimesh(np.stack([-y, z, -x], 1), faces)  # Z up, front at -X → Y up, front at Z
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=WOOD, metallicFactor=0.0, roughnessFactor=0.8)
    made.visual = trimesh.visual.TextureVisuals(material=material)
    trimesh.repair.fix_inversion(made)
    return made


def _package(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = {"skimage": "scikit-image"}.get(name.split(".")[0], name.split(".")[0])
        raise MissingPackage("a surface (.obj, .glb)", package, "solids") from error
