"""How good the translators are while they train: KID on a few fixed test pictures, the best kept, the end in sight."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from cyclegan.evaluate.features import load_features
from cyclegan.evaluate.measure import Framing, as_colour, to_levels
from cyclegan.evaluate.metrics import kid, mean_difference
from cyclegan.evaluate.options import SAME
from cyclegan.models.game import Game, process_count, process_rank
from cyclegan.train.config import ConfigError, ModelConfig, TrainingConfig

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
class Direction:
    """The fixed pictures of one direction."""

    title: str
    inputs: Tensor  # uint8 (N, C, H, W)
    real: np.ndarray  # features of the target domain's pictures, looked at once


class Watch:
    """Evaluates a game that exports ``G_AB`` and ``G_BA``; its state is the run's log, so a resumed run goes on.

    Only the first process looks, and tells the others, which may call everything. No random numbers are drawn, and
    networks are left in the mode they were in.

    Args:
        files: of A and of B, to draw fixed subsets from.
        channels, framing: how to read them.
        domains: names of A and B.
        training: ``eval_every``, ``eval_pictures``, ``eval_features`` and ``patience``.
        seen: feature networks that judge in training; another one is used unless ``eval_features`` insists.

    Raises ``FeatureError``, ``ConfigError`` for too few pictures, ``ImageError`` for a file that cannot be read.
    """

    def __init__(
        self,
        files: tuple[list[Path], list[Path]],
        channels: tuple[int, int],
        framing: Framing,
        domains: tuple[str, str],
        training: TrainingConfig,
        seen: list[str],
        device: torch.device,
    ):
        self.training, self.domains = training, domains
        impartial = [name for name in ("efficientnet-lite0", "efficientnet-lite1") if name not in seen]
        self.network = load_features(training.eval_features or impartial[0], device)
        self.directions: dict[str, Direction] = {}
        if process_rank() == 0:
            self._look_at_real(files, channels, framing)
        self.history: list[dict] = []
        self.stopped = False

    def _look_at_real(self, files, channels, framing: Framing) -> None:
        for paths, domain in zip(files, self.domains, strict=True):
            if len(paths) < 2:
                raise ConfigError(f"evaluations need at least two test pictures of {domain}: leave out --eval-every")
        pictures = [
            torch.stack([framing.read(path, c) for path in spread(paths, self.training.eval_pictures)])
            for paths, c in zip(files, channels, strict=True)
        ]
        features = [self.network(_in_colour(batch))[0] for batch in pictures]
        for name, order in (("G_AB", 1), ("G_BA", -1)):
            title = " → ".join(self.domains[::order])
            self.directions[name] = Direction(title, pictures[::order][0], features[::order][1])

    def resume(self, records: list[dict], step: int) -> bool:
        """Takes up the evaluations in a run's log up to ``step``; returns whether patience had run out already."""
        past = [record for record in records if "metrics" in record and record["step"] <= step]
        self.history = [{key: record[key] for key in ("step", "metrics", "change")} for record in past]
        self.stopped = _from_first(self._impatient())
        return self.stopped

    def due(self, step: int, total: int) -> bool:
        """Whether to look after this step: at every interval, and at the end."""
        return step % self.training.eval_every == 0 or step == total

    def look(self, game: Game, step: int) -> Verdict:
        """Evaluates the translators as they would be exported now."""
        verdict = _from_first(self._verdict(game, step) if process_rank() == 0 else None)
        self.stopped = verdict.stop
        return verdict

    def _verdict(self, game: Game, step: int) -> Verdict:
        metrics, change = {}, {}
        for name, (network, _) in game.exports().items():
            direction = self.directions[name]
            outputs = translated(network, direction.inputs, game.device)
            features, _ = self.network(_in_colour(outputs))
            metrics[f"KID {self.network.name} {name}"] = kid(features, direction.real)
            apart = mean_difference(_in_colour(outputs), _in_colour(direction.inputs))
            change[name] = apart.mean().item()
        before = [_score(entry) for entry in self.history]
        self.history.append({"step": step, "metrics": metrics, "change": change})
        score = _score(self.history[-1])
        verdict = Verdict({"metrics": metrics, "change": change}, score < min(before, default=np.inf))
        verdict.stop = self._impatient()
        verdict.words = [*self._figures_in_words(verdict), *self._warnings()]
        return verdict

    def _impatient(self) -> bool:
        scores = [_score(entry) for entry in self.history]
        patience = self.training.patience
        return bool(patience and scores and len(scores) - 1 - int(np.argmin(scores)) >= patience)

    def _figures_in_words(self, verdict: Verdict) -> list[str]:
        figures = ", ".join(
            f"{direction.title} {value:.4f}"
            for direction, value in zip(self.directions.values(), verdict.figures["metrics"].values(), strict=True)
        )
        words = [f"KID ({self.network.name}): {figures}{', the best so far' if verdict.better else ''}"]
        if verdict.stop:
            best = min(self.history, key=_score)["step"]
            waited = f"No better KID in {self.training.patience} evaluations"
            words.append(f"{waited}: stopping. The best was that of step {best}")
        return words

    def _warnings(self) -> list[str]:
        """A sentence for each direction that has only just been returning its input for too long."""
        last = self.history[-STAYS:]
        earlier = self.history[-STAYS - 1 : -STAYS]
        return [
            f"{direction.title}: the outputs still equal the inputs, they differ by {last[-1]['change'][name]:.1f} "
            "levels of 255. Lower --lambda-cycle or --lambda-identity, or check that the two folders differ"
            for name, direction in self.directions.items()
            if len(last) == STAYS
            and all(entry["change"][name] < SAME for entry in last)
            and not (earlier and earlier[0]["change"][name] < SAME)
        ]


def spread(files: list[Path], count: int) -> list[Path]:
    """``count`` of the files, or all if there are fewer, evenly from first to last: the same ones every time."""
    count = min(count, len(files))
    return [files[i * len(files) // count] for i in range(count)]


@torch.no_grad()
def translated(network: nn.Module, pictures: Tensor, device: torch.device) -> Tensor:
    """uint8 (N, C, H, W) → uint8 (N, C', H, W) by a generator, which keeps its mode."""
    mode = network.training
    network.eval()
    parts = [to_levels(network(part.to(device).float() / 127.5 - 1)) for part in pictures.split(TOGETHER)]
    network.train(mode)
    return torch.cat(parts)


def watch_for(game, files: list[list[Path]], config, channels, domains) -> Watch | None:
    """The ``Watch`` that a configuration asks for, on the test ``files`` of A and B; None where it asks for none."""
    training, model = config.training, config.model
    if not training.eval_every:
        return None
    framing = Framing(config.pictures.size, config.pictures.resize)
    return Watch(tuple(files), channels, framing, domains, training, seen_by(model), game.device)


def seen_by(model: ModelConfig) -> list[str]:
    """The feature networks that judge while training, and so cannot judge the result impartially."""
    return ["efficientnet-lite0"] if model.discriminator == "projected" else []


def _in_colour(pictures: Tensor) -> Tensor:
    return torch.stack([as_colour(picture) for picture in pictures])


def _score(entry: dict) -> float:
    """What "better" means: the mean KID over both directions; NaN never is."""
    score = float(np.mean(list(entry["metrics"].values())))
    return score if np.isfinite(score) else np.inf


def _from_first(value):
    """The first process's value, on all of them."""
    if process_count() == 1:
        return value
    holder = [value]
    dist.broadcast_object_list(holder, src=0)
    return holder[0]
