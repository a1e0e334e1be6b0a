"""Where and when a photo was taken, on the page: from the photo, from the device, by hand, or not at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fieldguide.evaluate.prior import Occasions
from fieldguide.evaluate.prior_file import write_prior
from fieldguide.export.parity import predict_onnxruntime
from tests.export.exporting import PRIOR
from tests.records.making import TAXONOMY
from tests.web.conftest import PATIENCE, answer, photo_file
from tests.web.serving import Site, asking, export_anew
from tests.web.test_exif import FORMATS, jpeg, photo
from tests.web.test_page import inputs_of
from tests.web.test_several import add, take_away

pytestmark = pytest.mark.slow

TEMPERATURE = 1.5
"""Of the species, in the exported guide."""
PHOTO = {"mimeType": "image/jpeg", "name": "a.jpg"}
HERE = {1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (16.0, 30.0, 0.0)}


def shift(latitude: float, longitude: float, month: float) -> np.ndarray:
    """By how much the species' logits move."""
    factors = PRIOR.log_factors(Occasions(*np.array([[latitude], [longitude], [month]], np.float64)))
    moved: np.ndarray = TEMPERATURE * factors[0]
    return moved


def changed(page: Page, act: Any) -> np.ndarray:
    """The species' logits after somebody did something."""
    page.evaluate("window.answered = null")
    act()
    page.wait_for_function("() => window.answered", timeout=PATIENCE)
    logits: list[float] = page.evaluate("window.answered.logits")
    return np.array(logits[: len(TAXONOMY.classes["species"])])


def test_what_the_photo_says_counts_and_can_be_left_out(page: Page) -> None:
    plain = np.array(answer(page, {**PHOTO, "buffer": jpeg()})["logits"])[:5]
    expect(page.locator("#place")).to_contain_text("not known")
    expect(page.locator("#nowhere")).to_be_hidden()
    told = np.array(answer(page, {**PHOTO, "buffer": jpeg(HERE, "2021:05:12 10:00:00")})["logits"])[:5]
    np.testing.assert_allclose(told - plain, shift(48.5, 16.5, 5), atol=1e-4)
    expect(page.locator("#place")).to_contain_text("48.5° N, 16.5° E, as the photo says")
    expect(page.locator("#month")).to_have_value("5")
    without = changed(page, lambda: page.locator("#nowhere").click())
    np.testing.assert_allclose(without - plain, shift(np.nan, np.nan, 5), atol=1e-4)
    in_autumn = changed(page, lambda: page.locator("#month").select_option("November"))
    np.testing.assert_allclose(in_autumn - plain, shift(np.nan, np.nan, 11), atol=1e-4)
    np.testing.assert_allclose(changed(page, lambda: page.locator("#month").select_option("unknown")), plain, atol=1e-6)
    # The next photo begins anew.
    answer(page, {**PHOTO, "buffer": jpeg(HERE)})
    answer(page, photo_file("plain.png"))
    expect(page.locator("#place")).to_contain_text("not known")


def test_photos_of_every_format_say_where_they_were_taken(page: Page) -> None:
    for kind in FORMATS:
        answer(page, photo_file("plain.png"))
        expect(page.locator("#place")).to_contain_text("not known")
        answer(page, {**PHOTO, "buffer": photo(kind, HERE, "2021:05:12 10:00:00")})
        expect(page.locator("#place")).to_contain_text("48.5° N, 16.5° E, as the photo says")
        expect(page.locator("#month")).to_have_value("5")


def test_of_several_photos_the_first_that_says_where_or_when_counts_while_it_is_there(page: Page) -> None:
    answer(page, photo_file("plain.png"))
    dated, placed, elsewhere = (jpeg(taken="2021:05:12 10:00:00"), jpeg(HERE), jpeg({**HERE, 1: "S"}))
    add(page, {**PHOTO, "buffer": dated})
    expect(page.locator("#place")).to_contain_text("not known")
    expect(page.locator("#month")).to_have_value("5")
    add(page, {**PHOTO, "buffer": placed}, {**PHOTO, "buffer": elsewhere})
    expect(page.locator("#place")).to_contain_text("48.5° N, 16.5° E, as the photo says")
    take_away(page, 3)
    expect(page.locator("#place")).to_contain_text("48.5° S, 16.5° E, as the photo says")
    take_away(page, 2)
    expect(page.locator("#month")).to_have_value("")
    # What the reader chose stays.
    changed(page, lambda: page.locator("#nowhere").click())
    changed(page, lambda: page.locator("#month").select_option("November"))
    add(page, {**PHOTO, "buffer": placed}, {**PHOTO, "buffer": dated})
    expect(page.locator("#place")).to_contain_text("not known")
    expect(page.locator("#month")).to_have_value("11")
    take_away(page, 2)
    expect(page.locator("#month")).to_have_value("11")
    # Something new begins anew.
    answer(page, {**PHOTO, "buffer": placed})
    expect(page.locator("#place")).to_contain_text("48.5° N, 16.5° E, as the photo says")
    expect(page.locator("#month")).to_have_value("")


def test_an_example_says_where_it_was_taken(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    def tag(folder: Path) -> None:
        for file in (folder / "examples").iterdir():
            file.write_bytes(jpeg(HERE))

    site.publish(export_anew(paths["bundle"], tmp_path / "tagged", {}, tag), "tagged")
    page = context.new_page()
    page.goto(site.address("tagged"))
    plain = np.array(answer(page, {**PHOTO, "buffer": jpeg()})["logits"])[:5]
    there = changed(page, lambda: page.locator("#examples button").first.click())
    expect(page.locator("#place")).to_contain_text("48.5° N, 16.5° E, as the photo says")
    np.testing.assert_allclose(there - plain, shift(48.5, 16.5, np.nan), atol=1e-4)


def test_the_device_is_asked_only_when_somebody_wants_it(context: BrowserContext, page: Page) -> None:
    plain = np.array(answer(page, {**PHOTO, "buffer": jpeg()})["logits"])[:5]
    page.locator("#here").click()
    expect(page.locator("#place")).to_contain_text("does not say where it is")
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"latitude": -10.5, "longitude": 120.5})
    here = changed(page, lambda: page.locator("#here").click())
    np.testing.assert_allclose(here - plain, shift(-10.5, 120.5, np.nan), atol=1e-4)
    expect(page.locator("#place")).to_contain_text("10.5° S, 120.5° E, where this device is")


def test_what_is_rare_there_and_then_is_said(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    logits = predict_onnxruntime(paths["out"] / "student.onnx", inputs_of(photo_file("plain.png")))[0]
    best = int(logits[1:5].argmax()) + 1
    seasons = [(place, 5 if place == best else 11) for place in range(1, 5)]
    # Too weak to change an answer.
    prior = replace(
        PRIOR,
        classes=np.array([place for place, _ in seasons]),
        month=np.array([month for _, month in seasons]),
        cell=np.zeros(4, np.int64),
        counts=np.full(4, 50),
        strength=0.001,
    )
    changes = {"calibration.json": {"temperatures": {"species": 0.05}, **asking(0.0)}}
    bundle = export_anew(
        paths["bundle"], tmp_path / "seasons", changes, lambda folder: write_prior(prior, "species", folder)
    )
    site.publish(bundle, "seasons")
    page = context.new_page()
    page.goto(site.address("seasons"))
    assert answer(page, photo_file("plain.png"))["best"]["name"] == TAXONOMY.classes["species"][best]
    expect(page.locator("#seen")).to_have_text("")
    for month, said in (("May", "Often photographed in May."), ("November", "Rarely photographed in November.")):
        changed(page, lambda month=month: page.locator("#month").select_option(month))
        expect(page.locator("#seen")).to_have_text(said)


def test_a_guide_that_knows_no_places_does_not_ask(
    context: BrowserContext, site: Site, paths: dict[str, Path], tmp_path: Path
) -> None:
    def forget_places(folder: Path) -> None:
        for file in folder.glob("prior.*"):
            file.unlink()

    bundle = export_anew(paths["bundle"], tmp_path / "placeless", {}, forget_places)
    site.publish(bundle, "placeless")
    page = context.new_page()
    page.goto(site.address("placeless"))
    answer(page, {**PHOTO, "buffer": jpeg(HERE)})
    expect(page.locator("#occasion")).to_be_hidden()
