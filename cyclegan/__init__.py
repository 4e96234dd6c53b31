"""Unpaired image-to-image translation with CycleGAN (Zhu, Park, Isola, Efros, ICCV 2017, arXiv:1703.10593).

    from cyclegan import Generator, Translator, evaluate, export, train, translators

    translators()                                       # {"horse2zebra": [("horse", "zebra"), ("zebra", "horse")], …}
    zebra = Translator.from_pretrained("horse2zebra")
    zebra("horse.jpg").save("zebra.png")

    result = train("path/to/folder", recipe="quick", size=64, steps=100, name="mine")
    evaluate(result.folder)
    export(result.folder, "mine.onnx")

    digits = Generator.from_pretrained("gan_mnist")     # pictures from noise
    digits(16, seed=0)[0].save("digit.png")

The names below are the library's front door. They load on first use, so that ``import cyclegan`` and the help of every
command do not wait for torch.
"""

from typing import TYPE_CHECKING

__version__ = "0.2.0.dev0"
__all__ = [
    "CycleGAN",
    "CycleGANConfig",
    "Generator",
    "Translator",
    "UserError",
    "__version__",
    "evaluate",
    "export",
    "train",
    "translators",
]

if TYPE_CHECKING:
    from cyclegan.evaluate import evaluate
    from cyclegan.export import export
    from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig
    from cyclegan.networks.library import translators
    from cyclegan.sample.generator import Generator
    from cyclegan.system.errors import UserError
    from cyclegan.train import train
    from cyclegan.translate.translator import Translator
else:
    # Name → where it stands: "module:attribute", or a module that is called itself (see system/callable_module.py).
    _HOMES = {
        "CycleGAN": "cyclegan.models.cyclegan:CycleGAN",
        "CycleGANConfig": "cyclegan.models.cyclegan:CycleGANConfig",
        "Generator": "cyclegan.sample.generator:Generator",
        "Translator": "cyclegan.translate.translator:Translator",
        "UserError": "cyclegan.system.errors:UserError",
        "evaluate": "cyclegan.evaluate",
        "export": "cyclegan.export",
        "train": "cyclegan.train",
        "translators": "cyclegan.networks.library:translators",
    }

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module 'cyclegan' has no attribute {name!r}")
        from importlib import import_module

        module, _, attribute = _HOMES[name].partition(":")
        found = import_module(module)
        return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
