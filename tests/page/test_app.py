"""The page's endpoints, called as a program calls them, on the really running page."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image
from served_page import APP, make_run, picture, running

from cyclegan import Translator

pytest.importorskip("gradio", reason="the page needs the extra: app")
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

TINY = "runs/tiny"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    make_run(folder / "runs" / "tiny", ("horse", "zebra"))
    make_run(folder / "runs" / "oneway", ("photo", "monet"), both=False)
    make_run(folder / "runs" / "paint", ("pencil", "photo"), palette=True)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with running(folder) as address:
        yield address


@pytest.fixture(scope="module")
def client(address):
    return Client(address, verbose=False)


def translated(client, path, *options):
    file, facts = client.predict(handle_file(str(path)), *options, api_name="/translate")
    with Image.open(file) as image:
        return image.convert("RGB"), facts


def same(one: Image.Image, other: Image.Image) -> bool:
    """Equal but for the last bit, which may depend on the number of threads."""
    return one.size == other.size and np.abs(np.asarray(one, int) - np.asarray(other, int)).max() <= 1


def test_lists_what_can_be_chosen_with_directions_by_name(client):
    found = {each["key"]: each for each in client.predict(api_name="/translators")}
    assert found[TINY]["directions"] == ["horse → zebra", "zebra → horse"] and not found[TINY]["downloads"]
    assert found["runs/oneway"]["directions"] == ["photo → monet"]


@pytest.mark.parametrize("direction", ["horse → zebra", "zebra → horse"])
def test_gives_what_the_translator_gives_in_both_directions(client, folder, tmp_path, direction):
    picture(3).save(tmp_path / "a.png")
    result, facts = translated(client, tmp_path / "a.png", TINY, direction)
    expected = Translator.from_pretrained(folder / TINY, reverse=direction.startswith("zebra"))(tmp_path / "a.png")
    assert same(result, expected) and facts["direction"] == direction
    assert 0 < facts["cycle_error"] < 1


def test_keeps_the_size_of_large_and_of_turned_photographs(client, tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # taken with the camera on its side
    picture(4, 900, 500).save(tmp_path / "phone.jpg", exif=turned)
    result, facts = translated(client, tmp_path / "phone.jpg", TINY)
    assert result.size == (500, 900)
    assert facts["worked_at"] == [64, 115]


def test_one_direction_alone_has_no_cycle_error(client, tmp_path):
    picture(5).save(tmp_path / "a.png")
    assert translated(client, tmp_path / "a.png", "runs/oneway")[1]["cycle_error"] is None


def test_paints_in_the_colours_that_are_asked_for_and_in_no_file_of_the_machine(client, folder, tmp_path):
    picture(8).save(tmp_path / "a.png")
    paint = "runs/paint", "pencil → photo", "As in training"
    expected = Translator.from_pretrained(folder / "runs" / "paint")(tmp_path / "a.png", palette=["red", "gold"])
    assert same(translated(client, tmp_path / "a.png", *paint, "red, gold")[0], expected)
    for palette in ("/etc/passwd", str(tmp_path / "a.png"), "http://127.0.0.1:1/a.png", "red, a.png"):
        with pytest.raises(AppError, match="is no colour"):
            translated(client, tmp_path / "a.png", *paint, palette)
    with pytest.raises(AppError, match="cannot be chosen"):
        translated(client, tmp_path / "a.png", TINY, "", "As in training", "red")
    found = {each["key"]: each["colours"] for each in client.predict(api_name="/translators")}
    assert found["runs/paint"] == ["pencil → photo"] and not found[TINY]


def test_outside_a_mask_the_pixels_are_those_of_the_picture(client, tmp_path):
    picture(3, 200, 160).save(tmp_path / "a.png")
    Image.new("L", (200, 160)).save(tmp_path / "black.png")
    mask = Image.new("L", (100, 80))
    mask.paste(255, (0, 0, 50, 80))
    mask.save(tmp_path / "left.png")
    own = np.array(picture(3, 200, 160))
    options = TINY, "", "As in training", ""
    assert np.array_equal(translated(client, tmp_path / "a.png", *options, handle_file(tmp_path / "black.png"))[0], own)
    made = np.array(translated(client, tmp_path / "a.png", *options, handle_file(tmp_path / "left.png"))[0])
    assert (made[:, 110:] == own[:, 110:]).all() and (made[:, :90] != own[:, :90]).any()


def test_a_bad_file_gives_a_sentence_and_the_page_lives_on(client, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    with pytest.raises(AppError, match=r"broken\.png is not a picture that can be read here"):
        translated(client, tmp_path / "broken.png", TINY)
    picture(6).save(tmp_path / "good.png")
    assert translated(client, tmp_path / "good.png", TINY)[0].size == (96, 64)


def test_a_decompression_bomb_is_refused_by_its_head(client, tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")  # 50 KB that would become 1.2 GB
    with pytest.raises(AppError, match="more than 64 megapixels"):
        translated(client, tmp_path / "bomb.png", TINY)


@pytest.mark.parametrize("name", ["no/where", "/etc", "runs/../runs/tiny", "./runs/tiny", "somebody/something"])
def test_only_what_is_listed_can_be_loaded(client, tmp_path, name):
    picture(7).save(tmp_path / "a.png")
    with pytest.raises(AppError, match="There is no translator called"):
        translated(client, tmp_path / "a.png", name)


def test_files_of_the_machine_cannot_be_asked_for(address, folder):
    own = folder / TINY / "samples" / "step_000012.png"
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{address}gradio_api/file={own}")
    file = {"path": str(own), "meta": {"_type": "gradio.FileData"}}
    call = f"{address}gradio_api/call/translate"
    data = json.dumps({"data": [file, TINY, "", "As in training"]}).encode()
    with urlopen(Request(call, data, {"Content-Type": "application/json"})) as answer:
        event = json.load(answer)["event_id"]
    with urlopen(f"{call}/{event}") as answer:
        assert answer.read().startswith(b"event: error")


def test_visitors_at_the_same_time_each_get_their_own(address, folder, tmp_path):
    translator = Translator.from_pretrained(folder / TINY)

    def visit(seed: int) -> bool:
        path = tmp_path / f"{seed}.png"
        picture(seed, 80 + seed, 64).save(path)
        result, _ = translated(Client(address, verbose=False), path, TINY)
        return same(result, translator(path))

    with ThreadPoolExecutor(6) as visitors:
        assert all(visitors.map(visit, range(20, 32)))


def test_password_and_proxy_path_and_nothing_left_behind(tmp_path):
    make_run(tmp_path / "runs" / "tiny", ("horse", "zebra"))
    dead = "http://127.0.0.1:9"  # a proxy that does not answer keeps the page from nothing: it starts all the same
    proxies = {"HTTP_PROXY": dead, "http_proxy": dead, "HTTPS_PROXY": dead, "https_proxy": dead, "ALL_PROXY": dead}
    no_exceptions = {"NO_PROXY": "", "no_proxy": ""}
    with running(tmp_path, "--auth", "ann:s3cret", "--root-path", "/demo", **proxies, **no_exceptions) as address:
        with pytest.raises(Exception, match="login"):
            Client(address, verbose=False)
        client = Client(address, auth=("ann", "s3cret"), verbose=False)
        assert client.config["root"].endswith("/demo")
        assert client.submit(api_name="/translators").result(timeout=120)
        uploads = list((tmp_path / "temporary").glob("cyclegan-page-*"))
        assert uploads
    deadline = time.monotonic() + 20
    while any(folder.exists() for folder in uploads) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(folder.exists() for folder in uploads)


def test_help_comes_without_torch_and_gradio():
    code = (
        "import runpy, sys\nsys.argv = ['app.py', '--help']\n"
        f"try: runpy.run_path({str(APP)!r}, run_name='__main__')\n"
        "except SystemExit: print('loaded:', *{'torch', 'gradio'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "--root-path" in said and said.rstrip().endswith("loaded:")


@pytest.mark.parametrize(
    ("flag", "value", "said"), [("--auth", "secret", "USER:PASSWORD"), ("--port", "99999", "65535")]
)
def test_wrong_flags_are_usage_errors(flag, value, said):
    done = subprocess.run([sys.executable, str(APP), flag, value], capture_output=True, text=True)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
