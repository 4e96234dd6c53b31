"""Cards: TOML files, one for each data set and each pretrained model, by name."""

from pathlib import Path


def package_folder(kind: str) -> Path:
    """The package's folder ``kind``, "datasets" or "pretrained": inside a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    return package / kind if (package / kind).is_dir() else package.parent / kind
