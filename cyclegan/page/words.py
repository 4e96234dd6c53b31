"""What the page says about a result, and about a translator: Markdown."""

from __future__ import annotations

from pathlib import Path

from cyclegan.page.choices import Choice, Way
from cyclegan.page.one_picture import Trip
from cyclegan.system.terminal import clock

NONE_HERE = """
### No translator on this machine yet
Those in the list are **downloaded on first use** (about 45 MB for each direction; needs the internet). Or train your
own pair; it appears here as soon as its first checkpoint is written:

`python -m cyclegan.train horse2zebra --recipe quick`
"""
HIDDEN_KEYS = {"name", "title", "domains", "G_AB", "G_BA", "training", "metrics", "weaker"}


def summary(trip: Trip, choice: Choice, way: Way, colours: str = "", masked: bool = False) -> str:
    """One or two sentences under a result, painted in ``colours``, and ``masked`` where only a part may change."""
    width, height = trip.full.size
    said = f"**{way.source} → {way.target}** in {seconds(trip.seconds)}, {width} × {height} pixels."
    said += f" In the colours of {colours}." if colours else ""
    said += " Only what you painted has changed." if masked else ""
    if trip.worked_at != trip.full.size:
        said += f" The network worked at {trip.worked_at[0]} × {trip.worked_at[1]}, and its answer was scaled up."
    if choice.card.get("weaker") == way.label:
        said += " This is the weaker direction of the pair; *About* says why."
    if trip.far:
        said += f"\n\nThis looks unlike the pictures of *{way.source}* that it learned from, so the result may be odd."
    elif trip.change < 0.01 and not masked:
        said += f" Almost nothing was changed: is this a picture of the kind *{way.source}*?"
    return said


def cycle(trip: Trip, way: Way) -> str:
    """How well the round trip came back."""
    error = trip.cycle_error
    if error is None:
        return f"This translator knows the way {way.label} only, so there is no way back to show."
    verdict = next(words for limit, words in CYCLE_WORDS if error < limit)
    return (
        f"**There and back: {verdict}.** The picture that came back differs from the original by "
        f"{100 * error:.1f} % of the brightness range on average (cycle error; 0 % would be identical)."
    )


CYCLE_WORDS = (
    (0.02, "almost the same picture"),
    (0.05, "close to the original"),
    (0.10, "similar, with visible differences"),
    (2.00, "much was lost on the way"),
)


def progress(share: float, passed: float) -> str:
    """How far it is, after ``passed`` seconds, and how long it will take."""
    rest = f"about {clock(passed * (1 - share) / share)} to go" if share > 0.02 else "it is not known yet how long"
    return f"**{100 * share:.0f} %** `{bar(share)}` {rest}"


def bar(share: float) -> str:
    filled = round(20 * share)
    return "█" * filled + "░" * (20 - filled)


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def about(choice: Choice) -> str:
    """The model card: what it is, where it comes from, how it was trained and how good it is."""
    card = choice.card
    run = choice.key.startswith("runs/")  # their cards tell where on this machine things lie: not for visitors
    parts = [f"## {choice.key if run else card.get('title') or choice.key}", directions(choice)]
    facts = {key: value for key, value in card.items() if key not in HIDDEN_KEYS and not isinstance(value, dict)}
    training = {k: Path(v).name if k == "dataset" else v for k, v in card.get("training", {}).items()}
    parts += [] if run else [_table(facts)]
    for heading, table in (("Training", training), ("Measured quality", card.get("metrics"))):
        parts += [f"### {heading}", _table(table)] if table else []
    if not card.get("metrics"):
        parts += ["### Measured quality", "Not measured: `python -m cyclegan.evaluate` gives FID and KID."]
    others = {k: v for k, v in card.items() if isinstance(v, dict) and k not in HIDDEN_KEYS}
    for key, value in others.items():
        parts += [f"### {_name(key)}", _table(value)]
    return "\n\n".join([*parts, GENERAL])


GENERAL = """### What to expect
A CycleGAN learns from two heaps of pictures without knowing which belongs to which (Zhu, Park, Isola, Efros:
[Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks](https://arxiv.org/abs/1703.10593));
a pix2pix is shown pairs that belong together.
They are good at changing **colour and texture** and poor at changing **shape**. Known failures: the background is
repainted too, people and saddles on a horse become striped, a picture of anything else comes out odd or unchanged,
and what a network paints anew has no finer detail than the size it worked at. A small cycle error says that the
picture came back, not that the translation is good: the networks can hide what they need in faint noise.
"""


def directions(choice: Choice) -> str:
    labels = " and ".join(f"**{way.label}**" for way in choice.ways)
    return f"Translates {labels}." + ("" if choice.here else " The weights are downloaded on first use.")


def _table(facts: dict) -> str:
    rows = [f"| {_name(key)} | {_value(value)} |" for key, value in facts.items()]
    return "\n".join(["| | |", "|---|---|", *rows]) if rows else ""


def _name(key: str) -> str:
    return key if key.isupper() else key.replace("_", " ").capitalize()


def _value(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "/").replace("\n", " ")
