"""``python -m cyclegan.train NAME_OR_FOLDER``: train a model."""

import sys

from cyclegan.system.errors import command, require
from cyclegan.train import NEEDED


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code: 0 done, 1 training failed, 2 wrong input, 130 stopped and saved."""
    return command("cyclegan.train", lambda: _train(arguments))


def _train(arguments: list[str] | None) -> int:
    from cyclegan.train.recipes import parse  # here, so that Ctrl-C meanwhile is no traceback

    config = parse(arguments)
    require("training", "train", *NEEDED)
    from cyclegan.train.session import dry_run, run_training

    if config.dry_run:
        dry_run(config)
        return 0
    result = run_training(config)
    for line in result.words:
        print(line)
    return 130 if result.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
