"""Names, folders, files, links and repositories lead to the generator that they name."""

import hashlib
import http.server
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from pairs import make

from cyclegan import Translator
from cyclegan.networks import library, linked
from cyclegan.networks.weights import read_header
from cyclegan.system.errors import UserError

pytestmark = pytest.mark.usefixtures("elsewhere")


def same(a, b):
    x = torch.rand(1, 3, 16, 16)
    return a.domains == b.domains and torch.equal(a.run(x), b.run(x))


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
    with pytest.raises(UserError, match=r"horse → zebra only .* zebra → horse; zebra2horse_official does"):
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
        ("half", r"holds only G_BA.safetensors, which translates the other way: .*--reverse"),
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
    with pytest.raises(UserError, match="no other direction"):
        Translator.from_pretrained("runs/mine/G_AB.safetensors", reverse=True)


def test_all_official_generators_have_cards():
    pairs = ["apple2orange", "orange2apple", "summer2winter_yosemite", "winter2summer_yosemite"]
    pairs += ["horse2zebra_official", "zebra2horse_official", "monet2photo", "sat2map", "map2sat", "iphone2dslr_flower"]
    styles = [f"style_{name}" for name in ("monet", "cezanne", "ukiyoe", "vangogh")]
    labels = [f"{name}_{way}" for name in ("cityscapes", "facades") for way in ("photo2label", "label2photo")]
    official = pairs + styles + labels
    assert len(official) == 18 and set(official) <= set(library.model_names())
    for name in official:
        card = library.model_card(name)
        assert card["name"] == name and card["title"] and card["licence"]
        if card["G_AB"].get("format") == "reference":
            assert card["G_AB"]["url"].endswith(f"/{name.removesuffix('_official')}.pth")


def test_the_generators_of_pix2pix_have_cards():
    for name in ("edges2shoes", "facades_label2photo_pix2pix", "sat2map_pix2pix", "map2sat_pix2pix", "day2night"):
        card = library.model_card(name)
        assert card["name"] == name and card["title"] and card["licence"] and card["G_AB"]["format"] == "reference"
        assert card["G_AB"]["url"].endswith(f"/pix2pix/models-pytorch/{name.removesuffix('_pix2pix')}.pth")


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.server.files.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")


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
    server.files["/official.pth"] = Path("G.pth").read_bytes()
    text = f'domains = ["photo", "monet"]\n[G_AB]\nurl = "{server.url}/official.pth"\nformat = "reference"\n{extra}'
    Path("pretrained").mkdir(exist_ok=True)
    Path("pretrained/official.toml").write_text(text)


def in_cache():
    return [path for path in Path("cache").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_two_at_once_share_one_download(server):
    linked_card(server)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(Translator.from_pretrained, ["official", "official"])
    assert same(first, second) and server.asked == ["/official.pth"]


def test_a_link_that_brings_more_than_any_weights_have_is_refused(server, monkeypatch):
    linked_card(server)
    monkeypatch.setattr(linked, "LARGEST", 1000)
    with pytest.raises(UserError, match=r"could not fetch .* 0\.0 MB are taken at most"):
        Translator.from_pretrained("official")
    assert not in_cache()


def test_a_linked_generator_is_fetched_once_converted_and_its_hash_recorded(server, capsys):
    linked_card(server)
    translator = Translator.from_pretrained("official")
    assert translator.domains == ("photo", "monet") and translator.size == 256
    digest = hashlib.sha256(server.files["/official.pth"]).hexdigest()
    assert digest in capsys.readouterr().err
    (cached,) = in_cache()
    seen = read_header(cached)["provenance"]
    assert seen["sha256"] == digest and seen["url"].endswith("/official.pth") and seen["card"] == "official"
    x = torch.rand(1, 3, 16, 16)
    assert torch.equal(Translator.from_pretrained("official").run(x), make().run(x))
    assert server.asked == ["/official.pth"]


def test_a_card_that_changed_is_fetched_again(server):
    linked_card(server)
    Translator.from_pretrained("official")
    linked_card(server, 'sha256 = "0"')
    with pytest.raises(UserError, match=r"could not fetch .* not the one on the card"):
        Translator.from_pretrained("official")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "could not fetch .*404"),
        (b"<html>this page has moved</html>", r"official.pth is damaged or no weights file"),
        (b"cut", r"http.*official.pth is damaged or no weights file"),
    ],
)
def test_a_link_that_brings_something_else_leaves_nothing_in_the_cache(server, body, sentence):
    linked_card(server)
    cut = server.files["/official.pth"][:-2000]
    server.files["/official.pth"] = cut if body == b"cut" else body
    with pytest.raises(UserError, match=sentence) as raised:
        Translator.from_pretrained("official")
    assert "\n" not in str(raised.value)
    assert not in_cache()
