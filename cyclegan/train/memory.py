"""How much memory a training step will need, before any is used."""

import torch

from cyclegan.models.cyclegan import CycleGAN
from cyclegan.networks import parameter_count
from cyclegan.train.config import Config


def estimate(config: Config, channels: tuple[int, int]) -> dict[str, int]:
    """Parameters of the generators and discriminators, and bytes for weights and for one step's activations.

    The step's larger turn, the generators', runs on PyTorch's meta device: shapes only. What autograd keeps for its
    backward pass is summed up, each storage once; workspaces of the libraries come on top.
    """
    size, batch = config.pictures.size, config.training.batch
    game = CycleGAN(config.model, size, channels, device="meta")
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    pictures = [torch.empty(batch, c, size, size, device="meta") for c in channels]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        graph = game._generators_turn(*pictures)  # noqa: F841  (keeps the graph, and with it the storages, alive)
    networks = [list(player.networks.values()) for player in game.players.values()]
    generators, discriminators = (parameter_count(*nets) for nets in networks)
    parameters = generators + discriminators
    activations = sum(s.nbytes() for s in kept.values()) - 4 * parameters  # backward needs the weights as well
    # weight, gradient and Adam's two moments; one more copy of the generators for the average
    fixed = 4 * (4 * parameters + (generators if config.model.ema else 0))
    return {"generators": generators, "discriminators": discriminators, "weights": fixed, "activations": activations}
