"""A real web server on this machine that serves archives well or badly, and small archives to serve."""

import hashlib
import io
import tarfile
import threading
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

FOLDERS = ("trainA", "trainB", "testA", "testB")


@dataclass
class Serving:
    body: bytes
    status: int = 200
    at_most: int | None = None  # bytes per connection, which then breaks off
    ranges: bool = True  # honours Range
    length: bool = True  # says how long the body is
    halfway: Any = None  # called in the middle of the body


class Mirror:
    """`requests` collects (path, Range header) of every request."""

    def __init__(self):
        self.files: dict[str, Serving] = {}
        self.requests: list[tuple[str, str | None]] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror._answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, path: str, body: bytes, **how) -> str:
        self.files[path] = Serving(body, **how)
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler):
        wanted = request.headers.get("Range")
        self.requests.append((request.path, wanted))
        file = self.files[request.path]
        if file.status != 200:
            request.send_error(file.status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and file.ranges else 0
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(file.body) - 1}/{len(file.body)}")
        if file.length:
            request.send_header("Content-Length", str(len(file.body) - start))
        request.end_headers()
        rest = file.body[start:][: file.at_most]
        middle = max(0, len(file.body) // 2 - start)
        try:
            request.wfile.write(rest[:middle])
            request.wfile.flush()
            if file.halfway:
                file.halfway()
            request.wfile.write(rest[middle:])
        except OSError:
            pass  # the other side was killed


def closed_port() -> str:
    """The address of a server that is not there."""
    mirror = Mirror()
    mirror.close()
    return f"http://127.0.0.1:{mirror.server.server_port}/gone.zip"


def picture(shade: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, 60, 120)).save(file, "PNG")
    return file.getvalue()


def archive(each: int = 2, wrapper: str = "tiny/", extra: dict | None = None, padding: int = 0) -> bytes:
    """A zip with `each` pictures in each folder; `extra` adds members {name or ZipInfo: bytes}."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        for folder in FOLDERS:
            for number in range(each):
                pack.writestr(f"{wrapper}{folder}/{number}.png", picture(number))
        pack.writestr(f"{wrapper}README", bytes(range(256)) * (padding // 256))
        for member, content in (extra or {}).items():
            pack.writestr(member, content)
    return file.getvalue()


def tar(members: dict[str, bytes | None], link: str = "") -> bytes:
    """A .tar.gz; None makes a folder, and ``link`` a link of that name beside the members."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as pack:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.type, info.size = (tarfile.DIRTYPE, 0) if content is None else (tarfile.REGTYPE, len(content))
            pack.addfile(info, io.BytesIO(content or b""))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc"
            pack.addfile(info)
    return file.getvalue()


def write_card(root: Path, body: bytes, urls: list[str], name: str = "tiny") -> None:
    root.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(body).hexdigest()
    (root / f"{name}.toml").write_text(
        f'name = "{name}"\ndomains = ["red", "blue"]\n'
        f'[archive]\nbytes = {len(body)}\nsha256 = "{digest}"\nurls = {urls}\n[train]\nsize = 32\n'
    )


def leftovers(root: Path) -> list[str]:
    """What is in `root` besides cards, finished data sets and locks."""
    kept = (".toml", ".lock")
    return [path.name for path in root.iterdir() if path.name.startswith(".") and path.suffix not in kept]


def assert_complete(folder: Path, each: int = 2) -> None:
    found = {path.name: len(list(path.iterdir())) for path in folder.iterdir() if path.is_dir()}
    assert found == dict.fromkeys(FOLDERS, each)
