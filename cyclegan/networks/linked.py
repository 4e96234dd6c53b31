"""Weights behind a link on a card: fetched once, checked, converted, and kept in the user's cache."""

import os
from pathlib import Path
from typing import Any

from cyclegan.networks.weights import read_header, save_weights
from cyclegan.system.download import NotFetched, download
from cyclegan.system.errors import UserError, WeightsError
from cyclegan.system.files import alone, megabytes, sha256_of
from cyclegan.system.terminal import say

LARGEST = 2 * 10**9  # bytes of a weights file whose card does not say how many it has
REFERENCE_SIZE = 256  # what the reference implementation crops to, and what its published generators were trained on


def model_cache() -> Path:
    """Where fetched weights go: the environment variable CYCLEGAN_MODELS, or the user's own cache folder."""
    import pooch

    return Path(os.environ.get("CYCLEGAN_MODELS") or pooch.os_cache("cyclegan")).expanduser()


def linked_weights(name: str, direction: str, entry: dict, domains: tuple[str, str]) -> Path:
    """The weights file of a card's url in the cache; fetched, checked and converted where it is not there yet.

    ``entry`` is the card's table for that direction. Raises ``UserError`` with one sentence.
    """
    cached = model_cache() / name / f"{direction}.safetensors"
    if _is_current(cached, entry):
        return cached
    with alone(cached, "fetching"):
        if not _is_current(cached, entry):  # another process may have fetched it meanwhile
            seen = _fetch(name, cached, entry, domains)
            say(f"Fetched {name} {direction}: {megabytes(seen['bytes'])}, sha256 {seen['sha256']}")
    return cached


def _is_current(cached: Path, entry: dict) -> bool:
    if not cached.is_file():
        return False
    seen = read_header(cached)["provenance"]
    return seen.get("url") == entry["url"] and entry.get("sha256", seen.get("sha256")) == seen.get("sha256")


def _fetch(name: str, cached: Path, entry: dict, domains: tuple[str, str]) -> dict:
    """Downloads and converts; returns url, sha256 and bytes. What came of a broken transfer is kept for the next."""
    url, is_reference = entry["url"], entry.get("format") == "reference"
    part = cached.with_name(f".{cached.stem}.part{'.pth' if is_reference else '.safetensors'}")
    try:
        download([url], part, size=entry.get("bytes"), sha256=entry.get("sha256"), limit=LARGEST)
    except NotFetched as error:
        raise UserError(f"could not fetch {error}; try again, or fetch it by hand and give the file's path") from error
    try:
        seen = {"url": url, "sha256": sha256_of(part), "bytes": part.stat().st_size}
        _convert(part, cached, is_reference, domains, {"card": name, **seen})
    except WeightsError as error:
        raise UserError(str(error).replace(str(part), url)) from error
    finally:
        part.unlink(missing_ok=True)
    return seen


def _convert(part: Path, cached: Path, reference: bool, domains: tuple[str, str], provenance: dict) -> None:
    """Reads what came, which checks its structure, and writes it as a weights file of ours with its origin."""
    if reference:
        from cyclegan.networks.reference import load_reference

        network, architecture = load_reference(part)
        header: dict[str, Any] = {"architecture": architecture, "domains": list(domains), "size": REFERENCE_SIZE}
    else:
        from cyclegan.networks.weights import load_weights

        network, header = load_weights(part)
    save_weights(cached, network, {**header, "provenance": {**header.get("provenance", {}), **provenance}})
