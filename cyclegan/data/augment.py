"""uint8 batches → device → [0, 1] → kornia → [-1, 1], and the augmentation of what discriminators see.

kornia wants [0, 1]: its colour jitter silently clamps anything else to it.
"""

import kornia.augmentation as K
import torch
import torch.nn.functional as F
from torch import Tensor

from cyclegan.data.config import PicturesConfig
from cyclegan.data.pixels import to_unit


class Augment:
    """Turns batches of uint8 pictures into training input.

    The reference's crop and flip are done before, by ``data`` on uint8; colour and affine changes are for small data
    sets. Every picture draws its own, from PyTorch's global random state; with ``shared`` the pictures of a pair, which
    have the same place in the tensors of a batch, share theirs. With ``masked`` the second half of the tensors are the
    masks of the first, which turn and move with their pictures.
    """

    def __init__(self, config: PicturesConfig, device: torch.device, shared: bool = False, masked: bool = False):
        self.device, self.shared, self.masked = device, shared, masked
        a = config.affine
        self.affine = K.RandomAffine(a, (0.05, 0.05), (0.95, 1.05), padding_mode="reflection", p=1.0) if a else None
        c = config.color
        self.color = K.ColorJiggle(c, c, c, 0.0) if c else None

    def __call__(self, *batch: Tensor) -> tuple[Tensor, ...]:
        """uint8 (N, C, H, W) on the CPU, one tensor a domain → float [-1, 1] of the same shape on the device.

        Masks, uint8 too, become float [0, 1].
        """
        count = len(batch) // 2 if self.masked else len(batch)
        pictures, masks = [], []
        for i, images in enumerate(batch[:count]):
            pictures.append(self._augment(images, self.shared and i > 0))
            masks += [self._moved(mask) for mask in batch[count + i : count + i + 1]]
        return (*pictures, *masks)

    def _moved(self, mask: Tensor) -> Tensor:
        """The mask of the pictures that came last."""
        mask = to_unit(mask, self.device)
        return mask if self.affine is None else self.affine(mask, params=self.affine._params)

    def _augment(self, images: Tensor, again: bool) -> Tensor:
        """``again`` repeats the draws of the call before."""
        images = to_unit(images, self.device)
        if self.affine is not None:
            images = self.affine(images, params=self.affine._params if again else None)
        if self.color is not None:
            channels = images.shape[1]  # kornia's jitter wants RGB; grey stays grey in it
            params = self.color._params if again else None
            images = self.color(images.expand(-1, 3, -1, -1), params=params)[:, :channels]
        return images.mul_(2).sub_(1)  # in place: fresh memory costs more than the arithmetic


class DiscriminatorAugment:
    """Differentiable augmentation for discriminators (Zhao et al. 2020, "DiffAugment"): brightness, contrast, shift.

    Applied to real and generated pictures alike, so that the discriminator cannot learn a small data set by heart
    and the generator does not learn the augmentation. Saturation, which that paper varies too, stays: a discriminator
    that may not mind it lets horses be striped in yellow and zebras patched in green.
    """

    def __call__(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1] → the same shape; the values may leave that range, as in the paper."""
        brightness, contrast = torch.rand(2, len(images), 1, 1, 1, device=images.device)
        images = images + (brightness - 0.5)
        mean = images.mean((1, 2, 3), keepdim=True)
        images = mean + (images - mean) * (contrast + 0.5)
        return shift(images.float())


def shift(images: Tensor, share: float = 0.125) -> Tensor:
    """DiffAugment's translation alone: each picture moves by up to ``share`` of its side, by whole pixels.

    (N, C, H, W) in [-1, 1] → the same shape, with zeros (grey) where it moved away from. Whole pixels keep fine lines
    sharp, and the grey shows D how far a picture moved, so the generator need not move its own.
    """
    count, _, height, width = images.shape
    reach = round(share * height), round(share * width)
    rows, columns = (
        torch.arange(side, device=images.device) + torch.randint(2 * far + 1, (count, 1), device=images.device)
        for side, far in zip((height, width), reach, strict=True)
    )
    padded = F.pad(images, (reach[1], reach[1], reach[0], reach[0])).permute(0, 2, 3, 1)
    which = torch.arange(count, device=images.device)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
