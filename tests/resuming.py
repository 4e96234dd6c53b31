"""Whether a run that was stopped and went on ends as one that ran through: in every bit of its checkpoint."""

from pathlib import Path

import torch


def checkpoint(run: Path) -> dict:
    """What a run's checkpoint holds."""
    return torch.load(run / "checkpoint.pt", weights_only=True)


def leaves(value) -> list:
    """All tensors, numbers and texts in nested dicts and lists, in order."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key])]
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, (list, tuple)) else [value]


def assert_same_ending(one: Path, other: Path) -> None:
    """Two runs have the same step, weights, averages, optimisers and random states."""
    pairs = zip(leaves(checkpoint(one)), leaves(checkpoint(other)), strict=True)
    for a, b in pairs:
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
