"""What an evaluation leaves: figures, contact sheets and the files that hold them; translators and generators alike."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from cyclegan.data.contact_sheet import sheet
from cyclegan.data.formats import save_picture
from cyclegan.evaluate.curve import draw, kept_weights
from cyclegan.evaluate.features import FeatureNetwork
from cyclegan.evaluate.html import Sheets, page, row_titles
from cyclegan.evaluate.measure import Example, Measured, joined, measure
from cyclegan.evaluate.metrics import NEAREST
from cyclegan.evaluate.options import Evaluation
from cyclegan.evaluate.report import as_json, markdown
from cyclegan.system.devices import from_all, process_count, process_rank
from cyclegan.system.errors import UserError
from cyclegan.system.files import write_whole
from cyclegan.system.terminal import track

SHOWN = 3  # pictures in each group of a contact sheet


@dataclass(frozen=True)
class Results:
    """What was measured, and the pictures to show with it."""

    report: dict[str, Any]  # what evaluation.json holds
    sheets: Sheets = field(repr=False)
    score: str  # what the pictures of the sheets are ranked by
    folder: Path  # where ``write`` puts it all
    kept: tuple[str, ...] = ()  # names of the rows that are one training's, to draw a curve of

    @property
    def text(self) -> str:
        """The report in Markdown."""
        return markdown(self.report)


def write(results: Results) -> None:
    """Writes the JSON, the Markdown, the HTML page and the contact sheets into the results' folder."""
    folder = results.folder
    write_whole(folder / "evaluation.json", as_json(results.report))
    write_whole(folder / "evaluation.md", results.text)
    write_whole(folder / "report.html", page(results.report, results.sheets, results.score))
    if results.kept:
        draw(results.report, list(results.kept), folder / "curve.png")
    for (direction, name), groups in results.sheets.items():
        titled = {f"{group}: {row_titles(groups).lower()}": rows for group, rows in groups.items()}
        save_picture(sheet(titled), folder / f"{direction}_{slug(name)}.png")


def score_of(networks: list[FeatureNetwork]) -> str:
    """What the pictures of the contact sheets are ranked by, in words."""
    return f"the mean distance to the {NEAREST} nearest real pictures in {networks[0].name}"


def given_names(options: Evaluation) -> dict[str, str]:
    """Everything that ``options`` name → a short name for its row: the last part of a path, where that is unique."""
    own = [options.name] if options.name else []
    given = [*(kept_weights(options.name or "") if options.every_kept else own), *options.compare]
    if len(set(given)) < len(given):
        raise UserError("the same thing is named twice; one row each is enough")
    short = [_short(Path(name)) for name in given]
    return {whole: name if short.count(name) == 1 else whole for name, whole in zip(short, given, strict=True)}


def _short(path: Path) -> str:
    if path.is_file():
        return path.stem
    name, folder = path.resolve().name, path.resolve().parent.name
    if folder == "steps" and name.isdecimal():
        return f"step {int(name)}"
    return f"{folder}/best" if name == "best" else name  # of a run, which has the name


def open_folder(options: Evaluation, names: dict[str, str]) -> Path:
    """The folder for the results, made now and not after minutes of measuring. Raises ``UserError``."""
    folder = options.output or _folder(names, options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; choose another folder with --output") from error
    return folder


def _folder(names: dict[str, str], options: Evaluation) -> Path:
    given, name = next(iter(names.items()))
    if options.every_kept:
        return Path(given).parent / "evaluation"
    if len(names) > 1:
        return Path("evaluation") / "comparison"
    is_run = Path(given).is_dir() and (Path(given) / "config.json").exists()
    return Path(given) / "evaluation" if is_run else Path("evaluation") / slug(name)


def slug(name: str) -> str:
    """A file name of it."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)


def watched(
    made: Callable[[Sequence[int]], Iterable[Example]], count: int, title: str, networks: list[FeatureNetwork]
) -> Measured:
    """``measure`` of ``count`` examples, of which ``made`` gives those with some numbers.

    Several processes measure a part each, and all of them get the whole. With a progress bar where there is a terminal.
    """
    rank, processes = process_rank(), process_count()
    own = range(rank * count // processes, (rank + 1) * count // processes)
    examples = made(own)
    found = measure(track(examples, title, len(own)) if rank == 0 else examples, networks)
    return joined(from_all(found))


def enough(count: int, what: str) -> None:
    """Raises ``UserError`` for fewer than two pictures, of which there is no distance."""
    if count < 2:
        raise UserError(f"a distance needs at least two pictures, and there is {count} of {what}")


def contact_sheet(
    made: Callable[[Sequence[int]], Iterable[Example]], order: list[int]
) -> dict[str, list[list[Image.Image]]]:
    """The best, the middle and the worst outputs, made once more, beside their inputs and round trips.

    ``made`` gives the outputs with some numbers; ``order`` are all numbers from best to worst.
    """
    count = max(1, min(SHOWN, len(order) // 3))
    middle = (len(order) - count) // 2
    groups = {"best": order[:count], "median": order[middle : middle + count], "worst": order[-count:]}
    shown = {}
    for group, chosen in groups.items():
        examples = list(made(chosen))
        complete = all(example.source is not None for example in examples)
        shown[group] = [
            [_picture(part) for part in ((e.source, e.output, e.back) if complete else (e.output,)) if part is not None]
            for e in examples
        ]
    return shown


def _picture(pixels: Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())
