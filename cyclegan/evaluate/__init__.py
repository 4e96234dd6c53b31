"""``cyclegan.evaluate(...)`` and ``python -m cyclegan.evaluate``: metrics, reports, contact sheets.

from cyclegan import evaluate
results = evaluate("runs/first", features="efficientnet-lite1")
print(results.text)                 # the table; all figures are in results.report
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from cyclegan.system.callable_module import make_callable

if TYPE_CHECKING:
    from cyclegan.evaluate.results import Results


def evaluate(name: str | os.PathLike[str] | None = None, **settings: Any) -> Results:
    """Measures translators or generators and writes a report: what ``python -m cyclegan.evaluate`` does.

    Args:
        name: a pretrained name, a run folder, a weights file, or a folder of pictures that some program has translated.
        settings: the flags of the command line by name: ``compare=["runs/a", "runs/b"]``, ``data="horse2zebra"``,
            ``direction="AB"``, ``features="inception"``, ``size=128``, ``imagenet=["zebra=340"]``, ``output="out"``,
            ``device="cpu"`` and so on; see ``cyclegan.evaluate.options.Evaluation``.

    Returns the figures, the same as text, and the folder with the report. Raises ``UserError``.
    """
    from cyclegan.evaluate.evaluation import assess
    from cyclegan.evaluate.options import asked
    from cyclegan.evaluate.results import write

    results = assess(asked(name, settings), say=lambda line: print(line, file=sys.stderr, flush=True))
    write(results)
    return results


make_callable(__name__, evaluate)
