"""One loop that trains every game: it asks for steps, and looks at the numbers once in a log interval."""

import signal
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from cyclegan.data.samples import batches
from cyclegan.models.game import Game, process_count, process_rank
from cyclegan.train.config import TrainingConfig
from cyclegan.train.console import Report
from cyclegan.train.judge import Verdict
from cyclegan.train.log import read_log
from cyclegan.train.run import Run

EARLY = {1, 2, 5, 10}  # logged besides every interval: speed, ETA and mistakes should show in the first minute

PACE_KNOWN = 5  # one of them: by then the first step, which is slower, weighs little


class NotFinite(RuntimeError):
    """A loss became NaN or infinite; the message names the step, the loss and where to go back to."""


def steps_in_all(config: TrainingConfig, samples_per_epoch: int) -> int:
    """Steps of the whole run: ``--steps``, or as many as its epochs have."""
    return config.steps or max(1, round(config.epochs * samples_per_epoch / (config.batch * process_count())))


def train(
    game: Game,
    dataset,
    augment,
    run: Run,
    config: TrainingConfig,
    pictures: tuple,
    console,
    watch=None,
    advise=None,
) -> int:
    """Trains ``game`` from the run's last checkpoint to the end; returns the number of steps made in all.

    Args:
        dataset: has ``sample(k)``, ``in_memory(k)`` and a length, see ``data``.
        augment: a batch of uint8 tensors → tensors in [-1, 1] on the device.
        pictures: fixed ones to look at, in [-1, 1] on the device, one tensor a domain.
        watch: evaluates on the way, see ``watching``; None for never.
        advise: seconds to go → lines to say about them, asked once when a new run's speed is known.

    SIGINT and SIGTERM save and return early. Raises ``NotFinite``.
    """
    per_step = config.batch * process_count()
    total = steps_in_all(config, len(dataset))
    first = run.load(game)
    past = read_log(run.folder)
    if watch and watch.resume(past, first):
        return first
    report = Report(total, first, per_step, console, past[-1].get("seconds", 0.0) if past else 0.0)
    interval: list[dict[str, Tensor]] = []
    saved = step = first
    feed = batches(dataset, first, max(0, total - first), config.batch, config.workers, process_rank(), process_count())
    try:
        with _stop_requests() as stop:
            for batch in feed:
                game.progress = step / total
                interval.append(game.step(*augment(*batch)))
                step += 1
                report.advance(step)
                judging = bool(watch) and watch.due(step, total)
                looks = step % config.log_every == 0 or step in EARLY or step == total or judging
                leaving = _agreed(stop, looks)
                verdict = watch.look(game, step) if judging else Verdict()
                leaving = leaving or verdict.stop
                saving = step % config.save_every == 0 or step == total or leaving or verdict.better
                if looks or saving:
                    record = {"step": step, "epoch": 1 + (step * per_step - 1) // len(dataset)}
                    record |= report.speed(step) | {"losses": _means(interval, step, saved, run)} | verdict.figures
                    interval.clear()
                    run.log(record)
                    advised = advise(record["eta_seconds"]) if advise and step == PACE_KNOWN else []
                    report.show(record, verdict.words + advised)
                if step % config.sample_every == 0 or step == total:
                    run.sample(game, step, pictures)
                if saving:
                    run.save(game, step)
                    saved = step
                if verdict.better:
                    run.keep_best()
                if leaving:
                    break
    finally:
        feed.close()
        report.close()
    return step


def _means(interval: list[dict[str, Tensor]], step: int, saved: int, run: Run) -> dict[str, float]:
    """The mean of each loss since the last look, over all processes: the interval's one wait for the device."""
    names = list(interval[0])
    values = torch.stack([torch.stack([losses[name] for name in names]).float() for losses in interval])
    if process_count() > 1:
        dist.all_reduce(values)
        values /= process_count()
    values = values.cpu()
    if not values.isfinite().all():
        row, column = (~values.isfinite()).nonzero()[0].tolist()
        at = step - len(interval) + 1 + row
        back = f"the checkpoint of step {saved} in {run.folder} is intact" if saved else "there is no checkpoint yet"
        raise NotFinite(f"the loss {names[column]} became {values[row, column]} at step {at}; {back}; try a lower --lr")
    return dict(zip(names, values.mean(0).tolist(), strict=True))


def _agreed(stop: list, may_talk: bool) -> bool:
    """Whether to leave now. Several processes must leave together, so they ask each other once in an interval."""
    if process_count() == 1:
        return bool(stop)
    if not may_talk:
        return False
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    votes = torch.tensor(len(stop), device=device)
    dist.all_reduce(votes)
    return bool(votes.item())


@contextmanager
def _stop_requests():
    """A list that fills when SIGINT or SIGTERM comes; a second Ctrl-C ends the process at once."""
    received: list[int] = []

    def note(number, frame):
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread, where nobody can send signals
        before = {}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
