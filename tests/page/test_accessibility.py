"""Every tab of the page by axe-core's rules, in light and in dark, on a desk and on a telephone."""

import shutil

import pytest
from served_page import make_run, running

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[test]'")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[test]'")
pytest.importorskip("gradio", reason="the page needs the extra: app")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine")

PATIENCE = 60_000  # milliseconds, for a machine that is busy with other things
TABS = ("Translate", "Draw", "Files", "Imagine", "Watch", "About")
# gradio's own markup, which a page cannot change: its empty pictures, and the picture that is a button to enlarge it
GRADIO = {"aria-prohibited-attr": ('aria-label="Empty value"',), "button-name": ('<button class="svelte-',)}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("axe")
    make_run(folder / "runs" / "drawn", ("sketch", "emoji"), palette=True)
    with running(folder) as address:
        yield address


def opened(page, tab: str) -> None:
    there = page.locator("button[role=tab]:visible", has_text=tab)
    if not there.count():
        page.locator(".overflow-menu > button").click()
        there = page.locator(".overflow-dropdown button", has_text=tab)
    there.first.click()
    page.wait_for_timeout(1000)  # what comes in by itself


@pytest.mark.parametrize(("width", "scheme"), [(1366, "light"), (390, "dark")])
def test_axe_finds_nothing(address, width, scheme):
    findings = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}?translator=sketch2photo")
        sync_api.expect(page.locator("#said")).to_contain_text("sketch → photo", timeout=PATIENCE)
        for tab in TABS:
            opened(page, tab)
            for found in axe.Axe().run(page).response["violations"]:
                nodes = [node["html"][:160] for node in found["nodes"] if not _gradios(found["id"], node)]
                findings += [f"{tab}: {found['id']} ({found['help']}): {node}" for node in nodes]
        browser.close()
    assert not findings, "\n".join(sorted(set(findings)))


def _gradios(rule: str, node: dict) -> bool:
    return any(part in node["html"] for part in GRADIO.get(rule, ()))
