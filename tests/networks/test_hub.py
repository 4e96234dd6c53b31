"""Repositories on Hugging Face: loaded from, and pushed to, a local server that answers as the hub does."""

import base64
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from pairs import ARCHITECTURE

from cyclegan.networks.directions import DIRECTIONS
from cyclegan.networks.hub import readme

pytestmark = pytest.mark.usefixtures("elsewhere")


class Handler(http.server.BaseHTTPRequestHandler):
    """The hub's interface as far as it is needed, for the one repository someone/pair with ``server.files``."""

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        body = self.server.files.get(name)
        if body is None:
            code = "EntryNotFound" if self.path.startswith("/someone/pair/") else "RepoNotFound"
            self.answer(404, b"", {"X-Error-Code": code})
        else:
            self.answer(200, body, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": "a" * 40})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/repos/create"):
            answer = {"url": "http://127.0.0.1/someone/pair"}
        elif "/preupload/" in self.path:
            paths = [file["path"] for file in json.loads(body)["files"]]
            answer = {"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]}
        elif "/commit/" in self.path:
            lines = [json.loads(line) for line in body.splitlines()]
            self.server.committed = {line["value"]["path"]: line["value"] for line in lines if line["key"] == "file"}
            answer = {"commitUrl": "http://127.0.0.1/someone/pair/commit/1", "commitOid": "b" * 40, "hookOutput": ""}
        else:
            answer = {}
        self.answer(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def answer(self, status, body, headers):
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.files = {}
        running.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def run_with_hub(server, code):
    environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(Path("hf").resolve()), "HF_TOKEN": "hf_x"}
    environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_repository_on_the_hub(server, pair):
    for direction in (way.name for way in DIRECTIONS):
        server.files[f"{direction}.safetensors"] = Path(f"runs/mine/{direction}.safetensors").read_bytes()
    code = """
from cyclegan import Translator
print(Translator.from_pretrained("someone/pair").domains)
print(Translator.from_pretrained("someone/pair", reverse=True).domains)
"""
    assert run_with_hub(server, code).splitlines() == ["('horse', 'zebra')", "('zebra', 'horse')"]


def test_a_repository_that_is_not_there_or_has_no_generator(server):
    code = """
from cyclegan import Translator
for repository in ("someone/else", "someone/pair"):
    try:
        Translator.from_pretrained(repository)
    except ValueError as error:
        print(error)
"""
    absent, empty = run_with_hub(server, code).splitlines()
    assert "no such repository" in absent and "has no G_AB.safetensors" in empty


def test_pushing_to_the_hub_sends_weights_config_and_page(server, pair):
    code = """
from cyclegan import Translator
Translator.from_pretrained("runs/mine").push_to_hub("someone/pair")
"""
    run_with_hub(server, code)
    assert set(server.committed) == {"G_AB.safetensors", "config.json", "README.md"}
    page = base64.b64decode(server.committed["README.md"]["content"]).decode()
    assert page.startswith("---\n") and "pipeline_tag: image-to-image" in page and "# horse → zebra" in page
    config = json.loads(base64.b64decode(server.committed["config.json"]["content"]))
    assert config["domains"] == ["horse", "zebra"] and config["architecture"] == ARCHITECTURE


def test_the_page_of_a_saved_translator_is_one_that_the_hub_reads(pair):
    card = ModelCard.load(Path("runs/mine/README.md"))
    assert card.data.library_name == "cyclegan-toolkit" and "cyclegan" in card.data.tags
    assert "horse → zebra" in card.text


@pytest.mark.parametrize(
    ("provenance", "architecture", "said"),
    [
        ({"model": "pix2pix"}, {"name": "unet"}, "A pix2pix generator"),
        ({}, {"name": "unet", "norm": "batch_statistics"}, "It was trained on pairs"),
        ({"model": "cut"}, {"name": "resnet"}, "Contrastive Learning"),
        ({}, {"name": "resnet"}, "A CycleGAN generator"),
    ],
)
def test_the_page_of_a_repository_names_the_paper_that_was_followed(provenance, architecture, said):
    header = {"domains": ["a", "b"], "size": 64, "architecture": architecture, "provenance": provenance}
    page = readme(header, "G_AB")
    assert said in page and ("- paired\n" in page) == ("on pairs" in page)
