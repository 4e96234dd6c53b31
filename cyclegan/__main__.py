"""``cyclegan COMMAND …`` and ``python -m cyclegan COMMAND …``: all commands behind one name.

``cyclegan train …`` does what ``python -m cyclegan.train …`` does. A command is imported once it is chosen, so that
this help does not wait for torch.
"""

import sys
from difflib import get_close_matches
from importlib import import_module

from cyclegan import __version__
from cyclegan.system.errors import leave_on_interrupt

USAGE = """usage: cyclegan COMMAND …

{commands}

cyclegan COMMAND --help explains one of them; cyclegan --version says which version this is.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command named by the first argument on the others; returns its exit code, 2 where there is none."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("--help", "-h", "help"):
        print(USAGE.format(commands="\n".join(f"  {name:<12} {what}" for name, (_, what) in COMMANDS.items())), end="")
        return 0
    if name in ("--version", "-V"):
        print(f"cyclegan-toolkit {__version__}")
        return 0
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        meant = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(COMMANDS)}"
        print(f"cyclegan: there is no command {name}: {meant}", file=sys.stderr)
        return 2
    leave_on_interrupt()
    return import_module(COMMANDS[name][0]).main(rest)


COMMANDS = {
    "train": ("cyclegan.train.__main__", "train a model on pictures, or go on where it stopped"),
    "translate": ("cyclegan.translate.__main__", "translate pictures, folders and videos"),
    "evaluate": ("cyclegan.evaluate.__main__", "measure translators and generators: FID, KID and more"),
    "sample": ("cyclegan.sample.__main__", "make pictures from noise"),
    "export": ("cyclegan.export", "write a translator as ONNX"),
    "convert": ("cyclegan.convert", "load weights of other programs, and write ours for them"),
    "show": ("cyclegan.show", "test pictures, there and back, in one picture"),
    "sketch2photo": ("cyclegan.sketch2photo", "make a data set of drawings out of photos"),
}

if __name__ == "__main__":
    sys.exit(main())
