"""Unpaired image-to-image translation with CycleGAN (Zhu, Park, Isola, Efros, ICCV 2017, arXiv:1703.10593).

The two names below are the library's front door; they load on first use, so that the command line can print its
help without waiting for torch.
"""

__version__ = "0.1.0"
__all__ = ["CycleGAN", "Translator", "__version__"]

_HOMES = {"Translator": "cyclegan.translate.translator", "CycleGAN": "cyclegan.models.cyclegan"}


def __getattr__(name: str):
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cyclegan' has no attribute {name!r}")
