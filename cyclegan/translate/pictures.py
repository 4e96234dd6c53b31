"""From picture files to picture files: decoding, the network and encoding at the same time.

On a CPU, small pictures are done in parallel, each by one thread from the file to the file: that is faster than all
threads together on one picture, whose single layers are too small to share. Otherwise (large pictures, a GPU) decoding
and encoding run in threads beside the network, and on a GPU neighbours of one size go through it together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from cyclegan.data.formats import Result, save_picture
from cyclegan.data.values import Span
from cyclegan.system.errors import ImageError
from cyclegan.system.terminal import Progress, say
from cyclegan.translate import large
from cyclegan.translate.files import info_of, pixels_in, read, shape_of
from cyclegan.translate.jobs import Failures, Job
from cyclegan.translate.keep import keep_outside

if TYPE_CHECKING:
    from cyclegan.translate.translator import Translator

Notice = Callable[[Job, Result], None]  # says what is unexpected about a picture

THREADS = 2  # for decoding, and as many for encoding
AHEAD = 8  # pictures decoded before the network needs them, and encoded after it
BATCH = 8  # pictures of one size that go through the network together, on a GPU
SMALL = 512 * 512  # pixels up to which pictures are done in parallel on a CPU
MUCH = 2  # times the size of the training: what was learned is half as wide there as it should be
WORKERS = 8  # at most; each takes up to about 0.3 GB with the full-size ResNet


def translate_pictures(
    translator: Translator,
    jobs: Iterable[Job],
    size: int | None,
    tile: int | None,
    progress: Progress,
    span: Span | None = None,
    total: int = 0,
) -> list[tuple[Job, str]]:
    """Does all jobs, each whole or not at all; returns those that failed, with the reason.

    Of the jobs a few are taken at a time; ``total`` says how many come where they are no list. ``size``, ``tile`` and
    ``span`` are ``size``, ``tile`` and ``range`` of ``Translator``. What a format cannot hold is said once. An
    interruption (KeyboardInterrupt) passes through after what is being written has been written.
    """
    failures: list[tuple[Job, str]] = []
    notes: set[str] = set()  # that have been said
    options, channels = {"size": size, "tile": tile, "range": span}, translator.channels
    notice = partial(_notice, notes, None if size else translator.size)
    span = span or translator.spans[1]
    if not total:
        jobs = list(jobs)
        total = len(jobs)
    progress.begin(total, "pictures")
    begun = 0
    if translator.device.type == "cpu":
        jobs, begun = _in_parallel(translator, iter(jobs), options, span, failures, notes, notice, progress)
    with ThreadPoolExecutor(THREADS) as decoders, ThreadPoolExecutor(THREADS) as encoders:
        decoded = _ahead(decoders, jobs, channels)
        writing: deque[tuple[Job, Future]] = deque()
        try:
            for group in _groups(_readable(decoded, failures, notice, progress), _batch_size(translator)):
                # A small picture is done before anybody looks, and telling of its layers may cost a tenth of its time.
                is_large = pixels_in(group[0][1]) > SMALL
                watch = partial(_reached, progress, begun, len(group)) if is_large else None
                for job, result, info in _translated(translator, group, options | {"watch": watch}, failures, progress):
                    writing.append((job, encoders.submit(save_picture, result, job.target, info, span)))
                begun += len(group)
                while len(writing) > AHEAD:
                    _finished(*writing.popleft(), failures, notes)
                    progress.advance()
        except BaseException:
            decoders.shutdown(wait=False, cancel_futures=True)
            raise
        for job, future in writing:
            _finished(job, future, failures, notes)
            progress.advance()
    return failures


def _translated(
    translator: Translator, group: list, options: dict, failures: Failures, progress: Progress
) -> Iterator[tuple[Job, Result, dict]]:
    """The group's pictures translated, with what else their files hold; one by one where one of them cannot be."""
    try:
        results = translator([picture for _, picture in group], **options)
        results = [_kept(job, picture, made) for (job, picture), made in zip(group, results, strict=True)]
    except (ImageError, MemoryError) as error:
        if len(group) > 1:
            for one in group:
                yield from _translated(translator, [one], options, failures, progress)
            return
        failures.append((group[0][0], str(error) or "too large for this machine's memory"))
        progress.advance()
        return
    for (job, picture), result in zip(group, results, strict=True):
        yield job, result, info_of(picture, job.source)


def _reached(progress: Progress, begun: int, count: int, share: float) -> None:
    """Of all pictures those before ``begun`` are on their way, and ``share`` of the ``count`` after it is done."""
    progress.reach(begun + share * count)


def _in_parallel(
    translator: Translator,
    jobs: Iterator[Job],
    options: dict,
    span: Span | None,
    failures: Failures,
    notes: set[str],
    notice: Notice,
    progress: Progress,
) -> tuple[Iterable[Job], int]:
    """Does the jobs whose pictures are small, one thread each; returns the others, and how many it did."""
    import torch

    threads = torch.get_num_threads()
    workers = min(threads, WORKERS)
    first = list(islice(jobs, workers))
    if len(first) < workers or workers < 2:
        return chain(first, jobs), 0
    large: dict[Job, None] = {}
    done = 0

    def do(job: Job) -> str | None:
        picture = read(job.source, translator.channels)
        notice(job, picture)
        if pixels_in(picture) > SMALL:
            large[job] = None
            return None
        made = _kept(job, picture, translator(picture, **options))
        return save_picture(made, job.target, info_of(picture, job.source), span)

    def finish(job: Job, future: Future) -> None:
        nonlocal done
        _finished(job, future, failures, notes)
        if job not in large:
            done += 1
            progress.advance()

    # Each thread of the pool has its own setting; the math library's, which all share, is restored at the end.
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    under_way: deque[tuple[Job, Future]] = deque()
    try:
        for job in chain(first, jobs):
            under_way.append((job, pool.submit(do, job)))
            if len(under_way) > workers + AHEAD:
                finish(*under_way.popleft())
        while under_way:
            finish(*under_way.popleft())
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
    return large, done


def _batch_size(translator: Translator) -> tuple[int, int]:
    """Pictures, and pixels in all, that go through the network together."""
    return (1, 0) if translator.device.type == "cpu" else (BATCH, large.budget(translator.network))


def _ahead(pool: ThreadPoolExecutor, jobs: Iterable[Job], channels: tuple[int, int]) -> Iterator[tuple[Job, Future]]:
    """Each job with its picture on the way, never more than ``AHEAD`` of them."""
    waiting: deque[tuple[Job, Future]] = deque()
    for job in jobs:
        waiting.append((job, pool.submit(read, job.source, channels)))
        if len(waiting) >= AHEAD:
            yield waiting.popleft()
    yield from waiting


def _kept(job: Job, picture: Result, made: Result) -> Result:
    """The translation, where the job has a mask only in there."""
    return keep_outside(picture, made, list(job.masks)) if job.masks else made


def _readable(
    decoded: Iterable[tuple[Job, Future]], failures: Failures, notice: Notice, progress: Progress
) -> Iterator[tuple[Job, Result]]:
    for job, future in decoded:
        try:
            picture = future.result()
        except (ImageError, MemoryError) as error:
            failures.append((job, str(error) or "too large for this machine's memory"))
            progress.advance()
        else:
            notice(job, picture)
            yield job, picture


def _notice(notes: set[str], trained: int | None, job: Job, picture: Result) -> None:
    """Says what the user may not expect of a picture; ``trained`` is the size to propose where one is too large."""
    if info_of(picture).get("several"):
        _say_once(job, "has several pages or frames, of which the first is translated", notes)
    if trained and min(shape_of(picture)[:2]) > MUCH * trained:
        _say_once(job, f"is much larger than what this translator learned from; try --size {trained}", notes)


def _say_once(job: Job, note: str, notes: set[str]) -> None:
    if note not in notes:
        notes.add(note)
        say(f"{job.source}: {note} (said once)")


def _groups(pictures: Iterable[tuple[Job, Result]], limits: tuple[int, int]) -> Iterator[list[tuple[Job, Result]]]:
    """Neighbours of equal size, at most so many of them and so many pixels (or one)."""
    group: list[tuple[Job, Result]] = []
    count, pixels = limits
    for job, picture in pictures:
        full = len(group) >= count or (len(group) + 1) * pixels_in(picture) > pixels
        if group and (full or shape_of(picture) != shape_of(group[0][1])):
            yield group
            group = []
        group.append((job, picture))
    if group:
        yield group


def _finished(job: Job, future: Future, failures: Failures, notes: set[str]) -> None:
    """Waits for a job, and notes why it failed; says what was lost unless ``notes`` has it."""
    try:
        note = future.result()
        if note:
            _say_once(job, note, notes)
    except (ImageError, MemoryError) as error:
        failures.append((job, str(error) or "too large for this machine's memory"))
    except OSError as error:
        failures.append((job, f"{job.target} could not be written: {error.strerror or error}"))
