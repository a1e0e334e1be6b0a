"""The guide without a network: said when it is true, whole or not at all, and apart from other guides."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, await_offline, photo_file
from tests.web.serving import Site, export_anew

pytestmark = pytest.mark.slow

KEPT = "caches.keys().then((keys) => Promise.all(keys.map((key) => caches.open(key).then((each) => each.keys()))))"
KEPT += ".then((all) => all.flat().map(({ url }) => url))"
"""Addresses of all files in all caches of the origin."""

RENAMED = {
    "labels.json": {"vernacular": {name: f"new {name}" for name in ("Linum album", "Linum", "Aster", "Aster alpinus")}}
}


@pytest.fixture(scope="module")
def renamed(paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another export of the guide, with other names."""
    return export_anew(paths["bundle"], tmp_path_factory.mktemp("renamed") / "bundle", RENAMED)


def stored_names(page: Page) -> dict[str, str]:
    names: dict[str, str] = page.evaluate("fetch('labels.json').then((it) => it.json()).then((it) => it.vernacular)")
    return names


def test_a_guide_that_was_opened_once_works_without_its_server(page: Page, site: Site, context: BrowserContext) -> None:
    await_offline(page)
    before = answer(page, photo_file("plain.png"))
    site.stop()
    context.set_offline(True)
    page.reload()
    await_offline(page)
    assert answer(page, photo_file("plain.png")) == before
    page.locator("#examples button").first.click()
    expect(page.locator("#caption")).to_contain_text("CC")
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)


def test_offline_is_not_promised_while_a_file_is_missing(
    context: BrowserContext, site: Site, paths: dict[str, Path]
) -> None:
    card = site.root / GUIDE / "MODEL_CARD.md"
    card.unlink()
    page = context.new_page()
    page.goto(site.address(GUIDE))
    expect(page.locator("#offline")).to_contain_text("Not saved for offline use", timeout=PATIENCE)
    answer(page, photo_file("plain.png"))
    shutil.copyfile(paths["bundle"] / card.name, card)
    page.reload()
    await_offline(page)


def test_two_guides_on_one_origin_leave_each_other_alone(
    context: BrowserContext, site: Site, paths: dict[str, Path], renamed: Path
) -> None:
    folders = {"plants": paths["bundle"], "plants/new": renamed, "moths": paths["bundle"]}
    names = {}
    page = context.new_page()
    for folder, bundle in folders.items():
        site.publish(bundle, folder)
        page.goto(site.address(folder))
        await_offline(page)
        names[folder] = stored_names(page)
    site.stop()
    context.set_offline(True)
    for folder in folders:
        page.goto(site.address(folder))
        await_offline(page)
        assert stored_names(page) == names[folder]
        answer(page, photo_file("plain.png"))
    assert names["plants/new"] == RENAMED["labels.json"]["vernacular"] != names["plants"]


def test_a_new_export_replaces_the_old_one_whole_or_not_at_all(page: Page, site: Site, renamed: Path) -> None:
    await_offline(page)
    old = stored_names(page)
    num_kept = len(page.evaluate(KEPT))
    # The upload stops before the last file.
    site.publish(renamed, GUIDE)
    labels = (site.root / GUIDE / "labels.json").read_bytes()
    (site.root / GUIDE / "labels.json").unlink()
    for _ in range(2):
        page.reload()
        await_offline(page)
        assert stored_names(page) == old
    expect(page.locator("#update")).to_be_hidden()
    # It is completed.
    (site.root / GUIDE / "labels.json").write_bytes(labels)
    page.reload()
    expect(page.locator("#update")).to_be_visible(timeout=PATIENCE)
    assert stored_names(page) == old
    page.locator("#update button").click()
    expect(page.locator("#update")).to_be_hidden(timeout=PATIENCE)
    await_offline(page)
    assert stored_names(page) == RENAMED["labels.json"]["vernacular"]
    page.wait_for_function(f"() => {KEPT}.then((urls) => urls.length === {num_kept})")


def test_a_guide_closed_and_opened_again_is_the_new_one(context: BrowserContext, site: Site, renamed: Path) -> None:
    first = context.new_page()
    first.goto(site.address(GUIDE))
    await_offline(first)
    site.publish(renamed, GUIDE)
    first.reload()
    expect(first.locator("#update")).to_be_visible(timeout=PATIENCE)
    other = context.new_page()
    first.close()
    other.wait_for_timeout(500)
    other.goto(site.address(GUIDE))
    await_offline(other)
    assert stored_names(other) == RENAMED["labels.json"]["vernacular"]


def test_a_file_that_the_browser_dropped_is_fetched_again(page: Page, context: BrowserContext, site: Site) -> None:
    await_offline(page)
    num_kept = len(page.evaluate(KEPT))
    drop = "(file) => caches.keys().then(([key]) => caches.open(key)).then((it) => it.delete(new URL(file, location)))"
    for file in ("model.json", "examples.json", "MODEL_CARD.md"):
        assert page.evaluate(drop, file)
    page.reload()
    await_offline(page)
    assert len(page.evaluate(KEPT)) == num_kept


def test_a_file_of_a_new_export_never_joins_those_of_the_old_one(
    page: Page, context: BrowserContext, site: Site, renamed: Path
) -> None:
    await_offline(page)
    page.evaluate(
        "caches.keys().then(([key]) => caches.open(key)).then((it) => it.delete(new URL('labels.json', location)))"
    )
    context.new_cdp_session(page).send("Network.clearBrowserCache")
    site.publish(renamed, GUIDE)
    page.reload()
    # What is kept is no longer whole, so all of it gives way: the page now comes from the server, as the new one.
    expect(page.locator("#update")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(f"() => {KEPT}.then((urls) => urls.some((url) => url.endsWith('labels.json')))")
    page.locator("#update button").click()
    expect(page.locator("#update")).to_be_hidden(timeout=PATIENCE)
    await_offline(page)
    assert stored_names(page) == RENAMED["labels.json"]["vernacular"]


def test_a_mix_of_two_exports_is_refused_at_the_first_visit(context: BrowserContext, site: Site, renamed: Path) -> None:
    labels = (site.root / GUIDE / "labels.json").read_bytes()
    shutil.copyfile(renamed / "labels.json", site.root / GUIDE / "labels.json")
    page = context.new_page()
    page.goto(site.address(GUIDE))
    expect(page.locator("#reason")).to_contain_text(
        "labels.json is damaged, or the guide is being replaced", timeout=PATIENCE
    )
    (site.root / GUIDE / "labels.json").write_bytes(labels)
    page.locator("#again").click()
    expect(page.locator("body[data-state=ready]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#failure")).to_be_hidden()
    await_offline(page)
