"""``python -m cyclegan.evaluate NAME_OR_RUN``: how good a translator is, in figures that others can repeat."""

import sys

import tyro

from cyclegan.evaluate.options import Evaluation
from cyclegan.train.config import ConfigError


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code: 0 done, 2 wrong input, 130 stopped."""
    options = tyro.cli(Evaluation, args=arguments, prog="python -m cyclegan.evaluate")
    try:
        options.check()
        from cyclegan.evaluate.evaluation import assess, write

        results, folder = assess(options, say=lambda line: print(line, file=sys.stderr, flush=True))
        print(write(results, folder))
        print(f"Written to {folder}: report.html, evaluation.json, evaluation.md and contact sheets")
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if not error.filename:
            raise
        return _complain(f"{error.filename}: {error.strerror}; choose another folder with --output")
    except ValueError as error:
        if not is_users(error):
            raise
        return _complain(str(error).splitlines()[0])
    return 0


def _complain(sentence: str) -> int:
    print(f"cyclegan.evaluate: {sentence}", file=sys.stderr)
    return 2


def is_users(error: Exception) -> bool:
    """Whether the message is a sentence for the user, and not a fault of the program."""
    from cyclegan.data.datasets import CardError
    from cyclegan.data.images import ImageError
    from cyclegan.evaluate.features import FeatureError
    from cyclegan.networks.weights import WeightsError

    return isinstance(error, (ConfigError, CardError, FeatureError, ImageError, WeightsError))


if __name__ == "__main__":
    sys.exit(main())
