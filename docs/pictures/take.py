"""Takes the screenshots in this folder: ``python app.py``, and beside it ``python docs/pictures/take.py``.

Needs playwright and chromium.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).parent
PAGES = (("app", "horse2zebra", 1120, "light"), ("app-dark", "sketch2photo", 1120, "dark"),
         ("app-phone", "horse2zebra", 390, "light"))  # fmt: skip


def take(page, name: str) -> None:
    """Saves what is seen, in few colours: a screenshot in few bytes."""
    page.wait_for_timeout(1500)  # fades and pictures
    file = HERE / f"{name}.png"
    page.screenshot(path=file, full_page=True)
    with Image.open(file) as image:
        small = image.convert("RGB").quantize(256, kmeans=3, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(file, optimize=True)


def opened(browser, address: str, translator: str, width: int, scheme: str):
    """The page with that translator and its first example, translated."""
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    page.goto(f"{address}?translator={translator}")
    expect(page.locator("#said")).to_contain_text("pixels", timeout=60_000)
    return page


def main(address: str = "http://127.0.0.1:7860/") -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, translator, width, scheme in PAGES:
            take(opened(browser, address, translator, width, scheme), name)
        page = opened(browser, address, "sketch2photo", 1120, "light")
        page.locator("#colours").get_by_label("orange", exact=True).click()
        expect(page.locator("#said")).to_contain_text("orange", timeout=60_000)
        page.locator("#five").click()
        expect(page.locator("#offers button.thumbnail-item")).to_have_count(5, timeout=60_000)
        take(page, "app-colours")
        page.get_by_role("tab", name="Draw").click()
        page.get_by_role("button", name="Hills").click()
        expect(page.locator("#draw-said")).to_contain_text("→", timeout=60_000)
        take(page, "app-draw")
        page.get_by_role("tab", name="Imagine").click()
        page.locator("#generator input").click()
        page.get_by_role("option", name="emoji").first.click()
        expect(page.locator("#board img")).to_have_count(1, timeout=60_000)
        take(page, "app-imagine")


if __name__ == "__main__":
    main(*sys.argv[1:])
