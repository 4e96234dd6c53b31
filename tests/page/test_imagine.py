"""Pictures from noise on the page: what can be chosen, the endpoint for programs, and the tab in a real browser."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from served_page import make_run, running

from cyclegan.models.gan3d import Gan3D, Gan3DConfig
from cyclegan.networks.build import build_generator
from cyclegan.networks.weights import save_weights
from cyclegan.page import generators
from cyclegan.sample.generator import Generator
from cyclegan.system.errors import UserError

pytest.importorskip("gradio", reason="the page needs the extra: app")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60_000  # milliseconds, for a machine that is busy with other things
DOTS = {"name": "one-layer", "size": 8, "out_channels": 1}
STYLES = {"name": "stylegan", "size": 16, "out_channels": 3, "latent": 8, "mapping": 1, "channel_base": 64,
          "channel_max": 8}  # fmt: skip


def make_generator(folder: Path, architecture: dict) -> None:
    """A run folder with an untrained generator."""
    torch.manual_seed(1)
    network, size = build_generator(architecture), architecture["size"]
    header = {"kind": "generator", "architecture": architecture, "domains": ["thing"], "size": size}
    header |= {"inputs": [network.latent], "outputs": [architecture["out_channels"], size, size]}
    save_weights(folder / "G.safetensors", network, header)
    (folder / "card.toml").write_text(f'name = "{folder.name}"\ndomains = ["thing"]\n[G]\nfile = "G.safetensors"\n')
    (folder / "config.json").write_text("{}")


def make_solids(folder: Path) -> None:
    """A run folder with an untrained generator of solids and its encoder."""
    game = Gan3D(Gan3DConfig(width=8, latent=6, encoder_width=2), 16, (1,), ("chair",), whole_size=32)
    for name, (network, header) in game.exports().items():
        save_weights(folder / f"{name}.safetensors", network, header)
    (folder / "card.toml").write_text(f'name = "{folder.name}"\ndomains = ["chair"]\n[G]\nfile = "G.safetensors"\n')
    (folder / "config.json").write_text("{}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imagine")
    make_generator(folder / "runs" / "dots", DOTS)
    make_generator(folder / "runs" / "styles", STYLES)
    make_solids(folder / "runs" / "solids")
    make_run(folder / "runs" / "tiny", ("horse", "zebra"))
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with running(folder) as address:
        yield address


def test_lists_generators_only_cards_first(folder, monkeypatch):
    monkeypatch.chdir(folder)
    keys = [maker.key for maker in generators.makers()]
    assert "tiny_slanted" in keys and {"runs/dots", "runs/styles", "runs/solids"} <= set(keys)
    assert not {"runs/tiny", "horse2zebra"} & set(keys)
    assert keys.index("tiny_slanted") < keys.index("runs/dots")
    assert [maker.mixes for maker in map(generators.choose, ("runs/dots", "runs/styles"))] == [False, True]
    assert generators.choose("runs/solids").solid and not generators.choose("runs/dots").solid
    with pytest.raises(UserError, match="no generator called runs/tiny"):
        generators.choose("runs/tiny")


def test_a_walk_leads_from_one_picture_of_the_grid_to_another(folder, monkeypatch):
    monkeypatch.chdir(folder)
    maker = generators.choose("runs/dots")
    shown = generators.pictures(maker, 6, 3, 1.0)
    start, between, end = generators.walk(maker, 3, 1.0, (4, 1), 0.5)
    assert np.array_equal(start, shown[4]) and np.array_equal(end, shown[1])
    assert not np.array_equal(between, start) and not np.array_equal(between, end)
    assert shown[0].size == (128, 128), "eight pixels, enlarged"
    whole = generators.walk(maker, 3, 1.0, (4, 1), 1.0)
    assert np.array_equal(whole[1], whole[2])


def test_solids_of_noise_and_of_a_picture_become_files_to_turn(folder, monkeypatch, tmp_path):
    trimesh = pytest.importorskip("trimesh", reason="extra: solids")
    pytest.importorskip("skimage", reason="extra: solids")
    monkeypatch.chdir(folder)
    maker = generators.choose("runs/solids")
    shown = generators.pictures(maker, 3, 0, 1.0)
    assert len(shown) == 3 and shown[0].size == (128, 128)
    files = [generators.surface(maker, 0, 1.0, number, tmp_path / f"{number}.glb") for number in (0, 2)]
    files.append(generators.surface_of(maker, shown[0], tmp_path / "seen.glb"))
    counts = [len(trimesh.load(file, force="mesh").faces) for file in files]
    assert min(counts) > 10 and len(set(counts)) == 3


def test_bounds_are_told_and_a_run_in_training_is_read_anew(folder, monkeypatch):
    monkeypatch.chdir(folder)
    maker = generators.choose("runs/dots")
    for count, seed, sentence in ((0, 0, "from 1 to 64"), (65, 0, "from 1 to 64"), (4, -1, "from 0 to")):
        with pytest.raises(UserError, match=sentence):
            generators.pictures(maker, count, seed, 1.0)
    warm = generators.Warm()
    first = warm.generator(maker)
    assert warm.generator(maker) is first
    (folder / maker.path).touch()
    assert warm.generator(maker) is not first


def test_the_endpoint_gives_what_the_generator_gives(folder, address):
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(address, verbose=False)
    listed = {each["key"]: each["mixes"] for each in client.predict(api_name="/generators")}
    assert listed["runs/styles"] and not listed["runs/dots"]
    file, facts = client.predict("runs/dots", 4, 7, 1.0, api_name="/sample")
    assert facts == {"generator": "runs/dots", "count": 4, "seed": 7, "truncation": 1.0}
    first = np.asarray(Generator.from_pretrained(folder / "runs" / "dots", "cpu")(1, seed=7)[0], int)
    with Image.open(file) as sheet:
        assert sheet.size == (2 * 132 + 4, 2 * 132 + 4)
        shown = np.asarray(sheet.convert("L"), int)[4:132:16, 4:132:16]
    assert np.abs(shown - first).max() <= 1
    for bad, sentence in ((("runs/tiny", 4), "no generator called"), (("runs/dots", 1000), "from 1 to 64")):
        with pytest.raises(AppError, match=sentence):
            client.predict(*bad, 0, 1.0, api_name="/sample")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[test]'")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sync_api.expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


def opened(browser, address: str, width: int, scheme: str):
    """The page with the tab open and its first pictures made."""
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator("#given input[type=file]").wait_for(state="attached")
    tab = page.locator("button[role=tab]:visible", has_text="Imagine")
    if not tab.count():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-dropdown button", has_text="Imagine")
    tab.first.click()
    page.locator("#walk-said", has_text="from picture 1 to picture 2").wait_for()
    return page


def choose(page, label: str) -> None:
    page.locator("#generator input").click()
    page.get_by_role("option", name=label).click()


def address_of(page, place: str) -> str:
    return page.locator(f"{place} img").first.get_attribute("src")


def test_click_two_pictures_walk_between_them_and_mix(browser, address):
    from playwright.sync_api import expect

    page = opened(browser, address, 1200, "light")
    choose(page, "styles (trained here)")
    expect(page.locator("#board img")).to_have_count(1)
    thumbnails = page.locator("#imagined button.thumbnail-item")
    expect(thumbnails).to_have_count(16)
    thumbnails.nth(4).focus()
    page.keyboard.press("Enter")  # without a mouse
    expect(page.locator("#walk-said")).to_contain_text("from picture 2 to picture 5")
    thumbnails.nth(8).click()
    expect(page.locator("#walk-said")).to_contain_text("from picture 5 to picture 9")
    before = address_of(page, "#walk-between")
    page.locator("#share input[type=range]").focus()
    page.keyboard.press("End")
    page.wait_for_function("old => document.querySelector('#walk-between img').src !== old", arg=before)
    page.wait_for_function(
        "() => document.querySelector('#walk-between img').src === document.querySelector('#walk-end img').src"
    )
    board, first = address_of(page, "#board"), address_of(page, "#imagined")
    page.locator("#mix-at input[type=range]").focus()
    page.keyboard.press("Home")
    page.wait_for_function("old => document.querySelector('#board img').src !== old", arg=board)
    page.get_by_role("button", name="Others").click()
    page.wait_for_function("old => document.querySelector('#imagined img').src !== old", arg=first)
    page.close()


def test_a_solid_is_offered_to_be_turned(browser, address, tmp_path):
    from playwright.sync_api import expect

    pytest.importorskip("skimage", reason="extra: solids")
    page = opened(browser, address, 1200, "light")
    choose(page, "dots (trained here)")
    expect(page.locator("#solid")).to_have_count(0)
    choose(page, "solids (trained here)")
    file = page.locator("#solid a[href*='solids.glb']")  # drawing it needs WebGL, which not every machine has
    expect(file).to_have_count(1)
    before = file.get_attribute("href")
    Image.new("L", (40, 60), 90).save(tmp_path / "thing.png")
    page.set_input_files("#solid-given input[type=file]", tmp_path / "thing.png")
    page.wait_for_function("old => document.querySelector('#solid a[href]').getAttribute('href') !== old", arg=before)
    page.close()


def test_it_fits_a_phone_in_the_dark(browser, address):
    page = opened(browser, address, 390, "dark")
    assert page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)") <= 390
    box = page.locator("#imagined").bounding_box()
    for place in page.locator("#imagined button.thumbnail-item").all():
        own = place.bounding_box()
        assert own["x"] >= box["x"] and own["x"] + own["width"] <= box["x"] + box["width"]
    page.close()
