"""``python -m cyclegan.convert``: generators of other programs in, and ours out again for them."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclegan.system.errors import UserError, command, leave_on_interrupt, require

if __name__ == "__main__":
    leave_on_interrupt()

import tyro
from tyro.conf import Positional, arg

from cyclegan.train import NEEDED


@dataclass(frozen=True)
class Options:
    """Convert a generator between this toolkit and the reference implementation of CycleGAN and pix2pix.

    A foreign file (.pth, .bin, .ckpt …) becomes a weights file (.safetensors) that says by itself how the network is
    built, which is read from the tensors: ResNet and U-Net generators of the reference, ResNets of PyTorch-GAN, and the
    mobile generator of GAN Compression. The other way round, ours (a card's name, a run, a weights file) becomes a .pth
    that those programs load. A whole folder checkpoints/NAME of the reference, or of CUT's program, becomes a run that
    goes on training here.
    """

    source: Positional[str]
    """latest_net_G_A.pth, or a folder checkpoints/NAME, or a translator of ours: a card's name, a run folder, a weights
    file."""
    output: Annotated[Path | None, arg(aliases=["-o"])] = None
    """G_AB.safetensors, to load here, or latest_net_G.pth, to load there: the suffix decides. Of a checkpoint folder,
    the run folder to make; runs/NAME by default."""
    domains: tuple[str, str] = ("A", "B")
    """What a foreign generator translates from and to; such files do not say it."""
    size: int = 256
    """Height and width of the pictures that a foreign generator was trained on."""
    key: str | None = None
    """Which generator to take from a foreign file that holds several, such as G_A2B."""
    no_dropout: bool = False
    """Of a foreign U-Net with batch norms: it was trained without dropout (--no_dropout there), so it has no noise."""
    reverse: bool = False
    """Of a pair of ours, take the generator B to A."""
    dataset: str | None = None
    """Of a checkpoint folder: the pictures it was trained on, a name or a folder. Default: where its options say."""
    epoch: str = "latest"
    """Of a checkpoint folder: which weights to take, by what stands before _net_ in their names."""
    overwrite: bool = False
    """Replace the output where it is there already."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code: 0 done, 2 wrong usage or input."""
    flags = (tyro.conf.FlagCreatePairsOff,)
    options = tyro.cli(Options, args=arguments, prog="python -m cyclegan.convert", config=flags)
    return command("cyclegan.convert", lambda: _convert(options))


def _convert(options: Options) -> int:
    folder = Path(options.source).expanduser()
    if folder.is_dir() and any(folder.glob("*_net_*.pth")):
        require("going on with a training", "train", *NEEDED)
        from cyclegan.train.reference_run import make_run

        output = options.output or Path("runs") / folder.resolve().name
        print(*make_run(folder, output, options.dataset, options.epoch), sep="\n")
        return 0
    if options.output is None:
        raise UserError("-o has to name the file to write, .safetensors for this toolkit or .pth for the reference")
    if options.output.suffix not in (".safetensors", ".pth"):
        raise UserError(f"{options.output} must end in .safetensors (for this toolkit) or .pth (for the reference)")
    if options.output.exists() and not options.overwrite:
        raise UserError(f"{options.output} is there already: --overwrite replaces it")
    from cyclegan.networks.reference import save_reference
    from cyclegan.networks.weights import is_ours, save_weights
    from cyclegan.translate.translator import Translator

    file = Path(options.source).expanduser()
    if file.is_file() and file.suffix != ".toml" and not is_ours(file):
        foreign: dict[str, Any] = {"key": options.key, "dropout": not options.no_dropout}
        translator = Translator.from_reference(file, options.domains, options.size, "cpu", **foreign)
    else:
        translator = Translator.from_pretrained(options.source, options.reverse, "cpu")
    if options.output.suffix == ".safetensors":
        save_weights(options.output, translator.network, translator.header)
        print(f"{options.output}: {' → '.join(translator.domains)}, {translator.header['architecture']}")
        return 0
    flags = save_reference(options.output, translator.network, translator.header["architecture"])
    print(f"{options.output}: load it with {flags}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
