"""An evaluation from beginning to end: find the data and the translators, measure each direction, write the results."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from cyclegan.data.contact_sheet import sheet
from cyclegan.data.datasets import Dataset, dataset_names, dataset_of_run, locate
from cyclegan.data.images import find_images
from cyclegan.evaluate.entries import DIRECTIONS, Pair, Pictures, Test, load_translators, pairs, pictures
from cyclegan.evaluate.features import default_features, load_features
from cyclegan.evaluate.html import Sheets, page, row_titles
from cyclegan.evaluate.measure import Framing, Measured, compare, measure, ranked
from cyclegan.evaluate.metrics import NEAREST
from cyclegan.evaluate.options import Evaluation
from cyclegan.evaluate.report import as_json, describe, markdown, remarks
from cyclegan.system.devices import choose_device
from cyclegan.system.errors import UserError

SHOWN = 3  # pictures in each group of a contact sheet


@dataclass(frozen=True)
class Results:
    """What was measured, and the pictures to show with it."""

    report: dict[str, Any]  # what evaluation.json holds
    sheets: Sheets = field(repr=False)
    score: str  # what the pictures of the sheets are ranked by
    folder: Path  # where ``write`` puts it all

    @property
    def text(self) -> str:
        """The report in Markdown."""
        return markdown(self.report)


def assess(options: Evaluation, say: Callable[[str], object]) -> Results:
    """Measures what ``options`` ask for. ``say`` takes lines for the user. Raises ``UserError``."""
    device = choose_device(options.device)
    wanted = DIRECTIONS if options.direction == "both" else (options.direction,)
    given = [*([options.name] if options.name else []), *options.compare]
    names = dict(zip(given, _names(given), strict=True))
    loaded = {subject: load_translators(subject, wanted, device) for subject in names}
    data = _data(options, loaded)
    subjects = {
        subject: pairs(names[subject], found, data) if found else pictures(subject, names[subject], wanted)
        for subject, found in loaded.items()
    }
    size = options.size or next((t.size for found in loaded.values() for t, _ in found.values() if t.size), 256)
    framing = Framing(size, options.resize)
    networks = [load_features(name, device) for name in options.features or (default_features(say),)]
    imagenet = _imagenet(options, data)
    report = {"protocol": describe(options, data, size, networks, imagenet), "directions": []}
    folder = options.output or _folder(given)
    try:
        folder.mkdir(parents=True, exist_ok=True)  # now, and not after minutes of measuring
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; choose another folder with --output") from error
    sheets: Sheets = {}
    for direction in wanted:
        rows = [found[direction] for found in subjects.values() if direction in found]
        if not rows:
            way = " → ".join(_ordered(data.domains, direction))
            say(f"Nothing here translates {way}: that direction is left out.")
            continue
        test = _test(data, direction)
        report["directions"].append(_direction(test, rows, framing, networks, imagenet, options.seed, sheets))
    if not report["directions"]:
        raise UserError(f"nothing to measure: {', '.join(given)} cannot translate in the direction asked for")
    report["protocol"]["remarks"] = remarks(report)
    score = f"the mean distance to the {NEAREST} nearest real pictures in {networks[0].name}"
    return Results(report, sheets, score, folder)


def _direction(test: Test, rows: list[Pair | Pictures], framing, networks, imagenet, seed, sheets: Sheets) -> dict:
    """The entry of one direction: every row, then the controls. Adds the rows' contact sheets to ``sheets``."""
    way = " → ".join(test.domains)

    def measured(examples, count: int, what: str) -> Measured:
        console = Console(stderr=True)
        quiet = not console.is_terminal
        return measure(track(examples, f"{way}: {what}", count, console=console, disable=quiet), networks)

    target = measured(test.targets_of(test.targets, framing), len(test.targets), "real pictures")
    entry = {"direction": test.direction, "from": test.domains[0], "to": test.domains[1]}
    entry |= {"inputs": len(test.inputs), "targets": len(test.targets), "rows": []}
    for row in rows:
        count = len(row.files) if isinstance(row, Pictures) else len(test.inputs)
        _enough(count, row.name)
        found = measured(row.examples(test, framing), count, row.name)
        figures = compare(found, target, imagenet, seed)
        for network in figures["features"]:
            figures["features"][network]["seen_in_training"] = network in row.facts["seen"]
        entry["rows"].append({"name": row.name, "kind": row.kind, **figures, "facts": row.facts})
        sheets[test.direction, row.name] = _sheet(row, test, framing, ranked(found, target, networks[0].name))
    untouched = measured(test.untouched(framing), len(test.inputs), "untouched inputs")
    controls = {f"untouched {test.domains[0]} pictures": untouched}
    if test.training:
        drawn = _drawn(test.training, len(test.inputs), seed)
        examples = test.targets_of(drawn, framing)
        controls[f"real {test.domains[1]} training pictures"] = measured(examples, len(drawn), "training pictures")
    for name, found in controls.items():
        entry["rows"].append({"name": name, "kind": "control", **compare(found, target, imagenet, seed)})
    real = {n: {c: float((k == i).mean()) for c, i in imagenet.items()} for n, k in target.classes.items() if imagenet}
    return entry | {"target_classified": real}


def _sheet(row: Pair | Pictures, test: Test, framing: Framing, order: list[int]) -> dict[str, list[list[Image.Image]]]:
    """The best, the middle and the worst outputs, made once more, beside their inputs and round trips."""
    count = max(1, min(SHOWN, len(order) // 3))
    middle = (len(order) - count) // 2
    groups = {"best": order[:count], "median": order[middle : middle + count], "worst": order[-count:]}
    made = {}
    for group, chosen in groups.items():
        examples = list(row.examples(test, framing, chosen))
        complete = all(example.source is not None for example in examples)
        made[group] = [
            [_picture(part) for part in ((e.source, e.output, e.back) if complete else (e.output,)) if part is not None]
            for e in examples
        ]
    return made


def _picture(pixels) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def write(results: Results) -> None:
    """Writes the JSON, the Markdown, the HTML page and the contact sheets into the results' folder."""
    folder = results.folder
    (folder / "evaluation.json").write_text(as_json(results.report), encoding="utf-8")
    (folder / "evaluation.md").write_text(results.text, encoding="utf-8")
    (folder / "report.html").write_text(page(results.report, results.sheets, results.score), encoding="utf-8")
    for (direction, name), groups in results.sheets.items():
        titled = {f"{group}: {row_titles(groups).lower()}": rows for group, rows in groups.items()}
        sheet(titled).save(folder / f"{direction}_{_slug(name)}.png")


def _names(given: list[str]) -> list[str]:
    """Short names for the rows: the last part of each path, or all of it where that is not unique."""
    if len(set(given)) < len(given):
        raise UserError("the same thing is named twice; one row each is enough")
    short = [_short(Path(name)) for name in given]
    return [name if short.count(name) == 1 else whole for name, whole in zip(short, given, strict=True)]


def _short(path: Path) -> str:
    if path.is_file():
        return path.stem
    name = path.resolve().name
    return f"{path.resolve().parent.name}/best" if name == "best" else name  # of a run, which has the name


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
            return locate(folder.resolve().name, folder)  # its card knows the domains' names
        return locate(name)
    except UserError as error:
        hint = "" if options.data else "; --data takes another data set or folder"
        raise UserError(f"{error}{hint}") from error


def _test(data: Dataset, direction: str) -> Test:
    """One direction of a data set; its training pictures stand in where it has no test pictures."""
    order = 1 if direction == "AB" else -1
    has_test = bool(data.test_A and data.test_B)
    train = [find_images(folder) for folder in (data.train_A, data.train_B)][::order]
    test = [find_images(folder) for folder in (data.test_A, data.test_B)][::order] if has_test else train
    domains, channels = _ordered(data.domains, direction), tuple(data.channels[::order])
    for count, domain in zip(map(len, test), domains, strict=True):
        _enough(count, domain)
    truth = dict(pair[::order] for pair in data.test_pairs())
    return Test(direction, domains, channels, *test, train[1] if has_test else [], truth)


def _enough(count: int, what: str) -> None:
    if count < 2:
        raise UserError(f"a distance needs at least two pictures, and there is {count} of {what}")


def _ordered(domains: tuple[str, str], direction: str) -> tuple[str, str]:
    return domains if direction == "AB" else domains[::-1]


def _drawn(files: list[Path], count: int, seed: int) -> list[Path]:
    """As many of ``files`` as there are outputs, since FID depends on how many there are."""
    places = np.random.default_rng(seed).permutation(len(files))[:count]
    return [files[i] for i in sorted(places)]


def _imagenet(options: Evaluation, data: Dataset) -> dict[str, int]:
    if options.imagenet:
        return {label: int(number) for label, _, number in (entry.partition("=") for entry in options.imagenet)}
    return dict(data.card.get("imagenet", {}))


def _folder(given: list[str]) -> Path:
    path = Path(given[0])
    if path.is_dir() and (path / "config.json").exists() and len(given) == 1:
        return path / "evaluation"
    return Path("evaluation") / ("comparison" if len(given) > 1 else _slug(_names(given)[0]))


def _slug(name: str) -> str:
    """A file name of it."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
