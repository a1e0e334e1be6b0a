"""The species of the guide on the page: browsed, searched, shown beside an answer, kept when they were seen."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.web.conftest import GUIDE, PATIENCE, answer, await_offline, photo_file, press
from tests.web.serving import Site, export_anew

pytestmark = pytest.mark.slow

SPECIES = ["Aster alpinus", "Aster bellus", "Linum album", "Linum nudum"]
LARGE = 10_000
"""Species of a guide that nobody scrolls through."""


def browse(page: Page) -> None:
    page.locator("#browse").click(timeout=PATIENCE)
    expect(page.locator("#species-list .row").first).to_be_visible()


def rows(page: Page) -> list[str]:
    found: list[str] = page.locator("#species-list .row").evaluate_all(
        "(all) => all.map((each) => each.dataset.species)"
    )
    return found


def test_species_are_browsed_and_searched_without_any_photo_by_keyboard(page: Page) -> None:
    press(page.locator("#browse"), "Enter")
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#found")).to_have_text("4 species")
    assert rows(page) == SPECIES
    assert page.locator("#species-list h3").all_text_contents() == ["Aster", "Linum"]
    page.keyboard.type("WHITE fl")
    expect(page.locator("#found")).to_have_text("1 species")
    assert rows(page) == ["Linum album"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-name")).to_have_text("white flax")
    expect(page.locator("#sheet-scientific")).to_have_text("Linum album")
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    expect(page.locator("#species-list .row")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("nonsense")
    expect(page.locator("#found")).to_have_text("Nothing in this guide is called that.")
    assert rows(page) == []
    page.keyboard.press("ArrowDown")
    page.locator("#species .close").click()
    expect(page.locator("#species")).to_be_hidden()
    expect(page.locator("#browse")).to_be_focused()


def test_species_are_browsed_while_the_model_is_on_its_way(context: BrowserContext, site: Site) -> None:
    held: list[Route] = []
    page = context.new_page()
    for file in ("group1-*", "selftest.json"):
        page.route(f"**/{file}", lambda route: held.append(route))
    page.goto(site.address(GUIDE), wait_until="commit")
    browse(page)
    assert rows(page) == SPECIES
    assert held
    expect(page.locator("body")).to_have_attribute("data-state", "loading")


def test_a_sheet_tells_photos_with_credit_lineage_counts_and_look_alikes(page: Page, paths: dict[str, Path]) -> None:
    told = json.loads((paths["bundle"] / "species.json").read_text())
    browse(page)
    for name in SPECIES:
        page.locator(f'.row[data-species="{name}"]').click()
        sheet, shown = told[name], page.locator("#sheet")
        expect(shown.locator("#sheet-photos img")).to_have_count(len(sheet["photos"]))
        for photo, caption in zip(sheet["photos"], shown.locator("figcaption").all_text_contents(), strict=True):
            assert caption == " · ".join(filter(None, [photo["rights_holder"], photo["licence"]]))
        is_loaded = "(all) => all.every((image) => image.naturalWidth > 0)"
        page.wait_for_function(f"() => ({is_loaded})([...document.querySelectorAll('#sheet-photos img')])")
        expect(shown.locator("#sheet-lineage li")).to_have_count(2)
        expect(shown.locator("#sheet-count")).to_contain_text(f"from {sheet['num_photos']} photo")
        others = shown.locator("#sheet-pairs button").evaluate_all("(all) => all.map((each) => each.dataset.species)")
        assert others == list(sheet["look_alikes"])
        page.keyboard.press("Escape")
    page.locator('.row[data-species="Aster bellus"]').click()
    expect(page.locator("#sheet-pairs li").first).to_contain_text("took one for the other in 2 photos")
    page.locator("#sheet-pairs button").first.click()
    expect(page.locator("#sheet-name")).to_have_text("Linum nudum")


def test_a_sheet_tells_notes_and_links_as_text_and_to_the_web_alone(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    sheets = json.loads((paths["bundle"] / "species.json").read_text())
    notes = "On chalk, <b>above</b> 1,500 m & in June."
    sheets["Aster alpinus"] |= {"notes": notes, "link": "https://alps.example.org/aster?a=1&b=2"}
    sheets["Aster bellus"] |= {"link": "javascript:document.title='taken'"}
    site.publish(export_anew(paths["bundle"], tmp_path / "told", {"species.json": sheets}), "told")
    page = context.new_page()
    page.goto(site.address("told"))
    browse(page)
    link = page.locator("#sheet-link")
    page.locator('.row[data-species="Aster alpinus"]').click()
    expect(page.locator("#sheet-notes")).to_have_text(notes)
    expect(link).to_have_text("Read more")
    expect(link).to_have_attribute("href", "https://alps.example.org/aster?a=1&b=2")
    # The page that it leads to is not told where its reader comes from.
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    page.keyboard.press("Escape")
    for name in ("Aster bellus", "Linum album"):
        page.locator(f'.row[data-species="{name}"]').click()
        expect(page.locator("#sheet-notes")).to_be_empty()
        expect(link).to_be_hidden()
        page.keyboard.press("Escape")


def test_candidates_of_an_answer_open_their_sheets(page: Page) -> None:
    best = answer(page, photo_file("plain.png"))["best"]
    candidate = page.locator("#others .candidate").first
    candidate.click()
    expect(page.locator("#sheet")).to_be_visible()
    expect(page.locator("#sheet-name")).to_be_focused()
    page.locator("#sheet .close").click()
    if best["rank"] == "species":
        expect(page.locator("#references .reference").first).to_contain_text(best["name"])


def test_photos_are_kept_when_they_were_seen(page: Page, site: Site, context: BrowserContext) -> None:
    kept = "caches.keys().then((keys) => caches.open(keys[0])).then((cache) => cache.keys())"
    kept += ".then((all) => all.map(({ url }) => url).filter((url) => url.endsWith('.webp')).length)"
    await_offline(page)
    assert page.evaluate(kept) == 0  # none is waited for before the guide works offline
    browse(page)
    loaded = "() => [...document.querySelectorAll('.row img')].filter((image) => image.naturalWidth > 0).length"
    pictures = page.locator(".row img").count()
    assert pictures
    page.wait_for_function(f"(wanted) => ({loaded})() === wanted", arg=pictures)
    assert page.evaluate(kept) == pictures
    site.stop()
    context.set_offline(True)
    page.reload()
    await_offline(page)
    browse(page)
    page.wait_for_function(f"(wanted) => ({loaded})() === wanted", arg=pictures)
    # One that was not seen has something in its place, and is no error.
    page.locator(".row:has(img)").first.click()
    page.wait_for_function("() => [...document.querySelectorAll('#sheet-photos img')].every((image) => image.complete)")


def test_names_alone_are_browsed_where_photos_and_sheets_are_missing(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    bare = export_anew(paths["bundle"], tmp_path / "bare", {}, lambda folder: (folder / "species.json").unlink())
    site.publish(bare, "bare")
    (site.root / "bare/species.json").unlink(missing_ok=True)
    page = context.new_page()
    page.goto(site.address("bare"))
    browse(page)
    assert rows(page) == SPECIES
    page.locator(".row").first.click()
    expect(page.locator("#sheet-empty")).to_be_visible()
    expect(page.locator("#sheet-alike")).to_be_hidden()


def large_guide() -> dict[str, dict[str, Any]]:
    """labels.json and species.json of a guide with LARGE species of 500 genera and 50 families."""
    names = [f"Genus{i % 500:03d} species{i:05d}" for i in range(LARGE)]
    above = {name: {"genus": name.split()[0], "family": f"Family{int(name[5:8]) % 50:02d}aceae"} for name in names}
    labels = {
        "ranks": ["species", "genus", "family"],
        "classes": {
            "species": ["other", *sorted(names)],
            "genus": ["other", *sorted({each["genus"] for each in above.values()})],
            "family": ["other", *sorted({each["family"] for each in above.values()})],
        },
        "parents": {"species": above, "genus": {}, "family": {}},
        "vernacular": {name: f"été {i}" for i, name in enumerate(names)},
    }
    sheets = {name: {"num_photos": 1, "look_alikes": {}, "photos": []} for name in names}
    return {"labels.json": labels, "species.json": sheets}


def test_a_guide_of_ten_thousand_species_opens_and_is_searched(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    site.publish(export_anew(paths["bundle"], tmp_path / "large", large_guide()), GUIDE)
    page = context.new_page()
    page.goto(site.address(GUIDE))
    expect(page.locator("body[data-state=ready]")).to_be_visible(timeout=PATIENCE)
    browse(page)
    expect(page.locator("#found")).to_have_text("10,000 species")
    drawn = len(rows(page))
    assert 0 < drawn < 1000
    page.locator("#species-list").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    page.wait_for_function(f"() => document.querySelectorAll('#species-list .row').length > {drawn}")
    page.locator("#search").fill("ete 977")
    expect(page.locator("#found")).to_have_text("11 species")
    page.locator("#search").fill("genus477 species00977")
    expect(page.locator("#found")).to_have_text("1 species")
    assert rows(page) == ["Genus477 species00977"]
