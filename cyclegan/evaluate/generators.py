"""Generators from noise, measured: what they make against real pictures of their data set, beside two controls."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cyclegan.data.config import ImagesConfig
from cyclegan.data.dataset_cards import card_named
from cyclegan.data.finding import find_images
from cyclegan.data.pixels import as_colour
from cyclegan.data.reading import Reading
from cyclegan.data.single import Images
from cyclegan.data.source import SAMPLES, Source
from cyclegan.evaluate.entries import SampleFolder, SampleSet, facts_of, is_generator
from cyclegan.evaluate.features import FeatureNetwork, default_features, load_features
from cyclegan.evaluate.html import Sheets
from cyclegan.evaluate.measure import Example, Framing, Measured, compare, measure, ranked
from cyclegan.evaluate.options import Evaluation
from cyclegan.evaluate.report import describe, remarks
from cyclegan.evaluate.results import Results, contact_sheet, enough, open_folder, score_of, watched
from cyclegan.networks.library import find_generator
from cyclegan.sample.generator import Generator
from cyclegan.system.devices import process_rank
from cyclegan.system.errors import UserError
from cyclegan.system.records import run_settings
from cyclegan.system.settings import replaced

NOISE = "noise"  # what stands for the source domain


@dataclass(frozen=True)
class Real:
    """Real pictures: those to hold samples against, and others of the same kind as a control; uint8 (n, C, H, W)."""

    domain: str
    pictures: Tensor
    others: Tensor


def assess_generators(
    options: Evaluation, names: dict[str, str], device: torch.device, say: Callable[[str], object]
) -> Results:
    """Measures the generators, and folders of other programs' samples, that ``names`` holds. Raises ``UserError``."""
    generators = {given: Generator.from_pretrained(given, device) for given in names if is_generator(given)}
    for given, generator in generators.items():
        if generator.makes_solids:
            raise UserError(f"{given} makes solids, and what is compared here are pictures; see docs/family.md")
    size = _size(generators, names, options)
    first = next(iter(generators))
    source, resize = _source(first, generators[first].header, size, options)
    framing = Framing(size, resize)
    rows = [_row(given, names[given], generators.get(given), source, framing, options) for given in names]
    for row in rows:
        enough(row.count, row.name)
    real = _real(source, options)
    networks = [load_features(name, device) for name in options.features or (default_features(say),)]
    imagenet = {label: int(number) for label, _, number in (entry.partition("=") for entry in options.imagenet)}
    protocol = describe(options, source.name, source.split, framing, networks, imagenet)
    protocol["samples"] = {"count": options.count, "truncation": options.truncation}
    folder = open_folder(options, names)
    sheets: Sheets = {}
    report = {"protocol": protocol, "directions": [_figures(real, rows, networks, imagenet, options, sheets)]}
    protocol["remarks"] = remarks(report)
    return Results(report, sheets, score_of(networks), folder)


def _figures(
    real: Real,
    rows: list[SampleSet | SampleFolder],
    networks: list[FeatureNetwork],
    imagenet: dict[str, int],
    options: Evaluation,
    sheets: Sheets,
) -> dict:
    """Every row, then the controls. Adds the rows' contact sheets to ``sheets``."""

    def measured(pictures: Tensor, what: str) -> Measured:
        return watched(lambda chosen: map(Example, as_colour(pictures[list(chosen)])), len(pictures), what, networks)

    def figures(found: Measured) -> dict:
        return compare(found, target, imagenet, options.seed, variety=True)

    target = measured(real.pictures, f"real {real.domain} pictures")
    entry: dict[str, Any] = {"direction": "samples", "from": NOISE, "to": real.domain, "rows": []}
    entry |= {"inputs": options.count, "targets": len(real.pictures)}
    for row in rows:
        found = watched(row.examples, row.count, row.name, networks)
        entry["rows"].append({"name": row.name, "kind": row.kind, **figures(found), "facts": row.facts})
        for network, values in entry["rows"][-1]["features"].items():
            values["seen_in_training"] = network in row.facts["seen"]
        if process_rank() == 0:  # which writes them
            sheets["samples", row.name] = contact_sheet(row.examples, ranked(found, target, networks[0].name))
    mean = real.pictures.float().mean(0).round().byte()
    controls = {"the mean of the real pictures": _repeated(mean, len(real.pictures), networks)}
    if len(real.others) > 1:
        controls[f"real {real.domain} training pictures"] = measured(real.others, "training pictures")
    for name, found in controls.items():
        entry["rows"].append({"name": name, "kind": "control", **figures(found)})
    shares = {n: {c: float((k == i).mean()) for c, i in imagenet.items()} for n, k in target.classes.items()}
    return entry | {"target_classified": shares if imagenet else {}}


def _repeated(picture: Tensor, count: int, networks: list[FeatureNetwork]) -> Measured:
    """What is known of ``count`` times the same picture, looked at once."""
    one = measure([Example(as_colour(picture))], networks)
    features = {name: np.repeat(values, count, 0) for name, values in one.features.items()}
    return Measured(features, {name: np.repeat(c, count, 0) for name, c in one.classes.items()}, count=count)


def _size(generators: dict[str, Generator], names: dict[str, str], options: Evaluation) -> int:
    sizes = {names[given]: generator.header["outputs"][1] for given, generator in generators.items()}
    size = next(iter(sizes.values()))
    if len(set(sizes.values())) > 1:
        made = ", ".join(f"{name} of {side} pixels" for name, side in sizes.items())
        raise UserError(f"compare generators of pictures of one size only, not {made}")
    if options.size not in (None, size):
        raise UserError(f"{next(iter(sizes))} makes pictures of {size} pixels: leave out --size")
    return size


def _source(given: str, header: dict, size: int, options: Evaluation) -> tuple[Source, str]:
    """The data set to measure against, opened at the generator's size, and how its pictures become square."""
    config = _config_of(find_generator(given))
    seen, provenance = config.get("pictures", {}), header["provenance"]
    recorded, data = config.get("dataset") or provenance.get("dataset"), config.get("data")
    wanted = options.data or recorded
    if not wanted:
        raise UserError(f"no data set is recorded with {given}: say with --data on which pictures to measure")
    if options.data:
        # A folder takes the place of a known data set's download, whose card says how to read it.
        as_download = Path(options.data).is_dir() and bool(recorded and card_named(recorded))
        wanted, data = (recorded, options.data) if as_download else (options.data, None)
    resize = options.resize or seen.get("resize") or provenance.get("resize") or "fit"
    category = (seen.get("category") or provenance.get("class")) if wanted == recorded else None
    pictures = replaced(ImagesConfig(size=size), {"resize": resize, "category": category})
    try:
        return SAMPLES["images"](str(wanted), Path(data) if data else None, pictures, Reading(options.seed)), resize
    except UserError as error:
        hint = "" if options.data else "; --data takes another data set or folder"
        raise UserError(f"{str(error).rstrip('.')}{hint}") from error


def _config_of(weights: Path) -> dict:
    """The settings of the run that weights lie in, or its best or kept ones; {} for weights outside a run."""
    for folder in list(weights.parents)[:3]:
        if settings := run_settings(folder):
            return settings
    return {}


def _row(
    given: str,
    name: str,
    generator: Generator | None,
    source: Source,
    framing: Framing,
    options: Evaluation,
) -> SampleSet | SampleFolder:
    if generator:
        facts = facts_of(given, find_generator(given), generator.header)
        return SampleSet(name, generator, options.count, options.seed, options.truncation, facts)
    if not Path(given).is_dir():
        raise UserError(f"{given} is no generator and no folder of pictures, and is compared with generators only")
    facts = {"given": given, "seen": []}
    return SampleFolder(name, find_images(given)[: options.count], source.channels[0], framing, facts)


def _real(source: Source, options: Evaluation) -> Real:
    """Up to ``--count`` test pictures, and as many drawn from those of training.

    Where there are no test pictures, both are drawn from those of training, and none is in both.
    """
    samples = source.samples
    assert isinstance(samples, Images)
    order = np.random.default_rng(options.seed).permutation(len(samples))

    def training(places: np.ndarray) -> Tensor:
        return torch.stack([samples.pictures.picture(int(i)) for i in places])

    count = options.count
    if source.split == "test":
        (pictures,) = source.fixed(count, "")
        others = training(order[:count])
    else:
        enough(len(samples), source.domains[0])
        half = max(2, -(-len(samples) // 2))
        pictures, rest = training(order[:half][:count]), order[half:][:count]
        others = training(rest) if len(rest) else pictures[:0]
    enough(len(pictures), source.domains[0])
    return Real(source.domains[0], pictures, others)
