"""What can be evaluated: a pair of translators, one alone, a generator from noise, or a folder of pictures that some
other program made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cyclegan.data.datasets import Dataset
from cyclegan.data.finding import find_images
from cyclegan.data.pixels import as_colour, to_levels, to_signed
from cyclegan.evaluate.inputs import TestSet
from cyclegan.evaluate.measure import Example, Framing
from cyclegan.networks import library
from cyclegan.networks.directions import A_TO_B, B_TO_A, DIRECTIONS, Direction
from cyclegan.networks.layers import composite
from cyclegan.networks.weights import read_header
from cyclegan.sample.generator import Generator
from cyclegan.system.errors import UserError, WeightsError
from cyclegan.system.files import sha256_of
from cyclegan.translate.translator import Translator

TOGETHER = 4  # pictures translated in one call


@dataclass(frozen=True)
class Pair:
    """A translator of one direction, and its partner for the way back where there is one."""

    name: str
    there: Translator
    back: Translator | None
    facts: dict  # for the report: file, sha256, …

    kind = "translator"

    def examples(self, test: TestSet, framing: Framing, chosen: Sequence[int] | None = None) -> Iterator[Example]:
        """The inputs of ``test`` translated (all, or those with the numbers ``chosen``), in order."""
        paths = test.inputs if chosen is None else [test.inputs[i] for i in chosen]
        for first in range(0, len(paths), TOGETHER):
            group = paths[first : first + TOGETHER]
            sources, inside = test.read(group, self.there.channels[0], framing)
            signed = to_signed(sources)
            outputs = self._outputs(signed, (chosen or range(len(paths)))[first : first + TOGETHER])
            outputs = outputs if inside is None else composite(outputs, signed, inside)
            backs: Sequence[Tensor | None] = [None] * len(group)
            if self.back:
                # It starts from what the generator gave, not from what 8 bits leave of it, as in training.
                home = _backs(self.back, outputs, signed)
                backs = list(to_levels(home if inside is None else composite(home, signed, inside)))
            for path, source, output, back in zip(group, sources, to_levels(outputs), backs, strict=True):
                returned = None if back is None else as_colour(back)
                yield Example(as_colour(output), as_colour(source), returned, test.true(path, framing))

    def _outputs(self, sources: Tensor, numbers: Sequence[int]) -> Tensor:
        """Translations; where colours can be chosen, input number n is painted with stored palette number n."""
        if self.there.palettes is None:
            return self.there.run(sources)
        return torch.cat([self.there.run(s, n) for s, n in zip(sources.split(1), numbers, strict=True)])


def _backs(back: Translator, outputs: Tensor, sources: Tensor) -> Tensor:
    """The way back; where its colours can be chosen, in those of the picture that it began with."""
    if back.palettes is None:
        return back.run(outputs)
    return torch.cat([back.run(output[None], source) for output, source in zip(outputs, sources, strict=True)])


@dataclass(frozen=True)
class ResultFolder:
    """A folder of translated pictures; those named as an input (or NAME_fake_B, NAME_fake) are held against it."""

    name: str
    files: list[Path]
    facts: dict

    kind = "pictures"

    def examples(self, test: TestSet, framing: Framing, chosen: Sequence[int] | None = None) -> Iterator[Example]:
        """The pictures (all, or those with the numbers ``chosen``), in order."""
        inputs = {path.stem: path for path in test.inputs}
        for path in self.files if chosen is None else [self.files[i] for i in chosen]:
            output = as_colour(framing.read(path, test.channels[1], test.spans[1]))
            source = inputs.get(_plain(path.stem))
            if source is None:
                yield Example(output)
            else:
                untouched = as_colour(framing.read(source, test.channels[0], test.spans[0]))
                yield Example(output, untouched, truth=test.true(source, framing))


@dataclass(frozen=True)
class SampleSet:
    """What a generator makes of the first ``count`` latents of a seed."""

    name: str
    generator: Generator
    count: int
    seed: int
    truncation: float
    facts: dict

    kind = "generator"

    def examples(self, chosen: Sequence[int] | None = None) -> Iterator[Example]:
        """The pictures (all, or those with the numbers ``chosen``), in order; greys in three equal channels."""
        latents = self.generator.latents(self.count, self.seed, self.truncation)
        for part in (latents if chosen is None else latents[list(chosen)]).split(TOGETHER):
            yield from (Example(as_colour(picture)) for picture in to_levels(self.generator.run(part)))


@dataclass(frozen=True)
class SampleFolder:
    """Pictures that some other program has made from noise, the first ``count`` of a folder."""

    name: str
    files: list[Path]
    channels: int
    framing: Framing
    facts: dict

    kind = "pictures"

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.files)

    def examples(self, chosen: Sequence[int] | None = None) -> Iterator[Example]:
        """The pictures (all, or those with the numbers ``chosen``), in order."""
        for path in self.files if chosen is None else [self.files[i] for i in chosen]:
            yield Example(as_colour(self.framing.read(path, self.channels)))


def load_translators(
    given: str, wanted: tuple[Direction, ...], device: torch.device
) -> dict[Direction, tuple[Translator, dict]]:
    """The translators that ``given`` names, by direction, each with its facts; {} for a folder of pictures.

    A single generator in a file belongs to the one direction that is ``wanted``, if only one is. Raises ``UserError``.
    """
    found, reasons = {}, []
    for direction in DIRECTIONS:
        try:
            path = library.find(given, direction.reverse).path
            translator = Translator.from_pretrained(given, direction.reverse, device)
            found[direction] = translator, facts_of(given, path, translator.header)
        except WeightsError:
            raise  # a file that is there and damaged is no missing direction
        except UserError as error:
            reasons.append(error)
    if not found:
        path = Path(given)
        is_run = (path / "config.json").exists()  # its samples are no results
        if path.is_dir() and not is_run and find_images(path):
            return {}
        raise reasons[0]
    if len(wanted) == 1 and Path(given).is_file():
        return {wanted[0]: next(iter(found.values()))}
    return found


def pairs(name: str, found: dict[Direction, tuple[Translator, dict]], data: Dataset) -> dict[Direction, Pair]:
    """One ``Pair`` for each direction of ``data``; by the names of the domains where the translators know them."""
    if all(translator.domains == direction.back.of(data.domains) for direction, (translator, _) in found.items()):
        found = {direction.back: translator for direction, translator in found.items()}
    made = {}
    for direction, (translator, facts) in found.items():
        back, _ = found.get(direction.back, (None, None))
        made[direction] = Pair(name, translator, back, facts)
    return made


def facts_of(given: str, path: Path, header: dict) -> dict:
    """What the report says of a network: enough to know the same file again."""
    provenance = header.get("provenance", {})
    return {
        "given": given,
        "file": path.name,
        "sha256": sha256_of(path),
        "architecture": header["architecture"],
        "trained_at": header.get("size"),
        "averaged": provenance["ema"] > 0 if "ema" in provenance else None,
        "seen": list(provenance.get("seen", [])),
        "provenance": provenance,
    }


def is_generator(given: str) -> bool:
    """Whether ``given`` names a generator from noise; nothing is fetched to find out."""
    path = Path(given).expanduser()
    try:
        if path.is_file() and path.suffix == ".safetensors":
            return read_header(path)["kind"] == "generator"
        if not path.is_dir() and given in library.model_names():
            return library.GENERATOR in library.model_card(given)
    except UserError:
        return False
    folders = (path, Path("runs") / given)
    return any((folder / f"{library.GENERATOR}.safetensors").is_file() for folder in folders)


def pictures(given: str, name: str, wanted: tuple[Direction, ...]) -> dict[Direction, ResultFolder]:
    """A folder of another program's results, by direction.

    The reference's result folders hold NAME_real_A, NAME_fake_B …: there only the fakes count, each for its
    direction. Any other folder counts for the first direction that is ``wanted``.
    """
    files = find_images(given)
    made = {}
    for direction, ends in ((A_TO_B, ("_fake_B", "_fake")), (B_TO_A, ("_fake_A",))):
        fakes = [path for path in files if path.stem.endswith(ends)]
        if fakes and direction in wanted:
            made[direction] = ResultFolder(name, fakes, {"given": given, "seen": []})
    return made or {wanted[0]: ResultFolder(name, files, {"given": given, "seen": []})}


def _plain(stem: str) -> str:
    for end in ("_fake_B", "_fake_A", "_fake"):
        stem = stem.removesuffix(end)
    return stem
