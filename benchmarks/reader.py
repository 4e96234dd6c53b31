"""A small convolutional network that tells ten classes apart; digits.py and photographs.py measure with it."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.data.pixels import resize_square
from cyclegan.data.published import Labelled
from cyclegan.evaluate.metrics import fid
from cyclegan.networks.library import find_generator
from cyclegan.networks.weights import read_header
from cyclegan.sample.generator import Generator
from cyclegan.train.log import read_log

SURE = 0.9
FORMATS = ("{:.1%}", "{:g}", "{:.4f}", "{:.2f}", "{:.2f}")  # of the columns sure, classes, KL, FID, nearest


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
        self.scores = nn.Linear(128, 10)

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(self.convolutions(levels.float() / 255))
        return self.scores(features), features

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


def made(name: str, count: int, seed: int, size: int) -> Tensor:
    """``count`` pictures of a generator (a card, a run folder or a weights file), uint8 (count, C, size, size).

    Pictures of another size are brought to this one by Pillow's bicubic.
    """
    generator = Generator.from_pretrained(name, "cpu")
    levels = torch.cat([generator.levels(part) for part in generator.latents(count, seed).split(500)])
    return torch.stack([resize_square(picture, size) for picture in levels])


def training_of(name: str) -> tuple[str, str]:
    """The model and recipe of a generator, and "steps | minutes" of its training, as far as its files tell."""
    path = find_generator(name)
    made_by = read_header(path)["provenance"]
    steps = made_by.get("steps", "")
    run = path.parents[2] if path.parents[1].name == "steps" else path.parent
    seconds = [record["seconds"] for record in read_log(run) if record["step"] == steps and "seconds" in record]
    minutes = f"{seconds[0] / 60:.1f}" if seconds else ""
    return f"{made_by.get('model', '')} --recipe {made_by.get('recipe', '')}", f"{steps} | {minutes}"


def table(
    reader: Reader, train: Labelled, test: Labelled, names: list[str], count: int, seed: int, noise: int, occurs: float
) -> None:
    """Prints a row of real pictures, of such with ``noise`` levels of noise, of such upside down, and of each name.

    Runs of one recipe, such as those of several seeds, get a row of their mean and their range.
    """
    probabilities, reference = reader.read(test.pixels)
    right = (probabilities.argmax(1) == test.labels).float().mean()
    print(f"reader: {right:.2%} of {len(test.labels)} test pictures right; {count} pictures each\n")
    print("| | steps | minutes | sure | classes | KL | FID | nearest |\n|---|---|---|---|---|---|---|---|")

    def line(name: str, levels: Tensor, reference: np.ndarray = reference, training: str = " | ") -> list[float]:
        probabilities, features = reader.read(levels)
        shares = torch.bincount(probabilities.argmax(1), minlength=10) / len(levels)
        kl = float((shares * (shares * 10).clamp(min=1e-12).log()).sum())
        sure, classes = float((probabilities.amax(1) >= SURE).float().mean()), int((shares >= occurs).sum())
        near = nearest(levels[torch.randperm(len(levels))[:1000]], train.pixels)
        found = [sure, classes, kl, fid(features, reference), near]
        print(f"| {name} | {training} | {' | '.join(map(str.format, FORMATS, found))} |", flush=True)
        return found

    torch.manual_seed(seed)
    chosen = train.pixels[torch.randperm(len(train.pixels))[:count]]
    line("real test pictures, FID against training ones", test.pixels, reader.read(chosen)[1])
    line("training pictures with noise", (chosen + noise * torch.randn(chosen.shape)).clamp(0, 255).byte())
    line("training pictures upside down", chosen.flip(2))
    recipes: dict[str, list[list[float]]] = {}
    for name in names:
        recipe, training = training_of(name)
        levels = made(name, count, seed, test.pixels.shape[-1])
        recipes.setdefault(recipe, []).append(line(name, levels, training=training))
    for recipe, runs in recipes.items():
        if len(runs) > 1:
            ranges = zip(FORMATS, np.mean(runs, 0), np.min(runs, 0), np.max(runs, 0), strict=True)
            said = (
                f"{form.format(mean)} ({form.format(low)} … {form.format(high)})" for form, mean, low, high in ranges
            )
            print(f"| {recipe}, mean of {len(runs)} | | | {' | '.join(said)} |")
