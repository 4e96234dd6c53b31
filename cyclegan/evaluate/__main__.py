"""``python -m cyclegan.evaluate NAME_OR_RUN``: how good it is, in figures that others can repeat."""

import sys
from functools import partial

from cyclegan.system.errors import command, heed_interrupt, leave_on_interrupt

if __name__ == "__main__":
    leave_on_interrupt()

import tyro

from cyclegan.evaluate.options import Evaluation


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code: 0 done, 2 wrong input, 130 stopped."""
    options = tyro.cli(Evaluation, args=arguments, prog="python -m cyclegan.evaluate")
    return command("cyclegan.evaluate", lambda: _evaluate(options))


def _evaluate(options: Evaluation) -> int:
    options.check()
    from cyclegan.evaluate.evaluation import assess
    from cyclegan.evaluate.results import write
    from cyclegan.system.devices import AS_LONG_AS_IT_TAKES, choose_device, join_processes, leave_processes

    heed_interrupt()
    first = join_processes(choose_device(options.device), AS_LONG_AS_IT_TAKES) == 0
    try:
        say = partial(print, file=sys.stderr, flush=True) if first else lambda line: None
        results = assess(options, say)
        if first:
            write(results)
            print(results.text)
            print(f"Written to {results.folder}: report.html, evaluation.json, evaluation.md and contact sheets")
        return 0
    finally:
        leave_processes()


if __name__ == "__main__":
    sys.exit(main())
