"""How good a model is while it trains: KID on a few fixed pictures, the best kept, the end in sight."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cyclegan.data.pixels import as_colour, to_levels, to_signed, to_unit
from cyclegan.data.source import Source
from cyclegan.evaluate.features import FeatureNetwork, load_features
from cyclegan.evaluate.metrics import kid, mean_difference
from cyclegan.evaluate.report import SAME
from cyclegan.models.game import Game
from cyclegan.networks.layers import composite
from cyclegan.system.devices import from_first, process_rank
from cyclegan.system.errors import UserError
from cyclegan.train.config import Config

NETWORKS = ("efficientnet-lite0", "efficientnet-lite1")  # the first that was not seen in training evaluates
STAYS = 3  # evaluations in a row after which outputs that equal their inputs are worth a word
TOGETHER = 4  # pictures translated in one call


@dataclass
class Verdict:
    """One evaluation: figures for the log, and what follows from them."""

    figures: dict = field(default_factory=dict)  # "metrics" and "change", each name → value
    better: bool = False  # than every one before
    stop: bool = False  # patience has run out
    words: list[str] = field(default_factory=list)  # for people


@dataclass
class Judged:
    """What one exported network is judged by."""

    title: str
    inputs: Tensor  # a translator's: uint8 (N, C, H, W); a generator's: latents (N, …)
    real: np.ndarray  # features of the pictures that its outputs should resemble
    masks: Tensor | None = None  # uint8 (N, 1, H, W) of a translator's inputs: outside of them these stay


class Judge:
    """Evaluates the networks that a game exports, once ``begin`` was called; its state is the run's log.

    Which pictures go into a network and which its outputs are held against follows from the header of its export.
    Only the first process looks, and tells the others, which may call everything. No random numbers are drawn from the
    global state, and networks are left in the mode they were in.
    """

    network: FeatureNetwork

    def __init__(self, game: Game, source: Source, config: Config):
        self.game, self.source, self.config, self.training = game, source, config, config.training
        self.judged: dict[str, Judged] = {}
        self.history: list[dict] = []
        self.stopped = False
        self.seen = False  # whether its network judged in training, too

    def begin(self, records: list[dict], step: int, seen: Collection[str]) -> bool:
        """Takes up the evaluations in a run's log up to ``step``; returns whether patience had run out already.

        ``seen`` are the feature networks that judge in training, or judged the weights that the run began with: another
        one is taken unless ``--eval-features`` insists. Raises ``UserError`` for too few pictures and a missing feature
        network, and ``ImageError`` for an unreadable file.
        """
        impartial = next((name for name in NETWORKS if name not in seen), NETWORKS[-1])
        self.network = load_features(self.training.eval_features or impartial, self.game.device)
        self.seen = self.network.name in seen
        if process_rank() == 0:
            self.judged = self._look_at_real(self.game, self.source, self.config.pictures)
        past = [record for record in records if "metrics" in record and record["step"] <= step]
        self.history = [{"step": r["step"], "metrics": r["metrics"], "change": r.get("change", {})} for r in past]
        self.stopped = from_first(self._impatient())
        return self.stopped

    def _look_at_real(self, game: Game, source: Source, pictures_config: Any) -> dict[str, Judged]:
        if any(len(header.get("outputs", ())) == 4 for _, header in game.exports().values()):
            raise UserError("evaluations compare pictures, and this model makes solids: leave out --eval-every")
        resize = getattr(pictures_config, "resize", "stretch")
        pictures = dict(zip(source.domains, source.fixed(self.training.eval_pictures, resize), strict=True))
        masks = source.fixed_masks(self.training.eval_pictures, resize)
        inside = dict(zip(source.domains, masks, strict=False))  # there may be none
        for domain, batch in pictures.items():
            if len(batch) < 2:
                raise UserError(f"evaluations need at least two test pictures of {domain}: leave out --eval-every")
        features = {domain: self.network(as_colour(batch))[0] for domain, batch in pictures.items()}
        judged = {}
        network: Any
        for name, (network, header) in game.exports().items():
            domains = header["domains"]
            if header.get("kind") == "generator":
                draws = torch.Generator().manual_seed(0)
                inputs = network.latents(self.training.eval_pictures, draws)
            else:
                inputs = pictures[domains[0]]
            judged[name] = Judged(" → ".join(domains), inputs, features[domains[-1]], inside.get(domains[0]))
        return judged

    @property
    def best_step(self) -> int:
        """The step of the best evaluation so far, 0 where there is none."""
        scores = [_score(entry) for entry in self.history]
        return self.history[int(np.argmin(scores))]["step"] if min(scores, default=np.inf) < np.inf else 0

    def due(self, step: int, total: int) -> bool:
        """Whether to look after this step: at every interval, and at the end."""
        return step % self.training.eval_every == 0 or step == total

    def look(self, game: Game, step: int) -> Verdict:
        """Evaluates the networks as they would be exported now."""
        verdict = from_first(self._verdict(game, step) if process_rank() == 0 else Verdict())
        self.stopped = verdict.stop
        return verdict

    def _verdict(self, game: Game, step: int) -> Verdict:
        metrics, change = {}, {}
        network: Any
        for name, (network, header) in game.exports().items():
            judged = self.judged[name]
            outputs = as_colour(made(network, judged.inputs, game.device, header.get("palettes"), judged.masks))
            features, _ = self.network(outputs)
            metrics[f"KID {self.network.name} {name}"] = kid(features, judged.real)
            if header.get("kind") != "generator":
                share = 1 if judged.masks is None else judged.masks.double().mean().item() / 255
                change[name] = mean_difference(outputs, as_colour(judged.inputs)).mean().item() / max(share, 1e-9)
        before = [_score(entry) for entry in self.history]
        self.history.append({"step": step, "metrics": metrics, "change": change})
        score = _score(self.history[-1])
        figures = {"metrics": metrics} | ({"change": change} if change else {})
        verdict = Verdict(figures, score < min(before, default=np.inf))
        verdict.stop = self._impatient()
        verdict.words = [*self._figures_in_words(verdict), *self._warnings()]
        return verdict

    def _impatient(self) -> bool:
        scores = [_score(entry) for entry in self.history]
        patience = self.training.patience
        return bool(patience and scores and len(scores) - 1 - int(np.argmin(scores)) >= patience)

    def _figures_in_words(self, verdict: Verdict) -> list[str]:
        figures = ", ".join(
            f"{judged.title} {value:.4f}"
            for judged, value in zip(self.judged.values(), verdict.figures["metrics"].values(), strict=True)
        )
        words = [f"KID ({self.network.name}): {figures}{', the best so far' if verdict.better else ''}"]
        if self.seen and len(self.history) == 1:
            words.append(
                f"{self.network.name} was seen in training, so these figures flatter: leave out --eval-features"
            )
        if verdict.stop:
            best = min(self.history, key=_score)["step"]
            waited = f"No better KID in {self.training.patience} evaluations"
            words.append(f"{waited}: stopping. The best was that of step {best}")
        return words

    def _warnings(self) -> list[str]:
        """A sentence for each translator that has only just been returning its input for too long."""
        last = self.history[-STAYS:]
        earlier = self.history[-STAYS - 1 : -STAYS]
        return [
            f"{judged.title}: the outputs still equal the inputs, they differ by {last[-1]['change'][name]:.1f} "
            "levels of 255. Lower --lambda-cycle or --lambda-identity, or check that the two folders differ"
            for name, judged in self.judged.items()
            if len(last) == STAYS
            and all(entry["change"].get(name, np.inf) < SAME for entry in last)
            and not (earlier and earlier[0]["change"].get(name, np.inf) < SAME)
        ]


@torch.no_grad()
def made(
    network: nn.Module,
    inputs: Tensor,
    device: torch.device,
    palettes: list | None = None,
    masks: Tensor | None = None,
) -> Tensor:
    """What a network makes of uint8 pictures or of latents, as uint8 (N, C, H, W); it keeps its mode.

    Where it takes ``palettes``, picture number n is painted with palette number n modulo their count. With ``masks``,
    uint8 (N, 1, H, W), pictures stay what they are outside.
    """
    mode = network.training
    network.eval()
    parts = []
    numbers = torch.arange(len(inputs)).split(TOGETHER)
    for part, places in zip(inputs.split(TOGETHER), numbers, strict=True):
        part = to_signed(part, device) if part.dtype == torch.uint8 else part.to(device)
        beside = [torch.tensor(palettes, device=device)[places % len(palettes)]] if palettes else []
        output = network(part, *beside)
        parts.append(to_levels(output if masks is None else composite(output, part, to_unit(masks[places], device))))
    network.train(mode)
    return torch.cat(parts)


def _score(entry: dict) -> float:
    """What "better" means: the mean KID over all networks; NaN never is."""
    score = float(np.mean(list(entry["metrics"].values())))
    return score if np.isfinite(score) else np.inf
