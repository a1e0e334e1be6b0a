"""The page in a browser: a photo is found with the mouse and with the keyboard, and decisions are saved."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from fieldguide.clean.decisions import read_decisions
from fieldguide.learn.embed_files import features_path, ids_path
from fieldguide.learn.params import ReviewParams
from fieldguide.records.reader import RecordSet
from fieldguide.review.review import review_embeddings

PARAMS = ReviewParams(max_photos=100, folds=3, map_photos=40, truth=None)


@pytest.fixture(scope="module")
def reports(tfrecord: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The review of made-up embeddings of the small flora."""
    embed = tmp_path_factory.mktemp("embed")
    random = np.random.default_rng(4)
    for split in ("train", "val", "test"):
        records = RecordSet.open(tfrecord, split)
        features = 2 * np.eye(5, 12)[records.labels("species")] + 0.7 * random.normal(size=(len(records), 12))
        np.save(features_path(embed, split), features.astype(np.float16))
        ids_path(embed, split).write_text("".join(f"{photo_id}\n" for photo_id in records.photo_ids))
    reports = tmp_path_factory.mktemp("reports")
    scores = review_embeddings(PARAMS, tfrecord, embed, None, None, reports)
    (reports / "scores.json").write_text(json.dumps(scores))
    review_embeddings(PARAMS, tfrecord, embed, None, None, reports / "again")
    return reports


def test_files_are_equal_on_a_rebuild(reports: Path):
    names = ["index.html", "map.csv", "map.png", "suspects.csv"]
    assert sorted(path.name for path in (reports / "again").iterdir()) == names
    for name in names:
        assert (reports / "again" / name).read_bytes() == (reports / name).read_bytes()
    scores = json.loads((reports / "scores.json").read_text())
    assert scores["suspects"]["num_examined"] == 66
    assert scores["knn"]["k"] == 5
    assert len((reports / "map.csv").read_text().splitlines()) == 41


def test_the_page_loads_nothing(reports: Path):
    text = (reports / "index.html").read_text()
    assert "http" not in text.replace("http://www.w3.org", "")
    assert 'src="data:' in text


@pytest.fixture
def page(reports: Path) -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that root in a container lacks.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto((reports / "index.html").as_uri())
        yield page
        browser.close()
        assert failures == []


@pytest.mark.slow
def test_a_photo_is_found(page: Page, reports: Path):
    told = json.loads(page.text_content("#told") or "")
    page.locator("#points use").nth(3).hover(force=True)
    assert page.locator("#shown img").count() == 1
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    assert page.locator("#shown").is_hidden()
    page.keyboard.press("ArrowRight")
    first = page.inner_text("#shown span")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#shown span") != first
    page.fill("#find", told[5]["id"])
    assert page.locator("#points use:not(.dim)").count() == 1
    page.fill("#find", "")
    page.locator(".legend button").first.click()
    name = page.locator(".legend button").first.inner_text()
    assert page.locator("#points use:not(.dim)").count() == sum(photo["label"] == name for photo in told)


@pytest.mark.slow
def test_decisions_are_saved_as_clean_reads_them(page: Page, tmp_path: Path):
    select = page.locator("select").first
    photo = select.get_attribute("data-id")
    select.select_option("drop")
    with page.expect_download() as download:
        page.locator(".save").first.click()
    download.value.save_as(tmp_path / "decisions.csv")
    assert read_decisions(tmp_path / "decisions.csv").of_photo == {photo: "drop"}
