"""The button that shows what the model looked at: over the photo, of the newest answer, and only where there is one."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, photo_file, press
from tests.web.serving import ANY, Site, export_anew
from tests.web.test_worker import open_guide

pytestmark = pytest.mark.slow

PLACE = """() => {
  const box = (id) => {
    const { left, top, width, height } = document.getElementById(id).getBoundingClientRect();
    return [left, top, width, height].map(Math.round);
  };
  const heat = document.getElementById('heat');
  const [, , , alpha] = heat.getContext('2d').getImageData(0, 0, 1, 1).data;
  return { photo: box('photo'), heat: box('heat'), shape: [heat.width, heat.height], alpha };
}"""
LESS_SURE = {"calibration.json": {"rules": ANY}}
"""So that a taxon is named whatever the untrained model says."""


@pytest.fixture
def sure(context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path) -> Page:
    site.publish(export_anew(paths["bundle"], tmp_path / "sure", LESS_SURE), "sure")
    page = context.new_page()
    page.goto(site.address("sure"))
    return page


def test_the_map_lies_on_the_photo_and_goes_with_it(sure: Page) -> None:
    toggle, heat, legend = sure.locator("#why-toggle"), sure.locator("#heat"), sure.locator("#why-legend")
    expect(toggle).to_be_hidden()
    answered = answer(sure, photo_file("turned.jpg", (200, 100)))
    expect(heat).to_be_hidden()
    press(toggle, "Enter")
    expect(heat).to_be_visible(timeout=PATIENCE)
    expect(toggle).to_have_attribute("aria-pressed", "true")
    shown = answered["best"]["name"].replace("Linum album", "white flax")
    expect(legend).to_contain_text(f"what spoke for {shown}.")
    assert sure.get_by_role("img", name=f"The photo, bright where it spoke for {shown}").is_visible()
    placed = sure.evaluate(PLACE)
    # The canvas is as wide as it is high as the photo, and both are fitted into the same box: so it lies on the photo.
    assert placed["photo"] == placed["heat"]
    assert placed["shape"] == [200, 100]
    assert placed["alpha"] > 0
    toggle.click()
    expect(heat).to_be_hidden()
    expect(legend).to_be_empty()
    toggle.click()
    expect(heat).to_be_visible()
    sure.locator("#pick").set_input_files(photo_file("plain.png"))
    expect(heat).to_be_hidden()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    expect(toggle).to_be_visible(timeout=PATIENCE)


def test_a_network_without_a_map_offers_none(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    lacking = export_anew(paths["bundle"], tmp_path / "lacking", LESS_SURE, lambda out: (out / "explain.json").unlink())
    site.publish(lacking, "lacking")
    page = context.new_page()
    page.goto(site.address("lacking"))
    answer(page, photo_file("plain.png"))
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#why-toggle")).to_be_hidden()


def test_without_a_worker_the_map_comes_from_the_page_thread(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    site.publish(export_anew(paths["bundle"], tmp_path / "sure", LESS_SURE), GUIDE)
    page = open_guide(context, site, "delete self.Worker")
    answer(page, photo_file("plain.png"))
    page.locator("#why-toggle").click()
    expect(page.locator("#heat")).to_be_visible(timeout=PATIENCE)


def test_a_map_that_cannot_be_had_says_why_and_may_be_asked_for_again(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    changes = LESS_SURE | {"explain.json": {"weight": "nowhere"}}
    site.publish(export_anew(paths["bundle"], tmp_path / "odd", changes), GUIDE)
    page = open_guide(context, site, "console.error = () => {}")
    answer(page, photo_file("plain.png"))
    page.locator("#why-toggle").click()
    expect(page.locator("#why-legend")).to_contain_text(
        "Something unforeseen went wrong while the photo was looked at again: ", timeout=PATIENCE
    )
    expect(page.locator("#why-toggle")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#heat")).to_be_hidden()
