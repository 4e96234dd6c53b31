"""The translator: one trained generator that takes any picture and gives back the same kind and size.

from cyclegan import Translator
zebra = Translator.from_pretrained("horse2zebra")
zebra("horse.jpg").save("zebra.png")
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCard, ModelHubMixin
from torch import Tensor, nn

from cyclegan.data.images import load_image
from cyclegan.data.values import Span, check_range
from cyclegan.networks.dropout import seed_of, with_seed
from cyclegan.networks.hub import readme
from cyclegan.networks.linked import REFERENCE_SIZE
from cyclegan.networks.weights import save_weights
from cyclegan.system.errors import ImageError, UserError
from cyclegan.translate.closeness import Closeness, closeness
from cyclegan.translate.colours import read_palette
from cyclegan.translate.forward import at_once, each
from cyclegan.translate.keep import keep_outside
from cyclegan.translate.kinds import LARGEST, Values, fetch_picture, take
from cyclegan.translate.loading import load_foreign, load_pretrained
from cyclegan.translate.watching import Watch


class Translator(ModelHubMixin, library_name="cyclegan-toolkit", pipeline_tag="image-to-image", tags=["cyclegan"]):
    """Translates pictures of the domain ``domains[0]`` into ``domains[1]``.

    Args:
        network: a generator, (N, C_in, H, W) → (N, C_out, H, W) in [-1, 1]; it may take palettes (N, 27) as well.
        header: what a weights file says of it, see ``cyclegan.networks.weights``.
        device: where it runs; by default on the first CUDA device, and on the CPU where there is none.
        direction: ``"G_AB"`` or ``"G_BA"``: which half of its pair it is, hence the name of its file.
    """

    def __init__(
        self, network: nn.Module, header: dict, device: torch.device | str | None = None, direction: str = "G_AB"
    ):
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.network: Any = network.eval().requires_grad_(False).to(self.device)
        self.header, self.direction = header, direction
        self._of_palette: dict[bytes, Translator] = {}  # the last ones that were asked for
        self._hub_mixin_config = header  # what the hub shows as config.json

    @property
    def domains(self) -> tuple[str, str]:
        """(source, target), for example ("horse", "zebra")."""
        return tuple(self.header["domains"])

    @property
    def size(self) -> int | None:
        """Height and width, in pixels, of the pictures it was trained on; None where that is not known."""
        return self.header.get("size")

    @property
    def channels(self) -> tuple[int, int]:
        """Channels of the pictures that go in and come out."""
        return tuple(self.header["preprocessing"]["channels"])

    @property
    def spans(self) -> tuple[Span | None, Span | None]:
        """What was black and white in the source's and the target's training pictures of more than 8 bits."""
        source, target = self.header["preprocessing"].get("spans") or (None, None)
        return tuple(source) if source else None, tuple(target) if target else None

    @property
    def palettes(self) -> Tensor | None:
        """Palettes (N, 27) of training pictures, where the colours of a translation can be chosen; else None."""
        stored = self.header.get("palettes")
        return torch.tensor(stored, dtype=torch.float32) if stored else None

    def with_palette(self, palette: Any = None) -> Translator:
        """The translator that always paints in these colours; ``palette`` is as in a call, and None the typical one.

        It takes no palettes any more, and can be saved and exported as any other. It shares this one's weights. Raises
        ``UserError``.
        """
        stored = self.palettes
        if stored is None:
            raise UserError(
                f"the colours of {' → '.join(self.domains)} cannot be chosen here: it was trained without --palette"
            )
        wanted = read_palette(palette, stored)
        key = wanted.numpy().tobytes()
        if key not in self._of_palette:
            architecture = {k: v for k, v in self.header["architecture"].items() if k != "palette"}
            header = {k: v for k, v in self.header.items() if k != "palettes"}
            header["architecture"] = architecture | {"norm": "instance_affine"}
            painted = Translator(self.network.with_palette(wanted), header, self.device, self.direction)
            self._of_palette = dict([*self._of_palette.items()][-7:]) | {key: painted}
        return self._of_palette[key]

    def with_seed(self, seed: int) -> Translator:
        """The translator whose noise follows from ``seed``, a whole number of 0 or more; it shares this one's weights.

        pix2pix has noise: parts of its features are dropped at random, which makes small differences. The same seed
        gives the same picture, and 0 is the one that holds without asking. Raises ``UserError`` where there is none.
        """
        if seed_of(self.network) is None:
            raise UserError(f"{' → '.join(self.domains)} has no noise that a seed could choose: leave it out")
        if seed < 0:
            raise UserError(f"a seed is a whole number of 0 or more, not {seed}")
        return Translator(with_seed(self.network, seed), self.header, self.device, self.direction)

    def __repr__(self) -> str:
        name = self.header["architecture"]["name"]
        return f"Translator({' → '.join(self.domains)}, {name}, trained at {self.size} px, on {self.device})"

    def __call__(
        self,
        picture: Any,
        *,
        size: int | None = None,
        tile: int | None = None,
        range: tuple[float, float] | None = None,
        palette: Any = None,
        mask: Any = None,
        watch: Watch | None = None,
    ) -> Any:
        """The translated picture: of the same kind as ``picture``, and of the same height and width.

        Args:
            picture: a path or URL of a file, a Pillow image, an array (H, W[, C]) or a tensor (C, H, W), of uint8,
                uint16 or floating point in [-1, 1]; or several: a list or tuple, of mixed kinds and sizes too, an
                array (N, H, W, C) or a tensor (N, C, H, W). Files come back as Pillow images, lists as lists.
            size: the network works on the picture scaled down to ``size`` pixels on its shorter side, and its answer is
                scaled up: of a residual generator gain and offset, which leave the picture its own detail, of any other
                the result. Smaller pictures are not enlarged. By default it works at the picture's own resolution; but
                what it learned at ``self.size`` pixels (stripes, brush strokes) keeps its size in pixels, so that on
                much larger pictures ``size=translator.size`` often looks more like the training.
            tile: bound the memory by working on about ``tile`` × ``tile`` pixels at a time, with the statistics of
                the whole picture, so that the result is the same (see ``translate.large``); 0 for never. By default
                that is done above 1 megapixel for the full-size ResNet, and above up to 4 for smaller networks.
            range: the two values that are black and white in pictures of floating point or of more than 8 bits, such
                as ``(0, 1)`` for tensors in [0, 1]; the results are in it too, and what lies beyond is clipped. By
                default arrays and tensors of floating point are in [-1, 1], uint16 in [0, 65535], and files of more
                than 8 bits, as other whole numbers, are as in the training. 8 bits are always in [0, 255].
            palette: the colours to paint in, for translators trained with ``--palette``: names (``"red"``,
                ``"red, gold"``), hexadecimal colours (``"#ff8800"``), another picture whose colours to take, a list
                of these in equal parts, or a whole number, which draws a palette of a training picture: 0, the
                default, the most typical one, and 1, 2, 3 … such as differ much.
            mask: what to translate of one picture: white in it is translated, and black keeps the picture's own pixels.
                A file, a Pillow image or an array (H, W) of bool, uint8 or floating point in [0, 1]; or a list of
                these, such as one of each thing, whose union counts.
            watch: called in this thread with the share of the work that is done, a float from 0 to 1 that rises, after
                every convolution. It may show it, and it cancels: what it raises ends the translation at once and
                passes through to the caller, for example where ``threading.Event.is_set()``.

        Raises ``ImageError`` (a ``ValueError``) with one sentence for what is no usable picture, and ``UserError`` for
        what is no palette.
        """
        check_range(range)
        if mask is not None:
            if isinstance(picture, (list, tuple)) or getattr(picture, "ndim", None) == 4:
                raise ImageError("a mask belongs to one picture: translate them one by one")
            picture = (
                load_image(fetch_picture(picture), LARGEST) if isinstance(picture, (str, os.PathLike)) else picture
            )
            made = self(picture, size=size, tile=tile, range=range, palette=palette, watch=watch)
            return keep_outside(picture, made, mask)
        if palette is not None or self.palettes is not None:
            return self.with_palette(palette)(picture, size=size, tile=tile, range=range, watch=watch)
        if isinstance(picture, (list, tuple)):
            return self._many(picture, size, tile, range, watch)
        if getattr(picture, "ndim", None) == 4:
            return _stacked(picture, self._many(list(picture), size, tile, range, watch))
        return self._many([picture], size, tile, range, watch)[0]

    def run(self, batch: Tensor, palette: Any = None) -> Tensor:
        """Float (N, C_in, H, W) in [-1, 1] → float (N, C_out, H, W) in [-1, 1], on the device that ``batch`` is on.

        The generator itself, untiled, at any height and width: what it cannot divide is padded by reflection on the
        right and at the bottom, and cropped off again. Every picture is translated as if it were alone. ``palette`` is
        as in a call.
        """
        if palette is not None or self.palettes is not None:
            return self.with_palette(palette).run(batch)
        if batch.dim() != 4 or batch.shape[1] != self.channels[0] or not batch.is_floating_point():
            wanted = f"float (N, {self.channels[0]}, H, W)"
            raise ImageError(f"this translator runs on {wanted}, not on {batch.dtype} {list(batch.shape)}")
        return at_once(self.network, self.device, batch)

    def closeness(self, picture: Any) -> Closeness | None:
        """How close one picture is to those that it was trained on. Raises ``ImageError``.

        None where the weights have no summary of these, or the packages of the extra ``quick`` are missing.
        """
        return closeness(take(picture, self.channels[0], Values(*self.spans))[0], self.header)

    def _many(
        self, pictures: Sequence, size: int | None, tile: int | None, span: Span | None, watch: Watch | None
    ) -> list:
        values = Values(*self.spans, span)
        taken = [take(picture, self.channels[0], values) for picture in pictures]
        results: list = [None] * len(taken)
        for i, result in each(self.network, self.device, [pixels for pixels, _ in taken], size, tile, watch):
            results[i] = taken[i][1](result)
        return results

    @classmethod
    def from_pretrained(  # type: ignore[override]  # the options of the base class that have no use here are left out
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        reverse: bool = False,
        device: torch.device | str | None = None,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
    ) -> Translator:
        """Loads a translator A → B, or with ``reverse`` its partner B → A.

        ``pretrained_model_name_or_path`` is the name of a card (``"horse2zebra"``), a run folder or its name, a folder
        with ``G_AB.safetensors``, a weights file (ours, or the reference's ``.pth``), or a Hugging Face repository
        (``"OWNER/NAME"``), for which the last five arguments are meant. Raises ``UserError`` or ``WeightsError``,
        both a ``ValueError``, with one sentence.
        """
        hub: dict[str, Any] = {"revision": revision, "token": token, "cache_dir": cache_dir}
        hub |= {"force_download": force_download, "local_files_only": local_files_only}
        network, header, direction = load_pretrained(pretrained_model_name_or_path, reverse, **hub)
        return cls(network, header, device, direction)

    @classmethod
    def from_reference(
        cls,
        path: str | os.PathLike[str],
        domains: Sequence[str] = ("A", "B"),
        size: int = REFERENCE_SIZE,
        device: torch.device | str | None = None,
        direction: str = "G_AB",
        key: str | None = None,
        dropout: bool = True,
    ) -> Translator:
        """Loads a generator of the reference implementation or of GAN Compression, see ``cyclegan.networks.reference``.

        Such files say neither what they translate nor at which size they were trained: ``domains`` and ``size`` do.
        ``key`` names one of several generators in the file; ``dropout`` is False for a U-Net that was trained without.
        """
        network, header, direction = load_foreign(path, domains, direction, size, key, dropout)
        return cls(network, header, device, direction)

    def _save_pretrained(self, save_directory: Path) -> None:
        save_weights(Path(save_directory) / f"{self.direction}.safetensors", self.network, self.header)

    def generate_model_card(self, **_: Any) -> ModelCard:
        """The hub's README.md: what it translates, how to use it, how it was built and where it comes from."""
        return ModelCard(readme(self.header, self.direction))


def _stacked(like: Any, results: list) -> Any:
    if isinstance(like, Tensor):
        return torch.stack(results)
    import numpy as np

    return np.stack(results)
