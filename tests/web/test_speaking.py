"""The page in the reader's language: the browser chooses, the reader changes, and nothing on the page is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, photo_file
from tests.web.serving import Site, export_anew

pytestmark = pytest.mark.slow

WATCH = "addEventListener('fieldguide:answer', ({ detail }) => { window.answered = detail; }, true)"


@pytest.fixture
def german(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(locale="de-AT", viewport={"width": 390, "height": 844})
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


def test_the_browser_chooses_and_the_reader_changes_without_losing_anything(german: Page, site: Site) -> None:
    page = german
    page.goto(site.address(GUIDE))
    expect(page.locator("h1")).to_have_text("Bestimmungsbuch für die Tasche")
    expect(page).to_have_title("Bestimmungsbuch für die Tasche")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    probability = answer(page, photo_file("plain.png"))["best"]["probability"]
    expect(page.locator("#confidence")).to_have_text(f"{round(100 * probability)} % sicher")
    expect(page.locator("#offline")).to_have_text("Geht auch ohne Netz", timeout=PATIENCE)
    source = page.locator("#photo").get_attribute("src")
    bar = page.locator("#bar").bounding_box()
    assert bar is not None

    page.locator("#language").select_option("ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("#confidence")).to_contain_text("الثقة")
    expect(page.locator("#contents")).to_contain_text("أنواع")
    expect(page.locator("#offline")).to_have_text("يعمل دون اتصال")
    expect(page.locator("#month option").nth(5)).to_have_text("مايو")
    expect(page.locator("#photo")).to_have_attribute("src", source or "")
    expect(page.locator("#name bdi")).to_have_attribute("dir", "ltr")
    mirrored = page.locator("#bar").bounding_box()
    assert mirrored is not None
    assert mirrored["x"] == pytest.approx(390 - bar["x"] - bar["width"], abs=30)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.locator("#pick").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"<html>"})
    expect(page.locator("#reason")).to_contain_text("ليس صورة")
    page.locator("#language").select_option("fr")
    expect(page.locator("#reason")).to_have_text("x.jpg n'est pas une image. Choisissez une photo.")
    expect(page.locator("#verdict")).to_be_hidden()
    page.reload()
    expect(page.locator("h1")).to_have_text("Guide de terrain de poche")
    expect(page.locator("html")).to_have_attribute("dir", "ltr")


def test_vernacular_names_are_those_of_the_language(
    german: Page, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    german.goto(site.address(GUIDE))
    found: dict[str, Any] = answer(german, photo_file("plain.png"))
    best = found["best"]["name"]
    assert best != "other"
    vernaculars = {"de": {best: "Alpenaster"}, "nl": {best: "alpenaster"}}
    changed = export_anew(paths["bundle"], tmp_path / "named", {"labels.json": {"vernaculars": vernaculars}})
    site.publish(changed, "named")
    german.goto(site.address("named"))
    answer(german, photo_file("plain.png"))
    for language, name in (("de", "Alpenaster"), ("nl", "alpenaster")):
        german.locator("#language").select_option(language)
        expect(german.locator("#name")).to_have_text(name)
        expect(german.locator("#scientific")).to_have_text(best)
        expect(german.locator("#scientific bdi")).to_have_attribute("lang", "la")
