"""Run folders that are damaged, or come from strangers: one sentence or no matter, and no other run is hidden."""

import json
import random
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from painted import paint

from cyclegan.data.datasets import dataset_of_run
from cyclegan.page import choices, run_reader
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main
from cyclegan.train.checkpoint import read_checkpoint
from cyclegan.train.log import read_log

SMALL = ["--generator", "mobile", "--width", "2", "--blocks", "1", "--discriminator", "pixel", "--size", "32"]
SMALL += ["--load", "36", "--pool", "2", "--log-every", "1", "--device", "cpu"]
RUN = Path("runs/dataset")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with dataset/, and the run of its first two steps in runs/."""
    folder = tmp_path_factory.mktemp("trained")
    for side, colour in (("trainA", (220, 30, 30)), ("trainB", (30, 30, 220))):
        paint(folder / "dataset" / side, 3, colour)
    flags = [*SMALL, "--steps", "2", "--runs", str(folder / "runs")]
    assert main([str(folder / "dataset"), *flags]) == 0
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch) -> Path:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def go_on(steps: int = 3) -> int:
    return main(["dataset", *SMALL, "--steps", str(steps)])


def changed(file: str, **values):
    """Overwrites entries of a JSON file."""

    def tamper():
        path = RUN / file
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return tamper


def holds(file: str, data: bytes):
    return lambda: (RUN / file).write_bytes(data)


def checkpoint(change):
    """Changes the checkpoint's state by a function."""

    def tamper():
        state = torch.load(RUN / "checkpoint.pt", weights_only=True)
        state = change(state) or state
        torch.save(state, RUN / "checkpoint.pt")

    return tamper


def _not_a_number(state):
    next(iter(state["game"]["G"]["networks"]["G_AB"].values())).view(-1)[0] = torch.nan


def _expanded(state):
    state["game"]["G"]["optimizer"]["state"][0]["exp_avg"] = torch.zeros(1).expand(10**12)


def _compressed():
    with zipfile.ZipFile(RUN / "checkpoint.pt") as file, zipfile.ZipFile(RUN / "new", "w", zipfile.ZIP_DEFLATED) as new:
        for entry in file.infolist():
            new.writestr(entry.filename, file.read(entry))
    (RUN / "new").replace(RUN / "checkpoint.pt")


NUMBER = b"9" * 5000
STOPS = {
    "settings: no JSON": holds("config.json", b"\xff\xfe{"),
    "settings: a list": holds("config.json", b"[1]"),
    "settings: nested": holds("config.json", b'{"a": ' + b"[" * 10**5),
    "settings: a long number": holds("config.json", b'{"a": ' + NUMBER + b"}"),
    "settings: text as a group": changed("config.json", training="text"),
    "settings: a number as the data set": changed("config.json", dataset=5),
    "settings: other values": changed("config.json", model={"width": "x" * 10**6}),
    "pictures: no JSON": holds("data.json", b"{"),
    "pictures: text as fingerprints": changed("data.json", fingerprints=["abc", 7]),
    "pictures: spans": changed("data.json", spans=["abc", [1]]),
    "checkpoint: empty": holds("checkpoint.pt", b""),
    "checkpoint: a list": checkpoint(lambda state: [state]),
    "checkpoint: no step": checkpoint(lambda state: state.pop("step") and None),
    "checkpoint: a step below 0": checkpoint(lambda state: state.update(step=-1)),
    "checkpoint: a huge step": checkpoint(lambda state: state.update(step=10**30)),
    "checkpoint: no processes": checkpoint(lambda state: state.update(locals=[])),
    "checkpoint: a process that is text": checkpoint(lambda state: state.update(locals=["text"])),
    "checkpoint: random states": checkpoint(lambda state: state["locals"][0]["random"].update(torch=torch.zeros(3))),
    "checkpoint: no player": checkpoint(lambda state: state["game"].pop("G") and None),
    "checkpoint: averages of another shape": checkpoint(
        lambda state: state["game"]["G"]["averages"].update(G_AB={"x": torch.zeros(2)})
    ),
    "checkpoint: moves": checkpoint(lambda state: state["game"]["G"].update(moves="many")),
    "checkpoint: Adam of another shape": checkpoint(
        lambda state: state["game"]["G"]["optimizer"]["state"][0].update(exp_avg=torch.zeros(7))
    ),
    "checkpoint: larger than its file": checkpoint(_expanded),
    "checkpoint: no numbers": checkpoint(_not_a_number),
    "checkpoint: compressed": _compressed,
}
GOES_ON = {
    "settings: gone": lambda: (RUN / "config.json").unlink(),
    "pictures: gone": lambda: (RUN / "data.json").unlink(),
    "log: no text": holds("log.jsonl", b"\xff\xfe\x00\n" * 9),
    "log: foreign objects": holds(
        "log.jsonl", b'[]\n{"step": "x"}\n{"step": 1, "losses": {"a": "b"}}\n7\n{"step": 1}\n'
    ),
    "log: nested": holds("log.jsonl", b'{"step": 1, "losses": ' + b"[" * 10**5 + b"\n{" + NUMBER),
    "log: measures": holds("log.jsonl", b'{"step": 1, "losses": {}, "metrics": {"a": 1}, "seconds": "long"}\n'),
    "log: gone": lambda: (RUN / "log.jsonl").unlink(),
    "card: no TOML": holds("card.toml", b"= = ="),
    "card: text as training": holds("card.toml", b"domains = ['a', 'b']\ntraining = 'text'"),
    "weights: no safetensors": holds("G_AB.safetensors", b"text"),
    "weights: one of a pair is gone": lambda: (RUN / "G_BA.safetensors").unlink(),
    "optimizer: settings": checkpoint(
        lambda state: state["game"]["G"]["optimizer"]["param_groups"][0].update(betas=("a", None), eps=-1.0)
    ),
}


@pytest.mark.parametrize("tamper", STOPS.values(), ids=STOPS)
def test_what_cannot_go_on_is_one_sentence(tamper, here, capsys):
    tamper()
    settings = {"config.json", "data.json"}  # the run goes on in another folder than it began in
    before = {path: path.read_bytes() for path in RUN.iterdir() if path.is_file() and path.name not in settings}
    capsys.readouterr()
    assert go_on() == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "runs/dataset" in said and len(said) < 500, said
    assert before == {path: path.read_bytes() for path in before}
    assert_the_page_opens()


@pytest.mark.parametrize("tamper", GOES_ON.values(), ids=GOES_ON)
def test_what_can_be_made_up_for_stops_nothing(tamper, here):
    tamper()
    assert_the_page_opens()
    assert go_on() == 0
    assert [record["step"] for record in read_log(RUN)][-1] == 3
    assert "runs/dataset" in [choice.key for choice in choices.choices()]


def test_settings_that_are_gone_are_missed_aloud(here, capsys):
    assert go_on() == 0 and "No config.json" not in capsys.readouterr().out
    (RUN / "config.json").unlink()
    assert go_on() == 0 and "No config.json says what this run was begun with" in capsys.readouterr().out


def assert_the_page_opens():
    """With the run and with all others."""
    shutil.copytree(RUN, "runs/other", dirs_exist_ok=True)
    choices.choices()
    for folder in choices.run_folders():
        run_reader.state(folder)
        run_reader.curves(folder)
        try:
            dataset_of_run(folder)
        except UserError as error:
            assert "config.json is damaged" in str(error)
    shutil.rmtree("runs/other")


def test_any_flipped_bit_of_a_checkpoint_is_noticed_or_changes_nothing(here):
    path = RUN / "checkpoint.pt"
    data = path.read_bytes()
    sound = torch.load(path, weights_only=True)["game"]["G"]["networks"]["G_AB"]
    draw, noticed = random.Random(0), 0
    for _ in range(60):
        damaged = bytearray(data)
        place = draw.randrange(len(data))
        damaged[place] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            weights = read_checkpoint(path)["game"]["G"]["networks"]["G_AB"]
            assert all(torch.equal(weights[key], sound[key]) for key in sound), place
        except UserError as error:
            assert "cannot be read" in str(error)
            noticed += 1
    assert noticed > 30, "the rest of the file is padding"


def test_links_in_a_strangers_folder_lead_nowhere(here, tmp_path, capsys):
    """Whether they stand in the place of what training writes, or of what it is writing."""
    victim = tmp_path / "victim"
    for name in (".checkpoint.pt.part", ".config.json.part", ".new", ".new.part", ".lock", "log.jsonl", "samples"):
        victim.mkdir() if name == "samples" else victim.write_text("mine")
        path = RUN / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(victim)
        refused = name in ("log.jsonl", "samples")
        assert go_on() == (2 if refused else 0)
        assert not refused or f"{path} is a link" in capsys.readouterr().err
        if name == "samples":
            assert not list(victim.iterdir())
        else:
            assert victim.read_text() == "mine"
            victim.unlink()
            path.unlink(missing_ok=True)


def test_exported_weights_without_a_checkpoint_are_not_overwritten(here, capsys):
    (RUN / "checkpoint.pt").unlink()
    before = (RUN / "G_AB.safetensors").read_bytes()
    assert go_on() == 2
    assert "no checkpoint.pt to go on from" in capsys.readouterr().err
    assert (RUN / "G_AB.safetensors").read_bytes() == before
