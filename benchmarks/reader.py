"""A small convolutional network that tells ten classes apart; digits.py and photographs.py measure with it."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.data.published import Labelled


class Reader(nn.Module):
    """uint8 (N, channels, size, size) → (scores of the ten classes (N, 10), features (N, 128))."""

    def __init__(self, channels: int = 1, size: int = 28, width: int = 16):
        super().__init__()
        side = ((size - 4) // 2 - 2) // 2
        w = width
        self.convolutions = nn.Sequential(
            *(nn.Conv2d(channels, w, 3), nn.BatchNorm2d(w), nn.ReLU()),
            *(nn.Conv2d(w, 2 * w, 3), nn.BatchNorm2d(2 * w), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(2 * w, 4 * w, 3), nn.BatchNorm2d(4 * w), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        )
        self.features = nn.Sequential(nn.Dropout(0.25), nn.Linear(4 * w * side**2, 128), nn.ReLU())
        self.digits = nn.Linear(128, 10)

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(self.convolutions(levels.float() / 255))
        return self.digits(features), features

    @torch.no_grad()
    def read(self, levels: Tensor) -> tuple[Tensor, np.ndarray]:
        """(probabilities (N, 10), features (N, 128)) of any number of pictures."""
        parts = [self.eval()(part) for part in levels.split(500)]
        return torch.cat([p[0] for p in parts]).softmax(1), torch.cat([p[1] for p in parts]).numpy()


def trained_reader(path: Path, reader: Reader, train: Labelled, epochs: int, flip: bool = False) -> Reader:
    """The reader with the weights in the file, or trained now with Adam at a rate that rises and falls once."""
    if path.is_file():
        reader.load_state_dict(torch.load(path, weights_only=True))
        return reader
    steps = epochs * (len(train.labels) // 128)
    optimizer = torch.optim.Adam(reader.parameters())
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in range(epochs):
        for i in torch.randperm(len(train.labels)).split(128)[: len(train.labels) // 128]:
            levels = train.pixels[i].flip(3) if flip and torch.rand(()) < 0.5 else train.pixels[i]
            loss = F.cross_entropy(reader.train()(levels)[0], train.labels[i])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(reader.state_dict(), path)
    return reader


def nearest(pictures: Tensor, train: Tensor) -> float:
    """The median Euclidean distance of uint8 (N, C, H, W), in [0, 1], to the nearest in ``train``."""
    x, y = (p.flatten(1).float() / 255 for p in (pictures, train))
    return float(torch.cat([torch.cdist(x, part).amin(1, keepdim=True) for part in y.split(6000)], 1).amin(1).median())


def made(name: str, count: int, seed: int) -> Tensor:
    """``count`` pictures of a generator (a card, a run folder or a weights file), uint8 (count, C, H, W)."""
    from cyclegan.sample.generator import Generator

    generator = Generator.from_pretrained(name, "cpu")
    latents = generator.latents(count, seed)
    return torch.cat([generator.levels(part) for part in latents.split(500)])
