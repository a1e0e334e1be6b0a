"""A real browser, a web server, and a page that opens a small exported guide in a folder of it."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.export.exporting import export_once
from tests.web.firefox import Firefox, firefox_running
from tests.web.serving import Site, served

GUIDE = "some/sub/path"
ARGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
"""Of Chromium: its own sandbox needs rights that root in a container lacks; for its camera a test picture stands in."""
WHEN_ANSWERED = "addEventListener('fieldguide:answer', ({ detail }) => { window.answered = detail; }, true)"
"""What a page runs first, so that `answer` sees what it concludes."""
PATIENCE = 30_000
"""Milliseconds that a slow machine may take to open a guide."""


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return export_once(tmp_path_factory.getbasetemp() / "export")[0]


def find_browser(*names: str) -> str:
    """The first of some programs that is here. Skips the test where none is; CI has them."""
    for name in names:
        if found := shutil.which(name):
            return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has no {names[0]}; .ci/run installs it")
    pytest.skip(f"no {names[0]} on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while it is open, no other test of the process can run an event loop.
    chromium = find_browser("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    program = find_browser("firefox-esr", "firefox")
    with firefox_running(program, tmp_path_factory.mktemp("firefox") / "profile") as firefox:
        yield firefox


@pytest.fixture
def site(paths: dict[str, Path], tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path / "site") as site:
        site.publish(paths["bundle"], GUIDE)
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(WHEN_ANSWERED)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(site.address(GUIDE))
    yield page
    assert problems == []


def photo_file(kind: str, size: tuple[int, int] = (200, 150)) -> dict[str, Any]:
    """A colour photo, wide by default, as the browser's file chooser takes it."""
    width, height = size
    yy, xx = np.mgrid[:height, :width]
    pixels = np.stack([xx % 256, yy % 256, (xx * yy) // 150 % 256], axis=-1).astype(np.uint8)
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    if kind == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.rotate(90, expand=True).save(stream, "JPEG", quality=95, exif=exif)
    else:
        image.save(stream, {"jpg": "JPEG"}.get(kind.split(".")[1], kind.split(".")[1].upper()))
    mime = "image/jpeg" if kind.endswith("jpg") else f"image/{kind.split('.')[1]}"
    return {"name": kind, "mimeType": mime, "buffer": stream.getvalue()}


def answer(page: Page, file: dict[str, Any]) -> dict[str, Any]:
    """Give the page a photo and wait for what it concludes."""
    page.evaluate("window.answered = null")
    page.locator("#pick").set_input_files(file)
    page.wait_for_function("() => window.answered", timeout=PATIENCE)
    answered: dict[str, Any] = page.evaluate("window.answered")
    return answered


def press(locator: Locator, key: str) -> None:
    """Press a key on an element as somebody does who sees it: `focus` alone does nothing while it is hidden."""
    expect(locator).to_be_visible(timeout=PATIENCE)
    locator.press(key)


def await_offline(page: Page) -> None:
    """Wait until the page says that it works offline."""
    expect(page.locator("#offline")).to_have_text("Works offline", timeout=PATIENCE)
