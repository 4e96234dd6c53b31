"""Fully connected networks: pictures as long vectors, as the first GAN had them (Goodfellow et al. 2014)."""

import torch
from torch import Tensor, nn

from cyclegan.networks.noise import FromNoise


class DenseGenerator(FromNoise):
    """Latents (N, latent) → (N, out_channels, size, size) in [-1, 1], through layers of width, 2 width and 4 width.

    Each is dense → LeakyReLU 0.2 → batch norm, and a last dense layer with tanh makes the pixels.

    Args:
        size: height and width of the pictures.
        momentum: of the batch norms' statistics in PyTorch's sense, the share of the new: Keras' 0.8 is 0.2 here.
        eps: of the batch norms.
    """

    def __init__(self, size=28, out_channels=1, width=256, latent=100, momentum=0.1, eps=1e-5):
        super().__init__()
        self.latent, self.shape = latent, (out_channels, size, size)
        layers: list[nn.Module] = []
        inner = latent
        for outer in (width, 2 * width, 4 * width):
            layers += [nn.Linear(inner, outer), nn.LeakyReLU(0.2), nn.BatchNorm1d(outer, eps, momentum)]
            inner = outer
        self.model = nn.Sequential(*layers, nn.Linear(inner, out_channels * size * size), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z).view(-1, *self.shape)


class DenseDiscriminator(nn.Module):
    """(N, C, size, size) in [-1, 1] → scores (N, 1), logits; hidden layers of 2 width and width, LeakyReLU 0.2.

    ``spread`` gives each picture the batch's standard deviation of the last hidden layer to judge by as well, so that
    pictures which are all alike can be told by that (minibatch discrimination, Salimans et al. 2016, in the form of
    Karras et al. 2018, section 3).
    """

    def __init__(self, size=28, in_channels=1, width=256, spread=False):
        super().__init__()
        self.spread = spread
        self.features = nn.Sequential(
            nn.Flatten(),
            nn.Linear(in_channels * size * size, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, width),
            nn.LeakyReLU(0.2),
        )
        self.score = nn.Linear(width + spread, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.features(x)
        if self.spread:
            std = (h.var(0, correction=0) + 1e-8).sqrt().mean()
            h = torch.cat([h, std.expand(len(h), 1)], 1)
        return self.score(h)
