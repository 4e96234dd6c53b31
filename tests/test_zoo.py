"""Names, folders, files, links and repositories lead to the generator that they name."""

import hashlib
import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from cyclegan import Translator, zoo
from cyclegan.networks import build_generator
from cyclegan.weights import WeightsError, read_header
from cyclegan.zoo import CardError

ARCHITECTURE = {"name": "resnet", "width": 4, "blocks": 2}


def make(direction="G_AB", seed=0):
    torch.manual_seed(seed)
    domains = ["horse", "zebra"] if direction == "G_AB" else ["zebra", "horse"]
    header = {"format": 1, "architecture": ARCHITECTURE, "domains": domains, "size": 64, "provenance": {"recipe": "x"}}
    header["preprocessing"] = {"range": [-1, 1], "channels": [3, 3]}
    return Translator(build_generator(ARCHITECTURE), header, "cpu", direction)


def same(a, b):
    x = torch.rand(1, 3, 16, 16)
    return a.domains == b.domains and torch.equal(a.run(x), b.run(x))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory and cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYCLEGAN_MODELS", str(tmp_path / "cache"))


@pytest.fixture
def pair(tmp_path):
    there, back = make("G_AB"), make("G_BA", seed=1)
    for translator in (there, back):
        translator.save_pretrained(tmp_path / "runs" / "mine")
    return there, back


def test_a_pair_in_a_folder_loads_in_both_directions_by_path_and_by_name(pair):
    there, back = pair
    for name in ("runs/mine", Path("runs/mine"), "mine"):
        assert same(Translator.from_pretrained(name), there)
        assert same(Translator.from_pretrained(name, reverse=True), back)
    assert same(Translator.from_pretrained("runs/mine/G_BA.safetensors"), back)
    assert Translator.from_pretrained("mine", reverse=True).direction == "G_BA"


def test_a_card_beside_its_weights_loads_by_name_and_by_path(pair):
    Path("pretrained").mkdir()
    Path("runs/mine/G_AB.safetensors").rename("pretrained/pair-G_AB.safetensors")
    text = 'name = "pair"\ndomains = ["horse", "zebra"]\n[G_AB]\nfile = "pair-G_AB.safetensors"\n'
    Path("pretrained/pair.toml").write_text(text)
    assert same(Translator.from_pretrained("pair"), pair[0])
    assert same(Translator.from_pretrained("pretrained/pair.toml"), pair[0])
    with pytest.raises(CardError, match=r"pair translates horse → zebra only .* zebra → horse; zebra2horse does"):
        Translator.from_pretrained("pair", reverse=True)


def test_a_foreign_file_on_a_card_takes_the_cards_domains():
    network = make().network
    torch.save(network.state_dict(), "latest_net_G.pth")
    Path("own.toml").write_text('domains = ["a", "b"]\n[G_BA]\nfile = "latest_net_G.pth"\nformat = "reference"\n')
    loaded = Translator.from_pretrained("own.toml", reverse=True)
    assert loaded.domains == ("b", "a") and loaded.size == 256 and loaded.direction == "G_BA"
    x = torch.rand(1, 3, 16, 16)
    assert torch.equal(loaded.run(x), network(x))
    assert torch.equal(Translator.from_pretrained("latest_net_G.pth").run(x), network(x))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("horse2zebr", "did you mean horse2zebra"),
        ("xqzk", r"no translator 'xqzk': there are .*style_monet"),
        ("runs/absent", "no file or folder runs/absent"),
        ("./absent.pth", "no file or folder ./absent.pth"),
        ("empty", "holds no weights"),
        ("half", r"holds only G_BA.safetensors, and G_AB.safetensors is needed"),
        ("broken.toml", "not valid TOML"),
        ("odd.toml", "domains ="),
        ("bare.toml", r"needs a file or a url in \[G_AB\]"),
        ("gone.toml", "which is not there"),
    ],
)
def test_what_leads_nowhere_is_explained_in_one_sentence(name, sentence):
    Path("empty").mkdir()
    make("G_BA").save_pretrained("half")
    Path("broken.toml").write_text("domains = [")
    Path("odd.toml").write_text('domains = ["a"]')
    Path("bare.toml").write_text('domains = ["a", "b"]\n[G_AB]\nlink = "x"\n')
    Path("gone.toml").write_text('domains = ["a", "b"]\n[G_AB]\nfile = "x.safetensors"\n')
    with pytest.raises(ValueError, match=sentence) as error:
        Translator.from_pretrained(name)
    assert "\n" not in str(error.value)


def test_a_single_file_has_no_reverse(pair):
    with pytest.raises(CardError, match="no other direction"):
        Translator.from_pretrained("runs/mine/G_AB.safetensors", reverse=True)


def test_all_official_generators_have_cards():
    official = """apple2orange orange2apple summer2winter_yosemite winter2summer_yosemite horse2zebra zebra2horse
        monet2photo style_monet style_cezanne style_ukiyoe style_vangogh sat2map map2sat cityscapes_photo2label
        cityscapes_label2photo facades_photo2label facades_label2photo iphone2dslr_flower""".split()
    assert len(official) == 18 and set(official) <= set(zoo.model_names())
    for name in official:
        card = zoo.model_card(name)
        assert card["name"] == name and card["title"] and card["licence"]
        if card["G_AB"].get("format") == "reference":
            assert card["G_AB"]["url"].endswith(f"/{name}.pth")


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``server.files`` and, in the hub's words, the repository someone/pair."""

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.server.asked.append(self.path)
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
        running.files, running.asked = {}, []
        running.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def linked_card(server, extra=""):
    torch.save(make().network.state_dict(), "G.pth")
    server.files["official.pth"] = Path("G.pth").read_bytes()
    text = f'domains = ["photo", "monet"]\n[G_AB]\nurl = "{server.url}/official.pth"\nformat = "reference"\n{extra}'
    Path("pretrained").mkdir(exist_ok=True)
    Path("pretrained/official.toml").write_text(text)


def test_a_linked_generator_is_fetched_once_converted_and_its_hash_recorded(server, capsys):
    linked_card(server)
    translator = Translator.from_pretrained("official")
    assert translator.domains == ("photo", "monet") and translator.size == 256
    digest = hashlib.sha256(server.files["official.pth"]).hexdigest()
    assert digest in capsys.readouterr().err
    (cached,) = (path for path in Path("cache").rglob("*") if path.is_file())
    seen = read_header(cached)["provenance"]
    assert seen["sha256"] == digest and seen["url"].endswith("/official.pth") and seen["card"] == "official"
    x = torch.rand(1, 3, 16, 16)
    assert torch.equal(Translator.from_pretrained("official").run(x), make().run(x))
    assert server.asked == ["/official.pth"]


def test_a_card_that_changed_is_fetched_again(server):
    linked_card(server)
    Translator.from_pretrained("official")
    linked_card(server, 'sha256 = "0"')
    with pytest.raises(CardError, match="not the file on the card: sha256"):
        Translator.from_pretrained("official")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("body", "error", "sentence"),
    [
        (None, CardError, "could not fetch .*404"),
        (b"<html>this page has moved</html>", WeightsError, "damaged or no weights file"),
        (b"cut", WeightsError, "damaged or no weights file"),
    ],
)
def test_a_link_that_brings_something_else_leaves_nothing_in_the_cache(server, body, error, sentence):
    linked_card(server)
    cut = server.files["official.pth"][:-2000]
    server.files["official.pth"] = cut if body == b"cut" else body
    with pytest.raises(error, match=sentence) as raised:
        Translator.from_pretrained("official")
    assert "\n" not in str(raised.value)
    assert not [path for path in Path("cache").rglob("*") if path.is_file()]


def run_with_hub(server, code):
    import os

    environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(Path("hf").resolve()), "HF_TOKEN": "hf_x"}
    environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_repository_on_the_hub(server, pair):
    for direction in zoo.DIRECTIONS:
        server.files[f"{direction}.safetensors"] = Path(f"runs/mine/{direction}.safetensors").read_bytes()
    code = """
from cyclegan import Translator
print(Translator.from_pretrained("someone/pair").domains)
print(Translator.from_pretrained("someone/pair", reverse=True).domains)
for repository in ("someone/else", "someone/pair"):
    try:
        Translator.from_pretrained(repository, force_download=True, revision="other")
    except ValueError as error:
        print(error)
"""
    files = dict(server.files)
    out = run_with_hub(server, code.split("for repository")[0]).splitlines()
    assert out == ["('horse', 'zebra')", "('zebra', 'horse')"]
    server.files.clear()
    out = run_with_hub(server, code.replace("print(Tr", "(lambda *_: 0)#")).splitlines()
    assert "no such repository" in out[0] and "has no G_AB.safetensors" in out[1], out
    assert files


def test_pushing_to_the_hub_sends_weights_config_and_page(server, pair):
    code = """
from cyclegan import Translator
Translator.from_pretrained("runs/mine").push_to_hub("someone/pair")
"""
    run_with_hub(server, code)
    assert set(server.committed) == {"G_AB.safetensors", "config.json", "README.md"}
    import base64

    page = base64.b64decode(server.committed["README.md"]["content"]).decode()
    assert page.startswith("---\n") and 'pipeline_tag: "image-to-image"' in page and "# horse → zebra" in page
    config = json.loads(base64.b64decode(server.committed["config.json"]["content"]))
    assert config["domains"] == ["horse", "zebra"] and config["architecture"] == ARCHITECTURE


def test_the_page_of_a_saved_translator_is_one_that_the_hub_reads(pair):
    from huggingface_hub import ModelCard

    card = ModelCard.load(Path("runs/mine/README.md"))
    assert card.data.library_name == "cyclegan-toolkit" and "cyclegan" in card.data.tags
    assert "horse → zebra" in card.text
