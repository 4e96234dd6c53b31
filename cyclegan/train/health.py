"""The warnings of GAN practice, in words, while a model trains: each is said once and costs next to nothing.

A discriminator that is never wrong teaches nothing. A generator that makes one picture of all noise has collapsed. A
critic whose weights all lie at the ends of its clipping can tell little (Gulrajani et al. 2017, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cyclegan.data.source import Source
from cyclegan.models.from_noise import NoiseGame
from cyclegan.models.game import Game
from cyclegan.system.devices import process_rank

NOTHING = 0.02  # a discriminator's loss below which it is wrong about next to no picture
LONG = 500  # steps of it
STAYS = 3  # looks in a row after which a finding is no accident
ALIKE = 0.2  # diversity of the samples, as a share of that of real pictures
CLIPPED = "clipped"  # the name under which a model logs the share of its critic's weights at the ends of the clipping
EVERYWHERE = 0.95


@dataclass
class Health:
    """Looks at the log's figures, and now and then at samples. Only the first process says anything.

    ``every`` is the number of steps between two looks at the samples. No random numbers are drawn.
    """

    game: Game
    source: Source
    every: int
    _said: set[str] = field(default_factory=set)
    _since: dict[str, int] = field(default_factory=dict)  # finding → the step at which it began
    _looks: dict[str, int] = field(default_factory=dict)  # finding → looks in a row that had it
    _signed: set[str] = field(default_factory=set)  # losses below zero, such as a critic's, for which 0 is no end
    _looked: int | None = None  # the step of the last look at samples
    _real: float | None = None  # the diversity of real pictures

    def look(self, step: int, losses: dict[str, float]) -> list[str]:
        """New warnings after ``step``, from the mean losses since the last look."""
        if process_rank() != 0:
            return []
        words = self._beaten(step, losses) + self._clipped(losses)
        self._looked = step if self._looked is None else self._looked
        if isinstance(self.game, NoiseGame) and step - self._looked >= self.every:
            self._looked = step
            words += self._collapsed(self.game)
        return words

    def _beaten(self, step: int, losses: dict[str, float]) -> list[str]:
        """Discriminators whose loss has been about 0 for long."""
        words = []
        for name, value in losses.items():
            if name.split("_")[0] != "D":
                continue
            if value < 0:
                self._signed.add(name)
            if value > NOTHING or name in self._signed:
                self._since.pop(name, None)
                continue
            begin = self._since.setdefault(name, step)
            if step - begin >= LONG:
                words += self._once(
                    name,
                    f"The loss of {name} has been 0 for {step - begin} steps: it tells all generated pictures from real"
                    " ones, so the generator learns little more. Try --diffaug, more pictures, or a lower rate for it",
                )
        return words

    def _clipped(self, losses: dict[str, float]) -> list[str]:
        share = losses.get(CLIPPED)
        if share is None or not self._stays(CLIPPED, share > EVERYWHERE):
            return []
        return self._once(
            CLIPPED,
            f"{share:.0%} of the critic's weights are at the ends of the clipping, so there is little that it can tell."
            " Try --penalty",
        )

    def _collapsed(self, game: NoiseGame) -> list[str]:
        """Samples that are all alike."""
        samples = game.still_samples()
        if self._real is None:
            real = self.source.fixed(len(samples), "stretch")[0]
            fits = real.shape[1:] == samples.shape[1:] and len(real) > 1
            self._real = diversity(real.float() / 127.5 - 1) if fits else 0.0
        share = diversity(samples.float().cpu()) / self._real if self._real else 1.0
        if not self._stays("alike", share < ALIKE):
            return []
        return self._once(
            "alike",
            f"The samples are nearly all alike: they differ by {share:.0%} of what real pictures differ. If the grids"
            " show one picture (mode collapse), begin anew with a lower --lr, a larger --batch or another --seed",
        )

    def _stays(self, finding: str, is_there: bool) -> bool:
        self._looks[finding] = self._looks.get(finding, 0) + 1 if is_there else 0
        return self._looks[finding] >= STAYS

    def _once(self, finding: str, sentence: str) -> list[str]:
        if finding in self._said:
            return []
        self._said.add(finding)
        return [sentence]


def diversity(pictures: Tensor) -> float:
    """The mean absolute difference of two of the pictures, over all pairs; (N, …) with N at least 2."""
    flat = pictures.flatten(1)
    return float(torch.pdist(flat, p=1).mean() / flat.shape[1])
