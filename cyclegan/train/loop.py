"""One loop that trains every game: it asks for steps, and looks at the numbers once in a log interval."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
import torch.distributed as dist
from rich.console import Console
from torch import Tensor

from cyclegan.data.batches import batches
from cyclegan.models.game import Game
from cyclegan.system.devices import anyone, process_count, process_rank
from cyclegan.system.errors import UserError, heed_interrupt
from cyclegan.train.build import Training
from cyclegan.train.console import TrainingProgress
from cyclegan.train.health import Health
from cyclegan.train.judge import Verdict
from cyclegan.train.log import read_log
from cyclegan.train.run import Run

EARLY = {1, 2, 5, 10}  # logged besides every interval: speed, ETA and mistakes should show in the first minute
PACE_KNOWN = 5  # one of them: by then the first step, which is slower, weighs little

Losses = dict[str, Tensor]
Advice = Callable[[float], list[str]]  # seconds to go → lines to say about them


class NotFinite(UserError):
    """A loss became NaN or infinite; the message names the step, the loss and where to go back to."""

    exit_code = 1


def train(training: Training, run: Run, console: Console, advice: Advice = lambda seconds: []) -> int:
    """Trains from the run's last checkpoint to the end; returns the number of steps made in all.

    ``advice`` is asked once, when a new run's speed is known. SIGINT and SIGTERM save and return early. Raises
    ``NotFinite``.
    """
    game, source, judge, config = training.game, training.source, training.judge, training.config.training
    samples, augment = source.samples, source.augment(game.device)
    per_step, total = config.pictures * process_count(), training.steps
    first = run.load(game)
    past = read_log(run.folder)
    exhausted = judge is not None and judge.begin(past, first, run.seen)
    if first:  # a kill may have come between the checkpoint and what follows it
        if judge and judge.best_step == first:
            run.keep_best(game, first)
        if config.keep_every and first % config.keep_every == 0:
            run.keep(game, first)
    if exhausted:
        return first
    progress = TrainingProgress(total, first, per_step, console, past[-1].get("seconds", 0.0) if past else 0.0)
    if 0 < first < total:
        progress.say(f"Goes on after step {first}; another --name begins anew.")
    health = Health(game, source, config.sample_every)
    interval: list[Losses] = []
    saved = step = first
    moving = False  # in the middle of a step
    pinned = game.device.type == "cuda"
    feed = batches(
        samples, first, max(0, total - first), config.pictures, config.workers, process_rank(), process_count(), pinned
    )
    try:
        if first < total:
            run.track(progress.say)
        unsaved = lambda: 0 if moving or step == saved else step  # noqa: E731
        with _stop_requests(lambda: step > first) as stop, _saved_on_error(run, game, unsaved, progress):
            for batch in feed:
                moving = True
                game.progress = step / total
                interval.append(game.step_in_parts(config.accumulate, *augment(*batch)))
                step, moving = step + 1, False
                progress.advance(step)
                judging = judge is not None and judge.due(step, total)
                looks = step % config.log_every == 0 or step in EARLY or step == total or judging
                leaving = _leaving_together(stop, looks)
                verdict = judge.look(game, step) if judge and judging else Verdict()
                leaving = leaving or verdict.stop
                saving = step % config.save_every == 0 or step == total or leaving or verdict.better
                if looks or saving:
                    losses = _means(interval, step, saved, run)
                    record: dict[str, Any] = {"step": step, "epoch": 1 + (step * per_step - 1) // len(samples)}
                    record |= progress.speed(step) | {"losses": losses} | verdict.figures
                    interval.clear()
                    warnings = health.look(step, losses)
                    run.log(record | ({"warnings": warnings} if warnings else {}))
                    pace_known = step == PACE_KNOWN and process_rank() == 0
                    advised = advice(record["eta_seconds"]) if pace_known else []
                    progress.show(record, verdict.words + advised + warnings)
                if step % config.sample_every == 0 or step == total:
                    run.sample(game, step, training.still)
                if saving:
                    run.save(game, step)
                    saved = step
                if verdict.better:
                    run.keep_best(game, step)
                if config.keep_every and step % config.keep_every == 0:
                    run.keep(game, step)
                if leaving:
                    break
    finally:
        feed.close()
        progress.close()
    return step


@contextmanager
def _saved_on_error(run: Run, game: Game, unsaved: Callable[[], int], progress: TrainingProgress) -> Iterator[None]:
    """Saves what was made before an error passes through, such as a picture that cannot be read.

    ``unsaved`` gives the steps made, 0 where there is nothing whole to save. Several processes would have to save
    together, and the others do not know of the error: theirs are lost back to the last checkpoint.
    """
    try:
        yield
    except NotFinite:
        raise
    except Exception:
        step = unsaved()
        if step and process_count() == 1 and _is_finite(game):
            with suppress(OSError, RuntimeError):  # of a disk that is full; the first error says more
                run.save(game, step)
                progress.say(f"Saved after step {step}; the same command goes on from there.")
        raise


def _is_finite(game: Game) -> bool:
    """Whether all weights are numbers."""
    networks = (net for player in game.players.values() for net in player.networks.values())
    return all(bool(p.isfinite().all()) for net in networks for p in net.parameters())


def _means(interval: list[Losses], step: int, saved: int, run: Run) -> dict[str, float]:
    """The mean of each loss over the steps since the last look that have it, and over all processes.

    This is the interval's one wait for the device.
    """
    names = list(dict.fromkeys(name for losses in interval for name in losses))
    steps = {name: [i for i, losses in enumerate(interval) if name in losses] for name in names}
    values = torch.stack([interval[i][name].float() for name in names for i in steps[name]])
    if process_count() > 1:
        dist.all_reduce(values)
        values /= process_count()
    values = values.cpu()
    means = {}
    for name, part in zip(names, values.split([len(steps[name]) for name in names]), strict=True):
        for i, value in zip(steps[name], part.tolist(), strict=True):
            if value - value != 0:  # NaN and both infinities
                at = step - len(interval) + 1 + i
                intact = f"the checkpoint of step {saved} in {run.folder} is intact"
                back = intact if saved else "there is no checkpoint yet"
                raise NotFinite(f"the loss {name} became {value} at step {at}; {back}; try a lower --lr")
        means[name] = part.mean().item()
    return means


def _leaving_together(stop: list[int], may_talk: bool) -> bool:
    """Whether to leave now. Several processes must leave at one step, so they ask each other once an interval."""
    if process_count() == 1:
        return bool(stop)
    return may_talk and anyone(bool(stop))


@contextmanager
def _stop_requests(begun: Callable[[], bool] = lambda: True) -> Iterator[list[int]]:
    """A list that fills when SIGINT or SIGTERM comes; a second Ctrl-C ends the process at once.

    So does the first one while nothing has ``begun`` that could be saved: a step may take minutes.
    """
    received: list[int] = []

    def note(number, frame):
        if number == signal.SIGINT and (received or not begun()):
            raise KeyboardInterrupt
        received.append(number)
        if number == signal.SIGINT and process_rank() == 0:
            # Not print(), which a signal may find in the middle of its work.
            os.write(2, b"Stopping after this step; Ctrl-C again stops at once and loses what is not saved.\n")

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread, where nobody can send signals
        before = {}
    try:
        heed_interrupt()
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
