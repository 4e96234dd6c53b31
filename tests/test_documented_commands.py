"""Every command in the documentation is one that there is: its own parser takes it, or its script knows the flags."""

import shlex
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
import tyro

from cyclegan.train.config import config_class
from cyclegan.train.recipes import owner_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = {
    "translate": "translate.__main__:Options",
    "evaluate": "evaluate.options:Evaluation",
    "sample": "sample.__main__:Options",
    "export": "export:Options",
    "convert": "convert:Options",
    "show": "show:Show",
    "sketch2photo": "sketch2photo:Options",
}
STARTS = ("python", "cyclegan ", "torchrun", "srun", "make ", ".venv/bin/python", "PYTHONPATH=")
NO_PAIRS = {"translate", "export", "convert"}  # --reverse without --no-reverse


def commands():
    """(page, words) of every command in a block of the shell's."""
    for page in PAGES:
        inside, text = False, ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.lstrip().startswith("```"):
                inside = line.strip() in ("```bash", "```sh", "```console") or (line.strip() == "```" and not inside)
                continue
            text = text + line.removesuffix("\\") if inside else ""
            if not inside or line.endswith("\\"):
                continue
            line, text = text.strip().removeprefix("$ "), ""
            if line.startswith(STARTS) and "…" not in line:
                words = shlex.split(line, comments=True)
                while "&&" in words:
                    place = words.index("&&")
                    yield page.name, tuple(words[:place])
                    words = words[place + 1 :]
                yield page.name, tuple(words)


def of_package(words):
    """(command, its arguments) of ``python -m cyclegan.NAME …``, under torchrun too, and of ``cyclegan NAME …``."""
    for i, word in enumerate(words):
        if word.startswith("cyclegan.") and words[i - 1] == "-m":
            return word.removeprefix("cyclegan."), list(words[i + 1 :])
    return (words[1], list(words[2:])) if words[0] == "cyclegan" and len(words) > 1 else None


def algorithm(arguments):
    """The model of a training: the one that is named, or whose recipe is."""
    given = dict(pairwise(arguments))
    return given.get("--model") or owner_of(given.get("--recipe", "paper"))


FOUND = sorted(set(commands()))


def test_there_are_commands_to_look_at():
    assert len([words for _, words in FOUND if of_package(words)]) > 60


@pytest.mark.parametrize(("page", "words"), [pytest.param(p, w, id=f"{p}: {' '.join(w)}"[:90]) for p, w in FOUND])
def test_the_command_is_one_that_there_is(page, words, monkeypatch, tmp_path):
    if not (command := of_package(words)):
        script = next((word for word in words if word.endswith(".py")), None)
        if script and (ROOT / script).is_file():
            source = (ROOT / script).read_text(encoding="utf-8")
            for flag in (word for word in words if word.startswith("--")):
                assert f'"{flag}"' in source or flag[2:].replace("-", "_") in source, flag
        elif words[0] == "make":
            assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text()
        return
    name, arguments = command
    monkeypatch.chdir(tmp_path)  # what is documented starts from nothing
    if name == "train":
        options, config = config_class(algorithm(arguments)), (tyro.conf.OmitArgPrefixes,)
    else:
        module, _, named = OPTIONS[name].partition(":")
        options = getattr(import_module(f"cyclegan.{module}"), named)
        config = (tyro.conf.FlagCreatePairsOff,) if name in NO_PAIRS else ()
    try:
        # A settings file names its data set, so that none has to be given.
        rest = {"default": options("photos")} if "--config" in arguments else {}
        tyro.cli(options, args=arguments, config=config, **rest)
    except SystemExit as end:
        assert end.code == 0, f"{page}: {' '.join(words)}"
