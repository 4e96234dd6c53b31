"""The 2 × 2 textbook GAN: a generator and a discriminator of one layer each, small enough to follow with a pencil.

Source: Luis Serrano, "A Friendly Introduction to Generative Adversarial Networks", github.com/luisguiserrano/gans.
Faces are 2 × 2 pixels, bright on one diagonal. D(x) = σ(x·w + b) says how real a picture x is; G(z) = σ(z·w + b) makes
one from a number z in [0, 1). ``TinyGame`` is the lesson in this toolkit's loop, with autograd; ``lesson`` is the
lesson itself, in NumPy's float64 with its gradients written out, and ends in the very digits that it prints.

The two differ in no formula. The loop shuffles the faces, reads them from files of 8 bits (0.9 becomes 230/255),
computes in float32 and draws from PyTorch; the lesson takes them in order, exact, and draws from NumPy.

One thing is corrected. The lesson's curve for D scores the number z, four times, instead of the picture G(z), and so
ends near 4.4; the error of D as the lesson defines it, -ln D(face) - ln(1 - D(G(z))), ends near 1.45. Where D can only
guess, D = ½ everywhere and the errors are 2 ln 2 and ln 2: the ideal lines (Goodfellow et al. 2014, theorem 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.data.slanted import FACES, SIDE
from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Player, sgd
from cyclegan.networks.tiny import OneLayerJudge
from cyclegan.system.errors import UserError

PIXEL = 24  # a pixel's side in the samples, so that 2 × 2 of them can be seen


@dataclass(frozen=True)
class TinyConfig:
    """One layer each; the lesson's learning rate by default."""

    lr: float = 0.01
    """Learning rate of both players: plain gradient descent, no momentum."""

    def architecture(self, size: int, channels: int) -> dict:
        """The generator as ``networks.build_generator`` takes it and a weights file carries it."""
        return {"name": "one-layer", "size": size, "out_channels": channels}

    def seen(self) -> list[str]:
        """No feature network judges while training."""
        return []

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.lr <= 0:
            raise UserError(f"--lr must be above 0, not {self.lr:g}")


class TinyGame(NoiseGame):
    """The lesson, step by step: D learns from a face, D learns from a fake, G learns from the same fake."""

    Config = TinyConfig
    channels: ClassVar[tuple[int, ...]] = (1,)
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # Five faces a thousand times, one by one.
        "lesson": {
            "size": SIDE,
            "batch": 1,
            "epochs": 1000,
            "workers": 0,
            "log_every": 50,
            "sample_every": 1000,
            "save_every": 5000,
        },
    }
    ideals: ClassVar[dict[str, float]] = {"D": 2 * log(2), "G": log(2)}

    def discriminator(self) -> nn.Module:
        """D(x) = σ(x·w + b), of which this gives the logit."""
        return OneLayerJudge(self.size, self.depth)

    def initialise(self, network: nn.Module) -> nn.Module:
        """Weights and biases from N(0, 1)."""
        for parameter in network.parameters():
            nn.init.normal_(parameter)
        return network

    def make_players(self) -> dict:
        """Both descend by the plain rule w ← w - lr · ∂E/∂w."""
        return {name: Player({name: net}, sgd(self.config.lr)) for name, net in (("G", self.G), ("D", self.D))}

    def step(self, real: Tensor) -> dict[str, Tensor]:
        """One face of the lesson. In logits s = x·w + b: -ln σ(s) = softplus(-s) and -ln(1 - σ(s)) = softplus(s).

        Takes (N, C, size, size) in [-1, 1]; returns the errors of D and of G as the lesson takes them: after D has
        learned from the face, before it learns from the fake.
        """
        D, G = self.players["D"], self.players["G"]
        D.move(F.softplus(-self.D(real)).mean())
        fake = self.G(self.noise(len(real)))
        score = self.D(fake.detach())
        with torch.no_grad():
            errors = {
                "D": F.softplus(-self.D(real)).mean() + F.softplus(score).mean(),
                "G": F.softplus(-score).mean(),
            }
        D.move(F.softplus(score).mean())
        G.move(F.softplus(-self.D(fake)).mean())
        return errors

    def generator_loss(self, real: Tensor) -> Tensor:
        """-ln D(G(z)), with its graph."""
        return F.softplus(-self.D(self.G(self.noise(len(real))))).mean()

    @torch.no_grad()
    def preview(self, *pictures: Tensor) -> dict[str, list[list[Tensor]]]:
        """What G makes, and the weights as pictures: white is the largest positive one, black the largest negative."""
        made = [enlarged(picture) for row in super().preview()[self.domains[0]] for picture in row]
        rows = [made[i : i + 5] for i in range(0, len(made), 5)]
        G, D = self.G.layer, self.D.layer
        shape = (self.depth, self.size, self.size)
        bias = D.bias.expand(D.weight.numel())  # one number: all squares alike
        shown = {"G, w": G.weight, "G, b": G.bias, "D, w": D.weight, "D, b": bias}
        largest = max(values.abs().max() for values in shown.values())
        squares = {name: enlarged((values / largest).view(shape)) for name, values in shown.items()}
        return {self.domains[0]: rows} | {name: [[square]] for name, square in squares.items()}


def enlarged(picture: Tensor) -> Tensor:
    """(C, H, W) → the same with every pixel a square of ``PIXEL``."""
    return picture.repeat_interleave(PIXEL, -1).repeat_interleave(PIXEL, -2)


class Weights(NamedTuple):
    """The numbers of both players, float64: w of D (n,), b of D (), w and b of G (n,) each."""

    D_w: np.ndarray
    D_b: float
    G_w: np.ndarray
    G_b: np.ndarray


def sigmoid(s: Any) -> Any:
    """σ(s) = 1 / (1 + e⁻ˢ), written so that no s overflows."""
    return 0.5 * (1 + np.tanh(s / 2))


def slope_on_face(x: np.ndarray, D_w: np.ndarray, D_b: float) -> tuple[np.ndarray, float]:
    """∂/∂w and ∂/∂b of -ln D(x), by hand: d ln σ(s)/ds = 1 - σ(s), so -(1 - p)·x and -(1 - p) with p = D(x)."""
    p = sigmoid(x @ D_w + D_b)
    return -(1 - p) * x, -(1 - p)


def slope_on_fake(x: np.ndarray, D_w: np.ndarray, D_b: float) -> tuple[np.ndarray, float]:
    """∂/∂w and ∂/∂b of -ln(1 - D(x)), by hand: p·x and p with p = D(x)."""
    p = sigmoid(x @ D_w + D_b)
    return p * x, p


def slope_of_G(z: float, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """∂/∂w and ∂/∂b of -ln D(G(z)) in G's numbers, by the chain rule.

    With x = G(z): ∂E/∂x = -(1 - D(x))·w_D, ∂x/∂s = x(1 - x), and s = z·w + b; so f = -(1 - D(x))·w_D·x(1 - x) is the
    slope in b, and f·z that in w.
    """
    x = sigmoid(z * weights.G_w + weights.G_b)
    f = -(1 - sigmoid(x @ weights.D_w + weights.D_b)) * weights.D_w * x * (1 - x)
    return f * z, f


def lesson(
    faces: Sequence[Sequence[float]] = FACES, epochs: int = 1000, lr: float = 0.01, seed: int = 42
) -> tuple[Weights, np.ndarray]:
    """The lesson from its first random number to its last: the weights, and (steps, 2) errors of D and of G.

    NumPy's old generator, since it is the one that the lesson's digits come from: D's four weights and bias, then G's
    weights and biases from N(0, 1), then one z from [0, 1) for each face.
    """
    draws = np.random.RandomState(seed)
    pictures = [np.asarray(face, float) for face in faces]
    n = len(pictures[0])
    now = Weights(draws.normal(size=n), draws.normal(), draws.normal(size=n), draws.normal(size=n))
    errors = []
    for face in pictures * epochs:
        now = _descended(now, slope_on_face(face, now.D_w, now.D_b), lr)
        z = draws.rand()
        fake = sigmoid(z * now.G_w + now.G_b)
        on_face, on_fake = (sigmoid(x @ now.D_w + now.D_b) for x in (face, fake))
        errors.append((-np.log(on_face) - np.log(1 - on_fake), -np.log(on_fake)))
        now = _descended(now, slope_on_fake(fake, now.D_w, now.D_b), lr)
        w, b = slope_of_G(z, now)
        now = now._replace(G_w=now.G_w - lr * w, G_b=now.G_b - lr * b)
    return now, np.array(errors)


def _descended(now: Weights, slope: tuple[np.ndarray, float], lr: float) -> Weights:
    return now._replace(D_w=now.D_w - lr * slope[0], D_b=now.D_b - lr * slope[1])
