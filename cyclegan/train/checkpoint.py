"""The checkpoint: all that a training needs to go on, in one file that is written whole and read with care."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cyclegan.models.game import Game, Player
from cyclegan.system.errors import UserError
from cyclegan.system.files import whole
from cyclegan.system.randomness import set_random_state
from cyclegan.system.records import LAST_STEP

INSTEAD = "put a copy in its place, such as best.pt, or give another --name to begin anew"


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes ``{"step", "game", "locals"}``, and ``"origin"`` where the run began with weights, the whole file or none.

    Raises OSError.
    """
    with whole(path) as part, open(part, "wb") as file:
        torch.save(state, file)


def read_checkpoint(path: Path, instead: str = INSTEAD) -> dict[str, Any]:
    """What ``write_checkpoint`` wrote, on the CPU. Runs no code that the file may hold.

    Raises ``UserError`` where a bit has changed, weights are no numbers, or the file is no checkpoint; it says what to
    do ``instead``.
    """
    try:
        _require_sound(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        _require_form(state)
    except Exception as error:  # zip files, pickles and tensors fail in many ways
        reason = str(error) if isinstance(error, UserError) else type(error).__name__
        raise UserError(f"{path} cannot be read ({reason}); {instead}") from error
    return state


def restore(game: Game, state: dict[str, Any], rank: int, path: Path) -> None:
    """Puts what ``read_checkpoint`` gave into ``game`` and into the random states of this process.

    Settings of the optimisers stay those of the run. Raises ``UserError`` where it belongs to another model.
    """
    settings = {name: _settings(player) for name, player in game.players.items()}
    local = state["locals"][rank]
    try:
        game.load_state_dict(state["game"])
        game.load_local_state(local["game"])
        set_random_state(local["random"])
        for name, player in game.players.items():
            for group, own in zip(player.optimizer.param_groups, settings[name], strict=True):
                group.update(own)
            _require_fit(player)
    except Exception as error:  # whatever a state of other shapes or types leads to
        raise UserError(f"{path} does not fit the settings of this run; {INSTEAD}") from error


def _require_sound(path: Path) -> None:
    """Raises ``UserError`` unless every byte is as it was written, by the sum that PyTorch keeps of each entry."""
    with zipfile.ZipFile(path) as file:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in file.infolist()):
            raise UserError("PyTorch did not write it")  # what is compressed may be of any size
        if file.testzip():
            raise UserError("its bytes have changed since they were written")


def _require_form(state: Any) -> None:
    entries = [(dict, "game"), (list, "locals"), (int, "step")]
    sound = isinstance(state, dict) and all(isinstance(state.get(key), kind) for kind, key in entries)
    if not (sound and 0 <= state["step"] <= LAST_STEP and state["locals"]):
        raise UserError("it is no checkpoint")
    if not all(isinstance(local, dict) and {"random", "game"} <= local.keys() for local in state["locals"]):
        raise UserError("it is no checkpoint")
    if "origin" in state and not _is_origin(state["origin"]):
        raise UserError("it is no checkpoint")
    for name, tensor in _tensors(state):
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise UserError("it is no checkpoint")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise UserError("it has tensors that are larger than the file")
        weights = "networks" in name or "averages" in name
        if weights and tensor.is_floating_point() and not tensor.isfinite().all():
            raise UserError(f"the weights {name[-1]} are no numbers")


def _is_origin(origin: Any) -> bool:
    if not (isinstance(origin, dict) and isinstance(origin.get("seen"), list) and isinstance(origin.get("init"), dict)):
        return False
    return all(isinstance(text, str) for text in [*origin["seen"], *origin["init"], *origin["init"].values()])


def _tensors(state: Any) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Every tensor in a nested state with the keys that lead to it; what is in several places, once."""
    seen: set[int] = set()
    waiting: list[tuple[tuple[str, ...], Any]] = [((), state)]
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            yield name, value
        elif isinstance(value, dict):
            waiting += [((*name, str(key)), entry) for key, entry in value.items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(name, entry) for entry in value]


def _settings(player: Player) -> list[dict[str, Any]]:
    groups = player.optimizer.param_groups
    return [{key: value for key, value in group.items() if key != "params"} for group in groups]


def _require_fit(player: Player) -> None:
    if type(player.moves) is not int:
        raise TypeError
    for parameter, state in player.optimizer.state.items():
        for value in state.values():
            if not isinstance(value, Tensor) or value.shape not in (parameter.shape, ()):
                raise ValueError
