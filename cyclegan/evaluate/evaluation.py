"""An evaluation from beginning to end: find the data and the translators, measure each direction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cyclegan.data.dataset_cards import dataset_names, spans_on_card
from cyclegan.data.datasets import Dataset, dataset_of_run, locate
from cyclegan.data.masks import masks_beside
from cyclegan.evaluate.entries import Pair, ResultFolder, is_generator, load_translators, pairs, pictures
from cyclegan.evaluate.features import FeatureNetwork, default_features, load_features
from cyclegan.evaluate.generators import assess_generators
from cyclegan.evaluate.html import Sheets
from cyclegan.evaluate.inputs import TestSet
from cyclegan.evaluate.measure import Example, Framing, Measured, compare, ranked
from cyclegan.evaluate.options import Evaluation
from cyclegan.evaluate.report import describe, remarks
from cyclegan.evaluate.results import Results, contact_sheet, enough, given_names, open_folder, score_of, watched
from cyclegan.networks.directions import DIRECTIONS, Direction
from cyclegan.system.devices import choose_device, process_rank
from cyclegan.system.errors import UserError, require


def assess(options: Evaluation, say: Callable[[str], object]) -> Results:
    """Measures what ``options`` ask for. ``say`` takes lines for the user. Raises ``UserError``."""
    require("measuring", "eval", "timm")  # before anything is fetched
    device = choose_device(options.device)
    names = given_names(options)
    from_noise = any(is_generator(name) for name in names)
    results = (assess_generators if from_noise else _assess_translators)(options, names, device, say)
    kept = [name for given, name in names.items() if given not in options.compare] if options.every_kept else []
    return replace(results, kept=tuple(kept))


def _assess_translators(
    options: Evaluation, names: dict[str, str], device: torch.device, say: Callable[[str], object]
) -> Results:
    wanted = tuple(d for d in DIRECTIONS if options.direction in ("both", d.letters))
    loaded = {subject: load_translators(subject, wanted, device) for subject in names}
    data = _data(options, loaded)
    if any(facts["provenance"].get("paired") for found in loaded.values() for _, facts in found.values()):
        data = replace(data, paired_test=True)  # one that learned from pairs
    if data.test_pairs():
        require("SSIM, for test pictures in pairs,", "eval", "torchmetrics")
    subjects = {
        subject: pairs(names[subject], found, data) if found else pictures(subject, names[subject], wanted)
        for subject, found in loaded.items()
    }
    size = options.size or next((t.size for found in loaded.values() for t, _ in found.values() if t.size), 256)
    framing = Framing(size, options.resize or "stretch")
    networks = [load_features(name, device) for name in options.features or (default_features(say),)]
    imagenet = _imagenet(options, data)
    split = "test" if data.test_A and data.test_B else "training"
    protocol = describe(options, data.name, split, framing, networks, imagenet)
    report: dict[str, Any] = {"protocol": protocol, "directions": []}
    folder = open_folder(options, names)
    sheets: Sheets = {}
    for direction in wanted:
        rows = [found[direction] for found in subjects.values() if direction in found]
        if not rows:
            way = " → ".join(direction.of(data.domains))
            say(f"Nothing here translates {way}: that direction is left out.")
            continue
        test = _test(data, direction, rows)
        report["directions"].append(_direction(test, rows, framing, networks, imagenet, options.seed, sheets))
    if not report["directions"]:
        raise UserError(f"nothing to measure: {', '.join(names)} cannot translate in the direction asked for")
    report["protocol"]["remarks"] = remarks(report)
    return Results(report, sheets, score_of(networks), folder)


def _direction(
    test: TestSet,
    rows: list[Pair | ResultFolder],
    framing: Framing,
    networks: list[FeatureNetwork],
    imagenet: dict[str, int],
    seed: int,
    sheets: Sheets,
) -> dict:
    """The entry of one direction: every row, then the controls. Adds the rows' contact sheets to ``sheets``."""
    way = " → ".join(test.domains)

    def measured(made: Callable[[Sequence[int]], Iterable[Example]], count: int, what: str) -> Measured:
        return watched(made, count, f"{way}: {what}", networks)

    def real(paths: list[Path], what: str) -> Measured:
        return measured(lambda chosen: test.targets_of([paths[i] for i in chosen], framing), len(paths), what)

    target = real(test.targets, "real pictures")
    entry: dict[str, Any] = {"direction": test.direction.letters, "from": test.domains[0], "to": test.domains[1]}
    entry |= {"inputs": len(test.inputs), "targets": len(test.targets), "masks": len(test.masks), "rows": []}
    for row in rows:
        count = len(row.files) if isinstance(row, ResultFolder) else len(test.inputs)
        enough(count, row.name)
        found = measured(partial(row.examples, test, framing), count, row.name)
        figures = compare(found, target, imagenet, seed)
        for network in figures["features"]:
            figures["features"][network]["seen_in_training"] = network in row.facts["seen"]
        entry["rows"].append({"name": row.name, "kind": row.kind, **figures, "facts": row.facts})
        if process_rank() == 0:  # which writes them
            sheets[test.direction.letters, row.name] = contact_sheet(
                partial(row.examples, test, framing), ranked(found, target, networks[0].name)
            )
    untouched = measured(partial(test.untouched, framing), len(test.inputs), "untouched inputs")
    controls = {f"untouched {test.domains[0]} pictures": untouched}
    if len(test.training) > 1:  # one picture has no spread
        drawn = _drawn(test.training, len(test.inputs), seed)
        controls[f"real {test.domains[1]} training pictures"] = real(drawn, "training pictures")
    for name, found in controls.items():
        entry["rows"].append({"name": name, "kind": "control", **compare(found, target, imagenet, seed)})
    shares = {n: {c: float((k == i).mean()) for c, i in imagenet.items()} for n, k in target.classes.items()}
    return entry | {"target_classified": shares if imagenet else {}}


def _data(options: Evaluation, loaded: dict) -> Dataset:
    """The test pictures: those asked for, or those of the first translator's data set."""
    recorded = [facts["provenance"].get("dataset") for found in loaded.values() for _, facts in found.values()]
    cards = [name for name, found in loaded.items() if found and name in dataset_names()]
    runs = [dataset_of_run(name) for name in loaded]
    name = options.data or next((n for n in [*runs, *recorded, *cards] if n), None)
    if not name:
        raise UserError("no data set is recorded with it: say with --data on which test pictures to measure")
    folder = Path(name)
    try:
        if folder.is_dir() and folder.resolve().name in dataset_names() and not (folder / "card.toml").exists():
            return locate(folder.resolve().name, folder, side_by_side=True)  # its card knows the domains' names
        return locate(name, side_by_side=True)
    except UserError as error:
        hint = "" if options.data else "; --data takes another data set or folder"
        raise UserError(f"{str(error).rstrip('.')}{hint}") from error


def _test(data: Dataset, direction: Direction, rows: list) -> TestSet:
    """One direction of a data set; its training pictures stand in where it has no test pictures."""
    has_test = bool(data.test_A and data.test_B)
    train = direction.of(data.training())
    test = direction.of(data.test()) if has_test else train
    domains, channels = direction.of(data.domains), direction.of(data.channels)
    for count, domain in zip(map(len, test), domains, strict=True):
        enough(count, domain)
    truth = dict(direction.of(pair) for pair in data.test_pairs())
    trained = [row.there.spans for row in rows if isinstance(row, Pair)]
    on_card = spans_on_card(data.card)
    spans = next((spans for spans in trained if any(spans)), direction.of(on_card) if on_card else (None, None))
    training = train[1] if has_test else []
    folder = direction.of((data.test_A, data.test_B) if has_test else (data.train_A, data.train_B))[0]
    # Where the true picture is known it says what is to change, and with other channels nothing can be kept.
    masked = not truth and channels[0] == channels[1]
    masks = masks_beside(folder, test[0]) if folder and masked else None
    return TestSet(direction, domains, channels, test[0], test[1], training, truth, spans, masks or {})


def _drawn(files: list[Path], count: int, seed: int) -> list[Path]:
    """As many of ``files`` as there are outputs, since FID depends on how many there are."""
    places = np.random.default_rng(seed).permutation(len(files))[:count]
    return [files[i] for i in sorted(places)]


def _imagenet(options: Evaluation, data: Dataset) -> dict[str, int]:
    if options.imagenet:
        return {label: int(number) for label, _, number in (entry.partition("=") for entry in options.imagenet)}
    return dict(data.card.get("imagenet", {}))
