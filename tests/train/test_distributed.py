"""Several processes are one training: ``torchrun`` on the CPU, for real."""

import os
import subprocess
import sys

import pytest
import torch

from cyclegan.networks.build import build_generator
from cyclegan.train.__main__ import main

FLAGS = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32"]
FLAGS += ["--load", "32", "--no-flip", "--log-every", "2", "--save-every", "2", "--precision", "float32"]
FLAGS += ["--device", "cpu"]


def generators(state, picture, which="networks"):
    """What both generators of a checkpoint make of a picture."""
    results = []
    for weights in state["game"]["G"][which].values():
        network = build_generator({"name": "mobile", "width": 4, "blocks": 1})
        network.load_state_dict(weights)
        results.append(network(picture).detach())
    return torch.cat(results)


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch comes without torch.distributed")
@pytest.mark.skipif(sys.platform == "win32", reason="there are no forks here")
def test_two_ranks_equal_one_process_with_the_doubled_batch_and_only_rank_0_writes(squares, tmp_path, capfd):
    """No crop and no flip, and pools that have not filled up: what is left of a step is the same on both sides."""
    import forking

    command = [str(squares), *FLAGS]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    torchrun += ["-m", "cyclegan.train", *command, "--steps", "4", "--batch", "1", "--runs", str(tmp_path / "two")]
    two = subprocess.run(torchrun, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert two.returncode == 0, two.stderr
    assert main([*command, "--steps", "4", "--batch", "2", "--runs", str(tmp_path / "one")]) == 0

    states = [torch.load(tmp_path / runs / "squares" / "checkpoint.pt", weights_only=True) for runs in ("two", "one")]
    assert [len(s["locals"]) for s in states] == [2, 1]
    # Outputs, not weights: the biases in front of a norm have no effect, and Adam makes steps of their rounding noise.
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    outputs = [generators(state, picture) for state in states]
    torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=1e-4)
    assert (outputs[1] - generators(states[1], picture, "averages")).abs().max() > 1e-3  # four steps do show
    logs = [(tmp_path / runs / "squares" / "log.jsonl").read_text().splitlines() for runs in ("two", "one")]
    assert len(logs[0]) == len(logs[1])
    assert len(list((tmp_path / "two/squares/tensorboard").iterdir())) == 1
    assert two.stdout.count("Done.") == two.stdout.count("step 4/4") == 1

    further = [*command, "--batch", "1", "--runs", str(tmp_path / "two"), "--steps"]

    def go_on(rank):
        assert main([*further, "6"]) == 0

    capfd.readouterr()
    assert forking.together(2, go_on) == [0, 0], capfd.readouterr().err
    assert "step 6/6" in capfd.readouterr().out
    assert main([*further, "8"]) == 2
    assert "trained by 2 processes, not 1" in capfd.readouterr().err
