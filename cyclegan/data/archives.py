"""From an archive, a zip or a tar, to the folder of a data set, whole or not at all, whoever made it."""

import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from cyclegan.data.folders import find_pairs, unwrap
from cyclegan.system.download import NotFetched, download
from cyclegan.system.errors import UserError
from cyclegan.system.files import filled, megabytes, place, require_space, sha256_of
from cyclegan.system.terminal import say

ENDINGS = (".zip", ".tar.gz", ".tgz", ".tar")
LARGEST = 20 * 10**9  # bytes of an archive whose card does not say how many it has
# What the standard library raises for archives that are damaged, locked, or packed in a way that it does not know.
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, RuntimeError, EOFError, zlib.error, lzma.LZMAError)
UNPACKED_LIMIT = 100  # times the archive: photographs hardly shrink, line art in BMP shrinks about fiftyfold


def stem(name: str) -> str:
    """The name of an archive without its ending."""
    return next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name)


def from_mirrors(target: Path, urls: Sequence[str], bytes: int | None = None, sha256: str | None = None) -> None:
    """Make the folder `target` out of the archive of this size and hash, from the first of `urls` that has it.

    What an attempt transferred is kept for the next one, unless the disk is full. Where size and hash are not known,
    those of what came are said and nothing is kept of a broken transfer. Raises UserError; where no mirror has the
    archive it says what to fetch by hand and where to put it.
    """
    name = target.name + next((end for end in ENDINGS if urls[0].endswith(end)), "")
    part = target.with_name(f".{name}.part")

    def build(work: Path) -> Path:
        if bytes:
            have = part.stat().st_size if part.exists() else 0
            require_space(target.parent, 2 * bytes - have)  # the archive and, about as large, what is in it
        try:
            download(urls, part, size=bytes, sha256=sha256, limit=LARGEST)
            digest = sha256 or sha256_of(part)
            if not sha256:
                received = f"Received {name}: {part.stat().st_size:,} bytes, sha256 {digest}"
                say(f"{received}; its card knows no checksum, so nobody has verified that it is the right one.")
            folder = _unpack(part, digest, work)
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
        known = f" ({bytes:,} bytes, sha256 {sha256})" if bytes and sha256 else ""
        kept = "What has arrived is kept: the same command continues there.\n" if part.exists() else ""
        raise UserError(
            f"{target.name} could not be downloaded ({problems}).\n{kept}"
            f"Without a network: fetch {name}{known} elsewhere from\n"
            + "".join(f"    {url}\n" for url in urls)
            + f"and give it with --data {name}, or put it at {target.with_name(name)}."
        ) from None


def from_archive(target: Path, pack: Path, sha256: str | None) -> None:
    """Make the folder `target` out of an archive that the user has; `sha256` is the card's, where it has one.

    Raises UserError when it is another archive than the card's, or `target` is there and came from another.
    """
    digest = sha256_of(pack)
    if sha256 and digest != sha256:
        raise UserError(
            f"{pack} is not the archive on the card of {target.name}: its sha256 is {digest}, not {sha256}; "
            "fetch it again, or unpack it and give the folder if it is meant to differ"
        )
    mark = target / ".sha256"  # of the archive that the folder came from
    if not sha256 and filled(target) and not (mark.is_file() and mark.read_text() == digest):
        raise UserError(f"{target} is there already and not from {pack}: remove it, or rename {pack.name}")
    place(target, lambda work: _unpack(pack, digest, work))


def _unpack(pack: Path, digest: str, work: Path) -> Path:
    unpack(pack, work)
    folder = unwrap(work)
    find_pairs(folder)  # an archive of something else does not become a data set
    (folder / ".sha256").write_text(digest)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack `archive` into the new `folder`, which is the caller's to remove where this raises.

    Raises UserError for names that lead out of the folder, links, an archive that unpacks to over UNPACKED_LIMIT times
    its size, a damaged one, and lack of space.
    """
    with open(archive, "rb") as file:
        is_tar = file.read(2) == b"\x1f\x8b" or (file.seek(257), file.read(5))[1] == b"ustar"
    kind = "tar" if is_tar else "zip"
    try:
        for parts, source in (_in_tar if is_tar else _in_zip)(archive, folder):
            if parts[0] == "__MACOSX" or parts[-1].startswith("."):
                continue
            destination = folder.joinpath(*parts)
            destination.parent.mkdir(parents=True, exist_ok=True)
            with source, open(destination, "wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)  # both stop at a member's size, whatever follows
    except DAMAGED as error:
        raise UserError(f"{archive} is not a whole {kind} archive ({error}): fetch it again") from error


def _in_zip(archive: Path, folder: Path) -> Iterator[tuple[list[str], IO[bytes]]]:
    """The files in a zip, each with its path in parts; all of them are checked before the first is opened."""
    with zipfile.ZipFile(archive) as pack:
        members = [
            (info, _safe_parts(info.filename, stat.S_ISLNK(info.external_attr >> 16), archive))
            for info in pack.infolist()
        ]
        total = sum(info.file_size for info, _ in members)
        _require_sane(total, archive)
        require_space(folder.parent, total + 4096 * len(members))  # files fill whole blocks
        folder.mkdir()
        yield from ((parts, pack.open(info)) for info, parts in members if not info.is_dir())


def _in_tar(archive: Path, folder: Path) -> Iterator[tuple[list[str], IO[bytes]]]:
    """The files in a tar, each with its path in parts, checked one by one: it has no list of them."""
    require_space(folder.parent, archive.stat().st_size)
    total = 0
    with tarfile.open(archive, "r:*") as pack:
        folder.mkdir()
        for member in pack:
            parts = _safe_parts(member.name, not (member.isfile() or member.isdir()), archive)
            total += member.size
            _require_sane(total, archive)
            if member.isfile() and (source := pack.extractfile(member)):
                yield parts, source


def _require_sane(total: int, archive: Path) -> None:
    if total > UNPACKED_LIMIT * archive.stat().st_size:
        found = f"{archive} would unpack to {megabytes(total)}"
        raise UserError(f"{found}, which no archive of pictures does: nothing was unpacked")


def _safe_parts(name: str, link: bool, archive: Path) -> list[str]:
    """A member's path in parts that are safe below any folder, on Windows too."""
    parts = [part for part in name.replace("\\", "/").removesuffix("/").split("/") if part != "."] or [""]
    is_root = parts == [""] and name in (".", "./")  # how tar begins when it packs a whole folder
    if link or (not is_root and any(part in ("", "..") or re.match("[A-Za-z]:", part) for part in parts)):
        kind = "a link" if link else "a path that leads elsewhere"
        found = f"{archive} holds {kind}, {name!r}"
        raise UserError(f"{found}: it is damaged or meant to do harm, and nothing was unpacked")
    return parts
