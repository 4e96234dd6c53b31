"""Packs an sdist anew without what differs from one build to the next: times, owners, order, and the time in gzip."""

import gzip
import io
import os
import sys
import tarfile


def repack(path: str, seconds: int) -> None:
    """Rewrites the .tar.gz at ``path``; every member gets the time ``seconds`` since 1970."""
    packed = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.pax_headers = seconds, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=seconds) as zipped:
        zipped.write(packed.getvalue())


if __name__ == "__main__":
    repack(sys.argv[1], int(os.environ["SOURCE_DATE_EPOCH"]))
