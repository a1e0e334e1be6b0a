"""The field notebook in a real browser: what is kept, shown, exported, read back and deleted."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from fieldguide.catalogue.rows import ARCHIVE_MEMBER
from fieldguide.catalogue.sources import DwcaSource
from fieldguide.fetch.archives import read_member
from fieldguide.files import file_sha256
from tests.web.conftest import GUIDE, PATIENCE, answer, await_offline, photo_file
from tests.web.serving import ANY, Site, export_anew

pytestmark = pytest.mark.slow

SURE = {"calibration.json": {"temperatures": {"species": 0.05}, "rules": ANY}}
"""Of a guide that names a species whatever it sees."""


def photo(size: tuple[int, int] = (2400, 1200)) -> dict[str, Any]:
    """A large photo, reddish to the left, that says where and when it was taken and by which camera."""
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010F] = "A maker of cameras"
    exif[0x8825] = {1: "S", 2: (10.0, 30.0, 0.0), 3: "E", 4: (120.0, 15.0, 0.0)}
    exif[0x8769] = {0x9003: "2021:05:12 10:20:30"}
    pixels = np.full((size[1], size[0], 3), (40, 90, 60), np.uint8)
    pixels[:, : size[0] // 2] = (200, 60, 50)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", exif=exif)
    return {"name": "flower.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()}


def keep(page: Page, *files: dict[str, Any]) -> dict[str, Any]:
    """Have photos answered together, and keep the answer."""
    answered = answer(page, files[0])
    for file in files[1:]:
        page.evaluate("window.answered = null")
        page.locator("#more").set_input_files(file)
        page.wait_for_function("() => window.answered", timeout=PATIENCE)
        answered = page.evaluate("window.answered")
    page.get_by_role("button", name="Keep this find").click()
    expect(page.locator("#keep")).to_contain_text("Kept in the field notebook", timeout=PATIENCE)
    return answered


def open_notebook(page: Page, num_finds: int) -> None:
    page.locator("#open-notebook").click()
    expect(page.locator("#finds > li")).to_have_count(num_finds, timeout=PATIENCE)


def download(page: Page, button: str, to: Path) -> Path:
    with page.expect_download() as started:
        page.locator(button).click()
    started.value.save_as(to)
    return to


def test_what_is_kept_is_exported_and_read_back(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    guide = site.publish(export_anew(paths["bundle"], tmp_path / "sure", SURE), "sure")
    page = context.new_page()
    page.goto(site.address("sure"))
    first = keep(page, photo(), photo_file("plain.png"))
    second = keep(page, photo_file("plain.png", (90, 160)))
    expect(page.locator("#num-finds")).to_contain_text("2 finds")
    open_notebook(page, 2)
    older = page.locator("#finds > li").nth(1)
    expect(older.locator("img")).to_have_count(2)
    expect(older.get_by_label("Date and time")).to_have_value("2021-05-12T10:20")
    expect(older).to_contain_text("10.5° S, 120.3° E")
    older.get_by_label("Note").fill('=HYPERLINK("http://x.org")\tby the brook')
    page.get_by_label("Your name").fill("Ada Alder")
    page.get_by_label("Licence of your finds").select_option("CC BY 4.0")

    table = download(page, "#export-csv", tmp_path / "finds.csv").read_text(encoding="utf-8-sig")
    newer_row, older_row = csv.DictReader(io.StringIO(table))
    assert older_row["note"] == '\'=HYPERLINK("http://x.org") by the brook'
    assert older_row["name"] == first["best"]["name"]
    assert (older_row["latitude"], older_row["longitude"]) == ("-10.5", "120.25")
    assert (older_row["date"], older_row["photos"]) == ("2021-05-12T10:20:30", "2")
    assert older_row["model"] == file_sha256(guide / "bundle.json")
    assert newer_row["name"] == second["best"]["name"]

    archive = download(page, "#export-archive", tmp_path / "finds.zip")
    fill = {"region": None, "licence": None, "rights_holder": None}
    settings = {"kind": "dwca", "path": archive, "label": "scientificName", "fill": fill}
    source = DwcaSource.model_validate(settings)
    rows = list(source.rows())
    assert [row.label for row in rows] == [second["best"]["name"], *[first["best"]["name"]] * 2]
    large = rows[1]
    assert (large.latitude, large.longitude, str(large.date)) == (-10.5, 120.25, "2021-05-12")
    assert (large.observer, large.rights_holder) == ("Ada Alder", "Ada Alder")
    assert large.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert rows[1].observation_id == rows[2].observation_id != rows[0].observation_id
    member = ARCHIVE_MEMBER.fullmatch(large.url)
    assert member is not None
    outcome = read_member("zip", Path(member["archive"]), member["member"], 10**7)
    with zipfile.ZipFile(archive) as opened:
        assert outcome.content == opened.read(member["member"])
        (_, properties) = opened.read("occurrence.txt").decode().splitlines()[2].split("{", 1)
    assert json.loads("{" + properties.split("\t")[0])["verdict"] == "taxon"
    with Image.open(io.BytesIO(outcome.content)) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", (1600, 800), {})
        np.testing.assert_allclose(picture.convert("RGB").getpixel((100, 400)), (200, 60, 50), atol=8)
    assert {taxon.name for taxon in source.taxa()} == {first["best"]["name"], second["best"]["name"]}


def test_one_find_or_all_can_be_deleted_and_only_if_that_is_confirmed(page: Page) -> None:
    keep(page, photo_file("plain.png"))
    keep(page, photo_file("plain.jpg"))
    open_notebook(page, 2)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#finds > li").first.get_by_role("button", name="Delete").click()
    expect(page.locator("#finds > li")).to_have_count(2)
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#finds > li").first.get_by_role("button", name="Delete").click()
    expect(page.locator("#finds > li")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator("#notebook-empty")).to_be_visible()
    expect(page.locator("#notebook-tools")).to_be_hidden()


def test_two_tabs_share_a_notebook_and_two_guides_do_not(context: BrowserContext, page: Page, site: Site) -> None:
    context.add_init_script("navigator.storage.persist = async () => { window.asked = (window.asked ?? 0) + 1; }")
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(site.address(GUIDE))
        keep(tab, photo_file("plain.png"))
    assert [tab.evaluate("window.asked") for tab in tabs] == [1, None]  # the first find only
    for tab in tabs:
        open_notebook(tab, 2)
    tabs[0].locator("#finds > li").first.get_by_label("Note").fill("by the brook")
    tabs[1].once("dialog", lambda dialog: dialog.accept())
    tabs[1].locator("#finds > li").nth(1).get_by_role("button", name="Delete").click()
    expect(tabs[0].locator("#finds > li")).to_have_count(1)
    expect(tabs[0].locator("#finds > li").get_by_label("Note")).to_have_value("by the brook")
    site.publish(site.root / GUIDE, "other")
    tabs[0].goto(site.address("other"))
    open_notebook(tabs[0], 0)


def test_it_works_without_a_network_and_says_when_there_is_no_room(
    context: BrowserContext, page: Page, site: Site
) -> None:
    await_offline(page)
    site.stop()
    page.reload()
    devtools = context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    answer(page, photo_file("plain.png"))
    button = page.get_by_role("button", name="Keep this find")
    button.click()
    expect(page.locator("#keep")).to_contain_text("no room to keep the find", timeout=PATIENCE)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": origin})
    button.click()
    expect(page.locator("#keep")).to_contain_text("Kept in the field notebook", timeout=PATIENCE)
    page.reload()
    open_notebook(page, 1)


def test_an_example_is_nobodys_find(page: Page) -> None:
    page.locator("#examples button").first.click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#keep")).to_be_hidden()
