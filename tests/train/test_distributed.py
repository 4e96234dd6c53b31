"""Several processes are one training: ``torchrun`` on the CPU, for real."""

import os
import subprocess
import sys

import pytest
import torch

from cyclegan.networks.build import build_generator

FLAGS = ["--generator", "mobile", "--width", "4", "--blocks", "1", "--size", "32", "--load", "32", "--no-flip"]
FLAGS += ["--steps", "4", "--log-every", "2", "--save-every", "2", "--precision", "float32"]


def run(command, **variables):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""} | variables
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def generators(state, picture, which="networks"):
    """What both generators of a checkpoint make of a picture."""
    results = []
    for weights in state["game"]["G"][which].values():
        network = build_generator({"name": "mobile", "width": 4, "blocks": 1})
        network.load_state_dict(weights)
        results.append(network(picture).detach())
    return torch.cat(results)


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch comes without torch.distributed")
def test_two_ranks_equal_one_process_with_the_doubled_batch_and_only_rank_0_writes(squares, tmp_path):
    """No crop and no flip, and pools that have not filled up: what is left of a step is the same on both sides."""
    command = ["-m", "cyclegan.train", str(squares), *FLAGS]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = run([*torchrun, *command, "--batch", "1", "--runs", str(tmp_path / "two")])
    assert two.returncode == 0, two.stderr
    one = run([sys.executable, *command, "--batch", "2", "--runs", str(tmp_path / "one")])
    assert one.returncode == 0, one.stderr

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

    again = run([*torchrun, *command, "--batch", "1", "--runs", str(tmp_path / "two"), "--steps", "6"])
    assert again.returncode == 0 and "step 6/6" in again.stdout, again.stderr
    alone = run([sys.executable, *command, "--batch", "1", "--runs", str(tmp_path / "two"), "--steps", "8"])
    assert alone.returncode == 2 and "trained by 2 processes, not 1" in alone.stderr
