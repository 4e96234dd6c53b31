"""Pictures that come with the package to try translators on, in ``pretrained/examples/TRANSLATOR/DOMAIN``."""

from pathlib import Path

from cyclegan.data.finding import find_images
from cyclegan.system.cards import package_folder


def own_examples(name: str, domain: str) -> list[Path]:
    """Those of one domain that were chosen for the translator called ``name``; or []."""
    folder = package_folder("pretrained") / "examples" / Path(name).name / Path(domain).name
    return find_images(folder) if folder.is_dir() else []


def examples_of(domain: str) -> list[Path]:
    """Those of the first translator, by name, that has some of this domain; or []."""
    everyone = package_folder("pretrained") / "examples"
    names = sorted(folder.name for folder in everyone.iterdir()) if everyone.is_dir() else []
    return next((found for name in names if (found := own_examples(name, domain))), [])
