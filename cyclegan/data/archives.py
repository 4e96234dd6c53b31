"""From a zip to the folder of a data set, whole or not at all, whoever made the zip."""

import lzma
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from cyclegan.data.folders import find_pairs, unwrap
from cyclegan.system.download import NotFetched, download
from cyclegan.system.errors import UserError
from cyclegan.system.files import filled, megabytes, place, require_space, sha256_of

UNPACKED_LIMIT = 100  # times the archive: photographs hardly shrink, line art in BMP shrinks about fiftyfold


def from_mirrors(target: Path, bytes: int, sha256: str, urls: Sequence[str]) -> None:
    """Make the folder `target` out of the zip of this size and hash, from the first of `urls` that has it.

    What an attempt transferred is kept for the next one, unless the disk is full. Raises UserError; where no
    mirror has the zip it says what to fetch by hand and where to put it.
    """
    part = target.with_name(f".{target.name}.zip.part")

    def build(work: Path) -> Path:
        have = part.stat().st_size if part.exists() else 0
        require_space(target.parent, 2 * bytes - have)  # the archive and, about as large, what is in it
        try:
            download(urls, part, size=bytes, sha256=sha256)
            folder = _unpack(part, sha256, work)
        except NotFetched:
            raise
        except (OSError, UserError):
            part.unlink(missing_ok=True)  # a full disk needs its room back, a bad archive will not get better
            raise
        part.unlink()
        return folder

    try:
        place(target, build)
    except NotFetched as problems:
        name = f"{target.name}.zip"
        kept = "What has arrived is kept: the same command continues there.\n" if part.exists() else ""
        raise UserError(
            f"{target.name} could not be downloaded ({problems}).\n{kept}"
            f"Without a network: fetch {name} ({bytes:,} bytes, sha256 {sha256}) elsewhere from\n"
            + "".join(f"    {url}\n" for url in urls)
            + f"and give it with --data {name}, or put it at {target.with_name(name)}."
        ) from None


def from_zip(target: Path, pack: Path, sha256: str | None) -> None:
    """Make the folder `target` out of a zip that the user has; `sha256` is the card's, if there is a card.

    Raises UserError when it is another zip than the card's, or `target` is there and came from another.
    """
    digest = sha256_of(pack)
    if sha256 and digest != sha256:
        raise UserError(
            f"{pack} is not the archive on the card of {target.name}: its sha256 is {digest}, not {sha256}; "
            "fetch it again, or unpack it and give the folder if it is meant to differ"
        )
    mark = target / ".sha256"  # of the archive that the folder came from
    if not sha256 and filled(target) and not (mark.is_file() and mark.read_text() == digest):
        raise UserError(f"{target} is there already and not from {pack}: remove it, or rename the zip")
    place(target, lambda work: _unpack(pack, digest, work))


def _unpack(pack: Path, digest: str, work: Path) -> Path:
    unpack(pack, work)
    folder = unwrap(work)
    find_pairs(folder)  # an archive of something else does not become a data set
    (folder / ".sha256").write_text(digest)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the zip `archive` into the new `folder`.

    Every name is checked before anything is written. Raises UserError for names that lead out of the folder,
    links, an archive that unpacks to over UNPACKED_LIMIT times its size, a damaged one, and lack of space.
    """
    try:
        with zipfile.ZipFile(archive) as pack:
            members = [(info, _safe_parts(info, archive)) for info in pack.infolist()]
            total = sum(info.file_size for info, _ in members)
            if total > UNPACKED_LIMIT * archive.stat().st_size:
                found = f"{archive} would unpack to {megabytes(total)}"
                raise UserError(f"{found}, which no archive of pictures does: nothing was unpacked")
            require_space(folder.parent, total + 4096 * len(members))  # files fill whole blocks
            folder.mkdir()
            for info, parts in members:
                if info.is_dir() or parts[0] == "__MACOSX" or parts[-1].startswith("."):
                    continue
                destination = folder.joinpath(*parts)
                destination.parent.mkdir(parents=True, exist_ok=True)
                with pack.open(info) as source, open(destination, "wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)  # zipfile stops at file_size, whatever follows
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"{archive} is not a whole zip archive ({error}): fetch it again") from error


def _safe_parts(info: zipfile.ZipInfo, archive: Path) -> list[str]:
    """The member's path in parts that are safe below any folder, on Windows too."""
    name = info.filename.replace("\\", "/").removesuffix("/")
    parts = [part for part in name.split("/") if part != "."] or [""]
    link = stat.S_ISLNK(info.external_attr >> 16)
    if link or any(part in ("", "..") or re.match("[A-Za-z]:", part) for part in parts):
        kind = "a link" if link else "a path that leads elsewhere"
        found = f"{archive} holds {kind}, {info.filename!r}"
        raise UserError(f"{found}: it is damaged or meant to do harm, and nothing was unpacked")
    return parts
