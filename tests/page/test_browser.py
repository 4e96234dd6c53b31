"""The page as a visitor uses it, in a real browser: Debian's chromium, driven by playwright."""

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from served_page import make_run, picture, running

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[test]'")
pytest.importorskip("gradio", reason="the page needs the extra: app")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine")

PATIENCE = 60_000  # milliseconds, for a machine that is busy with other things
UPLOAD = "#given input[type=file]"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    make_run(folder / "runs" / "drawn", ("sketch", "emoji"), palette=True)
    make_run(folder / "runs" / "tiny", ("horse", "zebra"))
    with running(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """The page, opened; fails where it asked anybody else for anything, or where its scripts broke."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    sync_api.expect.set_options(timeout=PATIENCE)
    strangers, broken = [], []
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(own) or strangers.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(address)
    page.locator(UPLOAD).wait_for(state="attached")
    choose(page, "tiny", "horse → zebra")
    yield page
    context.close()
    assert not strangers and not broken


def pick(page, name: str) -> None:
    """Picks a translator by its name."""
    page.locator("#translator input").click()
    page.get_by_role("option", name=name).click()


def choose(page, name: str, direction: str) -> None:
    """Picks a translator by its name, and waits for the page to offer its directions."""
    pick(page, name)
    sync_api.expect(page.locator("#directions")).to_contain_text(direction)


def shown(page, place: str, count: int = 2, instead_of: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Addresses of the pictures in one place of the page, once ``count`` stand there and others than ``instead_of``.

    The words about a picture and the picture are drawn one after the other, in either order.
    """
    page.wait_for_function(
        """([place, count, old]) => {
            const all = [...document.querySelectorAll(`${place} img`)].map(one => one.src);
            return all.length === count && all.every(one => one) && all.join() !== old;
        }""",
        arg=[place, count, ",".join(instead_of)],
    )
    return tuple(page.locator(f"{place} img").evaluate_all("all => all.map(one => one.src)"))


def upload(page, path) -> None:
    page.set_input_files(UPLOAD, path)
    page.locator("#said", has_text="pixels").wait_for()


def test_upload_result_round_trip_download_and_the_other_direction(page, tmp_path):
    picture(1, 120, 80).save(tmp_path / "my horse.png")
    upload(page, tmp_path / "my horse.png")
    sync_api.expect(page.locator("#said")).to_contain_text("horse → zebra")
    sync_api.expect(page.locator("#said")).to_contain_text("120 × 80 pixels")
    sync_api.expect(page.locator("#cycle")).to_contain_text("There and back")
    sync_api.expect(page.locator("#back img")).to_have_count(2)
    with page.expect_download() as download:
        page.locator("#take").click()
    assert download.value.suggested_filename == "my_horse_zebra.png"

    before = shown(page, "#result")
    page.locator("#directions").get_by_text("zebra → horse").click()
    sync_api.expect(page.locator("#said")).to_contain_text("zebra → horse")
    assert shown(page, "#result", instead_of=before)[1] != before[1]


def test_of_two_choices_in_a_row_the_second_counts(page):
    pick(page, "sketch2photo")
    pick(page, "drawn")  # while the page still asks what the first one translates
    sync_api.expect(page.locator("#directions")).to_contain_text("sketch → emoji")
    sync_api.expect(page.locator("#colours")).to_have_count(1)
    page.wait_for_url("**direction=sketch*emoji*")


def test_a_bad_file_is_told_kindly_and_the_next_one_works(page, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"this is text")
    picture(2).save(tmp_path / "good.png")
    upload(page, tmp_path / "good.png")  # after the first answer gradio has made the field anew
    page.set_input_files(UPLOAD, tmp_path / "broken.png")
    sync_api.expect(page.locator("#said")).to_contain_text("broken.png is not a picture that can be read here")
    # The name stands in the empty field, too, until the page has taken the picture out of it.
    sync_api.expect(page.get_by_text("broken.png")).to_have_count(1)
    sync_api.expect(page.locator("#given img")).to_have_count(0)
    upload(page, tmp_path / "good.png")
    sync_api.expect(page.locator("#result img")).to_have_count(2)


def test_a_stroke_is_translated_and_wiped_off(page):
    page.get_by_role("tab", name="Draw").click()
    box = page.locator("#pad canvas").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 20, steps=5)
    page.mouse.move(x + 40, y + 110, steps=5)
    page.mouse.up()
    sync_api.expect(page.locator("#draw-hint")).to_contain_text("by sketch2photo")  # as none was chosen that draws
    sync_api.expect(page.locator("#draw-said")).to_contain_text("sketch → photo")
    assert shown(page, "#made", 1) != shown(page, "#redrawn", 1)
    page.locator("#pad").get_by_role("button", name="Clear").click()
    sync_api.expect(page.locator("#made img")).to_have_count(0)


def test_colours_are_clicked_typed_suggested_and_taken_from_a_picture(page, tmp_path):
    sync_api.expect(page.locator("#colours")).to_have_count(0)
    choose(page, "drawn", "sketch → emoji")
    picture(7, 90, 90).save(tmp_path / "a.png")
    upload(page, tmp_path / "a.png")
    typical = shown(page, "#result")
    said = sync_api.expect(page.locator("#said"))
    page.locator("#colours").get_by_label("red", exact=True).click()
    said.to_contain_text("In the colours of red.")
    assert shown(page, "#result", instead_of=typical)[1] != typical[1]
    sync_api.expect(page.locator("#colours [aria-pressed=true]")).to_have_count(1)
    text = page.locator("#colours").get_by_label("Colours, separated")
    text.fill("/etc/passwd")
    text.press("Enter")
    said.to_contain_text("is no colour")
    text.fill("#3355aa, gold")
    text.press("Enter")
    said.to_contain_text("In the colours of #3355aa and gold.")
    page.locator("#five").click()
    offers = page.locator("#offers button.thumbnail-item")
    sync_api.expect(offers).to_have_count(5)
    offers.nth(3).click()
    said.to_contain_text("In the colours of palette 3.")
    page.get_by_text("Colours from a picture").first.click()
    page.set_input_files("#colours-like input[type=file]", tmp_path / "a.png")
    said.to_contain_text("palette 3 and your picture")
    assert "translator=runs%2Fdrawn" in page.url  # a link to what is seen
    with page.expect_download() as download:
        page.locator("#take-pair").click()
    assert download.value.suggested_filename == "a_emoji_before_and_after.jpg"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy-both").click()
    sync_api.expect(page.locator("#copy-both")).to_have_text("Copied")
    kinds = page.evaluate("async () => (await navigator.clipboard.read()).flatMap(item => item.types)")
    assert kinds == ["image/png"]
    page.locator("#directions").get_by_text("emoji → sketch").click()
    sync_api.expect(page.locator("#colours")).to_have_count(0)


def test_it_opens_with_an_example_that_is_translated_already(browser, address):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    sync_api.expect(page.locator("#said")).to_contain_text("horse → zebra", timeout=PATIENCE)
    first = shown(page, "#result")
    page.locator("#examples button.thumbnail-item").nth(1).click()
    assert shown(page, "#result", instead_of=first)[1] != first[1]
    choose(page, "tiny", "horse → zebra")
    sync_api.expect(page.locator("#said")).to_contain_text(
        "70 × 64"
    )  # as another translator of horses was there before
    page.locator("#directions").get_by_text("zebra → horse").click()  # there are no examples of zebras
    sync_api.expect(page.locator("#said")).to_contain_text("appears here")
    page.locator("#go").click()
    sync_api.expect(page.locator("#said")).to_contain_text("There is no picture yet")
    page.close()


def test_many_files_become_a_zip(page, tmp_path):
    for seed in (3, 4):
        picture(seed).save(tmp_path / f"{seed}.png")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(tmp_path / "3.png", "inside.png")
    page.get_by_role("tab", name="Files").click()
    page.set_input_files("#files input[type=file]", [tmp_path / name for name in ("3.png", "4.png", "more.zip")])
    page.locator("#files").get_by_text("more.zip").or_(page.locator("#files").get_by_text(".zip")).first.wait_for()
    page.locator("#go-all").click()
    sync_api.expect(page.locator("#files-said")).to_contain_text("3 translated")
    with page.expect_download() as download:
        page.locator("#take-all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["3.png", "4.png", "inside.png"]


def test_a_training_can_be_watched(page):
    page.get_by_role("tab", name="Watch").click()
    sync_api.expect(page.locator("#run-said")).to_contain_text("step 12 of 20")
    sync_api.expect(page.locator("#grid img")).to_have_count(1)
    page.locator("#close svg.marks").wait_for()


def test_a_large_picture_is_cancelled_and_the_next_one_is_not_kept_waiting(page, tmp_path):
    picture(8, 5000, 3000).save(tmp_path / "large.jpg")
    page.get_by_text("Detail").first.click()
    page.locator("#detail").get_by_text("own size").click()
    page.set_input_files(UPLOAD, tmp_path / "large.jpg")
    sync_api.expect(page.locator("#said")).to_contain_text("%")
    page.locator("#cancel").click()
    sync_api.expect(page.locator("#said")).to_contain_text("Cancelled")
    sync_api.expect(page.locator("#cancel")).to_have_count(0)


def test_the_address_names_the_translator_and_the_scheme_is_remembered(browser, address):
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}?translator=runs/tiny&direction=zebra → horse")
    sync_api.expect(page.locator("#directions input:checked")).to_have_value("zebra → horse", timeout=PATIENCE)
    page.locator("#lights").click()
    page.reload()
    sync_api.expect(page.locator("body.dark")).to_have_count(1, timeout=PATIENCE)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(browser, address, tmp_path, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator(UPLOAD).wait_for(state="attached")
    picture(5, 60, 90).save(tmp_path / "a.png")
    upload(page, tmp_path / "a.png")
    width = "[document.documentElement.scrollWidth, document.body.scrollWidth]"
    assert max(page.evaluate(width)) <= 390
    for tab in ("Draw", "Files", "Watch", "About"):
        visible = page.locator("button[role=tab]:visible", has_text=tab)
        if not visible.count():
            page.locator(".overflow-menu > button").click()
            visible = page.locator(".overflow-dropdown button", has_text=tab)
        visible.first.click()
        page.get_by_role("tabpanel").locator("visible=true").first.wait_for()
        assert max(page.evaluate(width)) <= 390, tab
    context.close()


def test_what_is_painted_changes_and_the_rest_does_not(page, tmp_path):
    page.set_viewport_size({"width": 390, "height": 844})  # a phone's
    for name, height, width in (("before.png", 200, 200), ("horse.png", 300, 200)):
        picture(5, height, width).save(tmp_path / name)
    upload(page, tmp_path / "before.png")
    page.get_by_role("button", name="Only a part of it").click()
    canvas = page.locator("#brush canvas")
    sync_api.expect(canvas).to_be_visible()
    page.evaluate("""() => {
      const sheet = document.querySelector('#brush .sheet');
      window.seen = [];
      new MutationObserver(() => seen.push(sheet.hidden)).observe(sheet, {attributeFilter: ['hidden']});
    }""")
    upload(page, tmp_path / "horse.png")
    page.wait_for_function("c => Math.abs(c.clientWidth / c.clientHeight - 1.5) < 0.05", arg=canvas.element_handle())
    *hidden, last = page.evaluate("seen")  # no picture to paint on until the uploaded one is translated
    assert hidden and all(hidden) and not last
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert 250 < box["width"] <= 390
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] - 2, steps=4)
    page.mouse.up()
    sync_api.expect(page.locator("#said")).to_contain_text("Only what you painted has changed")
    with page.expect_download() as download:
        page.locator("#take").click()
    made, before = (np.array(Image.open(file)) for file in (download.value.path(), tmp_path / "horse.png"))
    assert (made[:, 100:] == before[:, 100:]).all() and (made[:, :5] != before[:, :5]).any()
    page.locator("#brush").get_by_role("button", name="Clear").focus()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#said")).not_to_contain_text("painted")
