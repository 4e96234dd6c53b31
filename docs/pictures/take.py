"""Takes the screenshots in this folder: ``python app.py``, and beside it ``python docs/pictures/take.py``.

Needs playwright and chromium, a translator of horses, and one of sketches for the tab that draws.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).parent
HORSE = HERE.parents[1] / "pretrained" / "examples" / "horse" / "head.png"


def take(page, name: str) -> None:
    """Saves what is seen, in few colours: a screenshot in few bytes."""
    page.wait_for_timeout(1500)  # fades and pictures
    file = HERE / f"{name}.png"
    page.screenshot(path=file, full_page=True)
    with Image.open(file) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(file, optimize=True)


def opened(browser, address: str, translator: str, width: int, scheme: str):
    """The page with the horse in it, translated."""
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto(address)
    page.locator("#given input[type=file]").wait_for(state="attached")
    page.locator("#translator input").click()
    page.get_by_role("option", name=translator).first.click()
    expect(page.locator("#directions")).to_contain_text("horse")
    page.set_input_files("#given input[type=file]", HORSE)
    expect(page.locator("#said")).to_contain_text("pixels", timeout=60_000)
    return page


def main(address: str = "http://127.0.0.1:7860/", translator: str = "horse") -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, width, scheme in (("app", 1120, "light"), ("app-dark", 1120, "dark"), ("app-phone", 390, "light")):
            page = opened(browser, address, translator, width, scheme)
            take(page, name)
        page = opened(browser, address, translator, 1120, "light")
        page.get_by_role("tab", name="Draw").click()
        page.get_by_role("button", name="Face").click()
        expect(page.locator("#draw-said")).to_contain_text("→", timeout=60_000)
        take(page, "app-draw")


if __name__ == "__main__":
    main(*sys.argv[1:])
