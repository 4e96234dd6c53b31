"""``python -m cyclegan.translate NAME IN... -o OUT``: translate pictures and videos."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclegan.system.errors import UserError, command, heed_interrupt, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro
from tyro.conf import Positional, arg

from cyclegan.system.files import sweep_beside
from cyclegan.translate.jobs import Clip, Failures, seconds_of, with_masks
from cyclegan.translate.plan import Share, plan

if TYPE_CHECKING:
    import torch

    from cyclegan.translate.translator import Translator


@dataclass(frozen=True)
class Options:
    """Translate pictures and videos with a trained generator.

    Results keep names, sizes and, where it can be written, the format. What is there already stays, so the same command
    again goes on where it was stopped. Exit code: 0 all done, 1 some inputs could not be read, 2 wrong usage,
    130 stopped by Ctrl-C.
    """

    name: Positional[str]
    """A translator: a card's name such as horse2zebra, a run folder, a weights file, or OWNER/NAME on Hugging Face."""
    inputs: Annotated[Positional[tuple[str, ...]], arg(metavar="IN [IN ...]")]
    """Files, folders (with all below them), patterns such as "photos/*.jpg", URLs; pictures, videos, NIfTI volumes."""
    output: Annotated[Path, arg(aliases=["-o"], metavar="OUT")]
    """A folder; for a single input also a file."""
    reverse: bool = False
    """Translate B to A instead of A to B."""
    overwrite: bool = False
    """Replace results that are there already."""
    size: int | None = None
    """Let the network see pictures scaled down to SIZE pixels on the shorter side, and scale its answer up; smaller
    ones are not enlarged. Default: the picture's own resolution. What it learned has a size in pixels: for large
    pictures try the one it was trained at."""
    tile: int | None = None
    """Bound the memory: work on about TILE x TILE pixels at a time; the result is the same. Default: for large
    pictures only; 0 never."""
    range: tuple[float, float] | None = None
    """The values that are black and white in pictures of more than 8 bits. Default: as in the training."""
    palette: Annotated[str | None, arg(metavar="COLOURS")] = None
    """The colours to paint in, for translators trained with --palette: red, "#ff8800,gold", photo.jpg (its colours), or
    a number, which draws the colours of a training picture. Default: 0, the most typical of these."""
    seed: int | None = None
    """Of the noise of pix2pix, which makes small differences; the same seed gives the same picture. Default: 0."""
    mask: Annotated[Path | None, arg(metavar="MASK")] = None
    """Translate what is white in it and keep the picture's own pixels elsewhere: one file, or a folder with a mask of
    each picture's name (several as NAME_0.png, NAME_1.png … count as one)."""
    steady: bool = False
    """Videos: hold the colours still from frame to frame, by statistics of about a second around each. Reads the video
    twice."""
    start: Annotated[str, arg(metavar="TIME")] = "0"
    """Videos: begin there; seconds, or as 1:30."""
    end: Annotated[str | None, arg(metavar="TIME")] = None
    """Videos: stop there."""
    device: str | None = None
    """cpu, cuda, cuda:1, mps … Default: CUDA where there is one."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    flags = (tyro.conf.FlagCreatePairsOff,)  # --reverse alone, without --no-reverse
    options = tyro.cli(Options, args=arguments, prog="python -m cyclegan.translate", config=flags)
    return command("cyclegan.translate", lambda: _translate(options), "Stopped. The same command goes on from here.")


def _translate(options: Options) -> int:
    clip = _clip(options)
    jobs = plan(options.inputs, options.output)
    if clip != Clip() and not jobs.counts["videos"]:
        raise UserError("--steady, --start and --end are for videos, and there is none")
    listed = with_masks(list(jobs), options.mask) if options.mask else jobs
    from cyclegan.system.devices import (
        AS_LONG_AS_IT_TAKES,
        choose_device,
        from_all,
        join_processes,
        leave_processes,
        process_count,
        process_rank,
    )

    device = choose_device(options.device)
    join_processes(device, AS_LONG_AS_IT_TAKES)
    try:
        translator = _translator(options, device)  # what is wrong is said, also where all is done already
        share = Share(listed, jobs.counts, process_rank(), process_count(), options.overwrite)
        heed_interrupt()
        sweep_beside(job.target for job in share)
        failures = _run(translator, share, options, clip)
        shares = from_all((share.begun, share.there, failures))
        return _report(shares, options) if process_rank() == 0 else 0
    finally:
        leave_processes()


def _report(shares: list[tuple[int, int, Failures]], options: Options) -> int:
    """Says what all processes did, of whom each has (begun, there already, failures); returns the exit code."""
    begun, there = sum(share[0] for share in shares), sum(share[1] for share in shares)
    failures = [failure for share in shares for failure in share[2]]
    said = f"{begun - len(failures)} translated into {options.output}"
    if there:
        said += f", {there} there already (--overwrite does them again)"
    print(said)
    for job, reason in failures:
        print(f"{job.source}: {reason}" if job.source not in reason else reason, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {begun + there} could not be translated, see above.", file=sys.stderr)
    return 1 if failures else 0


def _clip(options: Options) -> Clip:
    """The part of each video. Raises ``UserError``."""
    start, end = (None if text is None else seconds_of(text) for text in (options.start, options.end))
    return Clip(options.steady, start or 0.0, end)


def _translator(options: Options, device: "torch.device") -> "Translator":
    """The translator that was asked for. Raises ``UserError``."""
    from cyclegan.data.values import check_range
    from cyclegan.translate.translator import Translator

    if options.size is not None and options.size < 1:
        raise UserError(f"--size is a number of pixels, not {options.size}")
    check_range(options.range)
    translator = Translator.from_pretrained(options.name, options.reverse, device)
    if options.palette is not None or translator.palettes is not None:
        translator = translator.with_palette(options.palette)  # one palette for all pictures and frames
    if options.seed is not None:
        translator = translator.with_seed(options.seed)
    return translator


def _run(translator: "Translator", share: Share, options: Options, clip: Clip) -> Failures:
    """Does the jobs of this process; returns those that failed with the reason."""
    from cyclegan.system.terminal import Progress
    from cyclegan.translate.pictures import translate_pictures

    failures: Failures = []
    with Progress(" → ".join(translator.domains)) as progress:
        if count := share.count("pictures"):
            waiting = share.waiting("pictures", progress.advance)
            failures += translate_pictures(
                translator, waiting, options.size, options.tile, progress, options.range, total=count
            )
        if volumes := list(share.waiting("volumes")):
            from cyclegan.translate.volumes import translate_volumes

            failures += translate_volumes(translator, volumes, options.size, options.tile, progress, options.range)
        if videos := list(share.waiting("videos")):
            from cyclegan.translate.video import translate_videos

            failures += translate_videos(translator, videos, options.size, options.tile, progress, clip)
    return failures


if __name__ == "__main__":
    sys.exit(main())
