"""NIfTI volumes: every axial slice is translated, and the result lies where the volume lies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cyclegan.data.scans import Volume, read_volume
from cyclegan.data.values import Span
from cyclegan.system.errors import ImageError, MissingPackage
from cyclegan.system.files import write_whole
from cyclegan.system.terminal import Progress
from cyclegan.translate.jobs import Job

if TYPE_CHECKING:
    from cyclegan.translate.translator import Translator


def translate_volumes(
    translator: Translator,
    jobs: list[Job],
    size: int | None,
    tile: int | None,
    progress: Progress,
    span: Span | None = None,
) -> list[tuple[Job, str]]:
    """Does all jobs, each whole or not at all; returns those that failed, with the reason.

    The arguments are those of ``translate_pictures``. Values are those of the target domain where the translator was
    trained on more than 8 bits, or those of ``span``; else they go from 0 to 255. Raises ``MissingPackage``.
    """
    failures: list[tuple[Job, str]] = []
    for job in jobs:
        try:
            volume = read_volume(job.source)
            progress.begin(volume.count, f"slices of {os.path.basename(job.source)}")
            made = []
            for i in range(volume.count):
                made.append(_translated(translator, volume, i, size=size, tile=tile, range=span))
                progress.advance()
            write_whole(job.target, volume.encoded(made, packed=job.target.suffix == ".gz"))
        except MissingPackage:
            raise
        except (ImageError, MemoryError) as error:
            failures.append((job, str(error) or "too large for this machine's memory"))
        except OSError as error:
            failures.append((job, f"{error.filename or job.target}: {error.strerror or error}"))
        except Exception as error:  # on damaged data nibabel raises nearly anything
            failures.append((job, f"is damaged or no NIfTI volume ({error}): copy it again, or remove it"))
    return failures


def _translated(translator: Translator, volume: Volume, index: int, **options: Any) -> np.ndarray:
    """One slice: float32 (H, W), or uint8 where the translator knows 8 bits only."""
    result = translator(Image.fromarray(volume.slice(index)), **options)
    return np.asarray(result if result.mode in ("F", "L") else result.convert("L"))
