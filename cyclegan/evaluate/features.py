"""The networks through whose features pictures are compared, by name; one entry in the table at the foot each.

A distance means nothing without the name of its network and the way pictures were brought to its size, so both stand
here and go into every report. ``inception`` is the one of published figures; its weights (96 MB) are fetched once.
Those of ``efficientnet-lite*`` come inside Python packages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cyclegan.networks.backbones import EFFICIENTNET_LITE, efficientnet_lite
from cyclegan.system.download import NotFetched, download
from cyclegan.system.errors import UserError, require
from cyclegan.system.files import alone, sha256_of

BATCH = 16
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
INCEPTION_URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{INCEPTION_FILE}"
INCEPTION_LIMIT = 200 * 10**6  # bytes
INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


@dataclass(frozen=True)
class FeatureNetwork:
    """Pictures → features, and where it classifies, the number of the ImageNet class (0 to 999)."""

    name: str
    dimensions: int
    protocol: str  # how pictures get in and features come out, in words
    sha256: str  # of the weights
    look: Callable[[Tensor], tuple[Tensor, Tensor | None]]  # uint8 (N, 3, H, W) → (N, dimensions), (N,) or None

    def __call__(self, pictures: Tensor) -> tuple[np.ndarray, np.ndarray | None]:
        """uint8 (N, 3, H, W) on the CPU → float64 (N, dimensions) and int64 (N,), or None for the latter."""
        seen = [self.look(batch) for batch in pictures.split(BATCH)]
        features = torch.cat([features for features, _ in seen]).double().cpu().numpy()
        classes = [classes for _, classes in seen if classes is not None]
        return features, torch.cat(classes).cpu().numpy() if classes else None


def load_features(name: str, device: torch.device | str = "cpu") -> FeatureNetwork:
    """The feature network called ``name``; leaves the random state alone. Raises ``UserError``."""
    if name not in FEATURES:
        raise UserError(f"there is no feature network {name!r}: there are {', '.join(FEATURES)}")
    with torch.random.fork_rng(devices=[]):  # networks draw initial weights before they get their own
        return FEATURES[name](name, torch.device(device))


def default_features(say: Callable[[str], object]) -> str:
    """``inception`` where its weights are or can be fetched, else ``efficientnet-lite0``, which is said aloud."""
    try:
        inception_weights(say)
        return "inception"
    except UserError as error:
        say(f"Measuring with efficientnet-lite0, because {error}. Its figures do not compare with published FIDs.")
        return "efficientnet-lite0"


def inception_weights(say: Callable[[str], object] = print) -> Path:
    """torch-fidelity's own copy of the Inception weights; fetched once and checked. Raises ``UserError``."""
    require("inception", "eval", "torch_fidelity")
    path = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
    if not path.is_file():
        say(f"Fetching the weights of inception (96 MB) from {INCEPTION_URL}")
        try:
            with alone(path, "fetching"):
                _fetch_inception(path)
        except (NotFetched, OSError) as error:
            by_hand = f"fetch {INCEPTION_URL} by hand and save it as {path}"
            raise UserError(f"the weights of inception could not be fetched ({error}; {by_hand})") from error
    elif sha256_of(path) != INCEPTION_SHA256:
        raise UserError(f"{path} is not the published file (its sha256 differs): remove it and try again")
    return path


def _fetch_inception(path: Path) -> None:
    if path.is_file():  # another process has fetched it meanwhile
        return
    part = path.with_name(f".{path.name}.part")
    download([INCEPTION_URL], part, sha256=INCEPTION_SHA256, limit=INCEPTION_LIMIT)
    part.replace(path)


def _inception(name: str, device: torch.device) -> FeatureNetwork:
    return inception_from(inception_weights(), name, device)


def inception_from(path: Path, name: str = "inception", device: torch.device | str = "cpu") -> FeatureNetwork:
    """torch-fidelity's Inception v3 with the weights in ``path``, which is trusted: the caller has checked it."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    network = FeatureExtractorInceptionV3(name, ["2048"], feature_extractor_weights_path=str(path)).to(device)
    protocol = "torch-fidelity's Inception v3: TensorFlow 1's bilinear to 299 x 299, (x - 128) / 128, 2048 pooled"

    @torch.inference_mode()
    def look(pictures: Tensor) -> tuple[Tensor, None]:
        return network(pictures.to(device))[0], None

    return FeatureNetwork(name, 2048, protocol, sha256_of(path), look)


def _efficientnet(side: int) -> Callable[[str, torch.device], FeatureNetwork]:
    """Table entry for an EfficientNet-Lite that was trained on pictures of ``side`` pixels."""

    def load(name: str, device: torch.device) -> FeatureNetwork:
        network: Any = efficientnet_lite(name).to(device)
        protocol = f"Pillow's bicubic to {side} x {side}, (x - 127) / 128, 1280 channels averaged over space"

        @torch.inference_mode()
        def look(pictures: Tensor) -> tuple[Tensor, Tensor]:
            x = (resized(pictures, side).to(device).float() - 127) / 128
            features = network.forward_features(x)
            return features.mean((2, 3)), network.forward_head(features).argmax(1)

        return FeatureNetwork(name, 1280, protocol, sha256_of(_packaged(name)), look)

    return load


def _packaged(name: str) -> str:
    from importlib import import_module

    _, package, holder = EFFICIENTNET_LITE[name]
    return getattr(import_module(package), holder).get_model_file_path()


def resized(pictures: Tensor, side: int) -> Tensor:
    """uint8 (N, 3, H, W) → uint8 (N, 3, side, side) by Pillow's bicubic, which averages when it shrinks."""
    if pictures.shape[-2:] == (side, side):
        return pictures
    images = (Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pictures)
    small = [np.asarray(image.resize((side, side), Image.Resampling.BICUBIC)) for image in images]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2)


FEATURES: dict[str, Callable[[str, torch.device], FeatureNetwork]] = {
    "inception": _inception,
    "efficientnet-lite0": _efficientnet(224),
    "efficientnet-lite1": _efficientnet(240),
    "efficientnet-lite2": _efficientnet(260),
}
