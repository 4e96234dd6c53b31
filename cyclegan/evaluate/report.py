"""The figures of an evaluation as text: one table a direction, and the protocol that makes them repeatable.

A report is plain values: {"protocol": {…}, "directions": [{"from", "to", "rows": [{"name", "kind", "features", …}]}]}.
JSON, Markdown and the HTML page are made from the same one.
"""

import json
import math
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from cyclegan import __version__
from cyclegan.evaluate.measure import Framing
from cyclegan.evaluate.options import Evaluation

DIFFERENCES = {
    "cycle_error": ("cycle error", "{:.1f}"),
    "change": ("change", "{:.1f}"),
    "psnr": ("PSNR, dB", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "l1": ("L1", "{:.1f}"),
}
PACKAGES = ("torch", "numpy", "pillow", "timm", "torch-fidelity", "torchmetrics")  # whose versions may matter
SAME = 1.0  # levels of 255: a translator that changes the animal and nothing else moves the mean by about 2
MARK = "†"
KID_AND_N = "KID ± its standard error. FID depends on the number of pictures n: compare rows of equal n, or KID."
OF_TRANSLATORS = (
    f"Lower is better for FID, KID, cycle error and L1; higher for PSNR and SSIM. {KID_AND_N} "
    "Cycle error, change (of the output from its input) and L1 are mean absolute differences in levels of 255."
)
OF_GENERATORS = (
    f"Lower is better for FID and KID; higher for precision and recall. {KID_AND_N} Precision: the share of samples "
    "that lie among real pictures. Recall: the share of real pictures that lie among samples; 0 where all are alike."
)


def legend(report: dict) -> str:
    """How to read the columns."""
    return OF_GENERATORS if "samples" in report["protocol"] else OF_TRANSLATORS


def columns(direction: dict) -> list[tuple[str, Callable[[dict], str]]]:
    """Heading and text of each column; only of what some row of this direction has."""
    rows = direction["rows"]
    found: list[tuple[str, Callable[[dict], str]]] = [("n", lambda row: str(row["n"]))]
    several = sum("classified" in figures for figures in rows[0]["features"].values()) > 1
    for network in rows[0]["features"]:
        found.append((f"FID ({network})", lambda row, network=network: _distance(row, network, "fid")))
        found.append((f"KID ({network})", lambda row, network=network: _distance(row, network, "kid")))
        for share in ("precision", "recall"):
            if share in rows[0]["features"][network]:
                found.append((f"{share} ({network})", lambda row, n=network, s=share: _known(row["features"][n][s], 3)))
        for label in rows[0]["features"][network].get("classified", {}):
            which = f" ({network})" if several else ""
            found.append((f"classified {label}{which}", lambda row, n=network, c=label: _share(row, n, c)))
    for key, (heading, form) in DIFFERENCES.items():
        if any(key in row for row in rows):
            found.append((heading, lambda row, key=key, form=form: form.format(row[key]) if key in row else "–"))
    return found


def _distance(row: dict, network: str, measure: str) -> str:
    figures = row["features"][network]
    mark = f" {MARK}" if figures.get("seen_in_training") else ""
    if measure == "fid":
        return f"{figures['fid']:.1f}{mark}"
    return f"{figures['kid']:.4f} ± {_known(figures['kid_standard_error'], 4)}{mark}"


def _known(value: float, digits: int) -> str:
    """A figure, or a dash where too few pictures leave it unknown."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _share(row: dict, network: str, label: str) -> str:
    return f"{row['features'][network]['classified'][label]:.1%}"


def table(direction: dict) -> tuple[list[str], list[list[str]]]:
    """(headings, rows of texts), the row's name first."""
    cells = columns(direction)
    rows = [[row["name"], *(text(row) for _, text in cells)] for row in direction["rows"]]
    return ["", *(heading for heading, _ in cells)], rows


def markdown(report: dict) -> str:
    """All tables with their protocol, as Markdown that is readable as it is."""
    parts = []
    for direction in report["directions"]:
        headings, rows = table(direction)
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        lines = [_line(headings, widths), "|" + "|".join("-" * (w + 2) for w in widths) + "|"]
        lines += [_line(row, widths) for row in rows]
        parts.append(f"## {direction['from']} → {direction['to']}\n\n" + "\n".join(lines))
    notes = [legend(report), *notes_on(report)]
    parts.append("\n".join(f"- {note}" for note in notes))
    parts.append("## Protocol\n\n" + "\n".join(f"- {name}: {value}" for name, value in protocol_lines(report)))
    return "\n\n".join(parts) + "\n"


def _line(cells: list[str], widths: list[int]) -> str:
    padded = [cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]
    return "| " + " | ".join(padded) + " |"


def notes_on(report: dict) -> list[str]:
    """What has to be said beside the figures: networks seen in training, and other reservations."""
    seen: dict[str, set[str]] = {}
    for direction in report["directions"]:
        for row in direction["rows"]:
            for network, figures in row["features"].items():
                if figures.get("seen_in_training"):
                    seen.setdefault(network, set()).add(row["name"])
    found = [
        f"{MARK} seen in training: {network} judged {', '.join(sorted(names))} during training, so these figures "
        "flatter; hold them against those of another network"
        for network, names in seen.items()
    ]
    for direction in report["directions"]:
        for network, shares in direction["target_classified"].items():
            parts = ", ".join(f"{share:.1%} {label}" for label, share in shares.items())
            found.append(f"{network} classifies the real {direction['to']} pictures as {parts}")
    return found + report["protocol"]["remarks"]


def protocol_lines(report: dict) -> list[tuple[str, str]]:
    """Name and text of everything that must be the same for the same figures."""
    p = report["protocol"]
    size = f"{p['size']} x {p['size']}"
    how = "stretched" if p["resize"] == "stretch" else "cropped to a square"
    found = [("data", f"{p['dataset']}, {p['split']} pictures")]
    what = "samples" if "samples" in p else "inputs"
    for d in report["directions"]:
        masked = f", {d['masks']} of them with masks" if d.get("masks") else ""
        line = f"{d['inputs']} {what}{masked} against {d['targets']} real pictures"
        found.append((f"{d['from']} → {d['to']}", line))
    if "samples" in p:
        found.append(("samples", f"the first of seed {p['seed']}, truncation {p['samples']['truncation']:g}"))
    found.append(("pictures", f"{how} to {size} by Pillow's bicubic where they have another size; outputs of 8 bits"))
    for name, network in p["networks"].items():
        found.append((name, f"{network['protocol']}; weights sha256 {network['sha256'][:16]}…"))
    if p["imagenet"]:
        numbers = ", ".join(f"{label} {number}" for label, number in p["imagenet"].items())
        found.append(("classified", f"the most likely of 1000 ImageNet classes: {numbers}"))
    found.append(("FID", "unbiased covariances, float64"))
    found.append(("KID", "unbiased, kernel (x·y/d + 1)³, over the whole sets; ± standard deviation over random halves"))
    if "samples" in p:
        found.append(("precision, recall", "Kynkäänniemi et al. 2019, k = 3"))
    for direction in report["directions"]:
        for row in direction["rows"]:
            if "sha256" in row.get("facts", {}):
                found.append((f"{row['name']}, {direction['from']} → {direction['to']}", _weights(row["facts"])))
    found.append(("seed", str(p["seed"])))
    found.append(("versions", ", ".join(f"{name} {version}" for name, version in p["versions"].items())))
    return found


def _weights(facts: dict) -> str:
    averaged = {True: "averaged (EMA)", False: "not averaged", None: "averaged or not: not recorded"}[facts["averaged"]]
    return f"{facts['file']}, sha256 {facts['sha256'][:16]}…, {averaged}, trained at {facts['trained_at']} px"


def as_json(report: dict) -> str:
    """The report as strict JSON: what is not finite becomes a string, since JSON has no such numbers."""
    return json.dumps(_finite(report), indent=2, ensure_ascii=False) + "\n"


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def describe(
    options: Evaluation, dataset: str, split: str, framing: Framing, networks: list, imagenet: dict[str, int]
) -> dict:
    """The protocol of a report: all that must be the same for the same figures, as plain values.

    ``split`` says which pictures of the data set are the real ones: "test" or "training".
    """
    versions = {"cyclegan-toolkit": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    described = {n.name: {"dimensions": n.dimensions, "protocol": n.protocol, "sha256": n.sha256} for n in networks}
    return {
        "dataset": dataset,
        "split": split,
        "size": framing.size,
        "resize": framing.resize,
        "filter": "Pillow bicubic",
        "networks": described,
        "imagenet": imagenet,
        "seed": options.seed,
        "versions": versions,
        "date": time.strftime("%Y-%m-%d"),
        "remarks": [],
    }


def remarks(report: dict) -> list[str]:
    """Reservations about these figures in particular."""
    found, size = [], report["protocol"]["size"]
    if report["protocol"]["split"] == "training":
        name = report["protocol"]["dataset"]
        found.append(f"{name} has no test pictures: measured on the training pictures, which flatters")
    for direction in report["directions"]:
        if masks := direction.get("masks"):
            of = f"{masks} of {direction['inputs']} {direction['from']} pictures"
            found.append(f"{of} have masks, outside of which a translator's output and round trip are the input itself")
        for row in direction["rows"]:
            trained_at = row.get("facts", {}).get("trained_at")
            if trained_at and trained_at != size:
                found.append(f"{row['name']} was trained at {trained_at} pixels and is measured at {size}")
            if row["kind"] == "translator" and row["change"] < SAME and not masks:
                found.append(f"{row['name']} returns its input nearly unchanged ({direction['from']} to "
                             f"{direction['to']}: {row['change']:.1f} levels of 255 on average)")  # fmt: skip
    return list(dict.fromkeys(found))
