"""Several photos of the same subject on the page: one answer, and each can be taken away again."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PATIENCE, answer, photo_file

pytestmark = pytest.mark.slow

PHOTOS = [photo_file("a.png", size) for size in ((200, 150), (90, 160), (160, 160))]


def fuse(*logits: list[float]) -> np.ndarray:
    """As calibration.json asks for."""
    fused: np.ndarray = np.mean(logits, axis=0) * len(logits) ** 0.25
    return fused


def add(page: Page, *files: dict[str, Any]) -> dict[str, Any]:
    """Give the page more photos of what it shows, and wait for what it concludes."""
    page.evaluate("window.answered = null")
    page.locator("#more").set_input_files(list(files))
    page.wait_for_function("() => window.answered", timeout=PATIENCE)
    answered: dict[str, Any] = page.evaluate("window.answered")
    return answered


def take_away(page: Page, number: int) -> dict[str, Any]:
    """Take a photo away, and wait for what the page concludes of the others."""
    page.evaluate("window.answered = null")
    page.get_by_role("button", name=f"Take photo {number} away").click()
    page.wait_for_function("() => window.answered", timeout=PATIENCE)
    answered: dict[str, Any] = page.evaluate("window.answered")
    return answered


def test_photos_are_answered_together_and_one_by_one_again(page: Page) -> None:
    alone = [answer(page, file)["logits"] for file in PHOTOS]
    expect(page.locator("#several")).to_be_hidden()
    answer(page, PHOTOS[0])
    together = add(page, *PHOTOS[1:])
    np.testing.assert_allclose(together["logits"], fuse(*alone), atol=1e-5)
    expect(page.locator("#several li")).to_have_count(3)
    fewer = take_away(page, 2)
    np.testing.assert_allclose(fewer["logits"], fuse(alone[0], alone[2]), atol=1e-5)
    np.testing.assert_allclose(take_away(page, 1)["logits"], alone[2], atol=1e-5)
    expect(page.locator("#several")).to_be_hidden()
    # Another subject begins anew.
    np.testing.assert_allclose(answer(page, PHOTOS[1])["logits"], alone[1], atol=1e-5)


def test_a_photo_that_is_none_can_be_taken_away(page: Page) -> None:
    answer(page, PHOTOS[0])
    page.locator("#more").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"<html>"})
    expect(page.locator("body[data-state=failed]")).to_be_visible(timeout=PATIENCE)
    take_away(page, 2)
    expect(page.locator("body[data-state=answered]")).to_be_visible()
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#photo")).to_be_visible()


def test_photos_dropped_together_are_of_one_subject(page: Page) -> None:
    drop = "(files) => { const data = new DataTransfer();"
    drop += " for (const bytes of files) data.items.add(new File([new Uint8Array(bytes)], 'dropped.png'));"
    drop += " document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true })); }"
    expect(page.locator("body[data-state=ready]")).to_be_visible(timeout=PATIENCE)
    page.evaluate(drop, [list(file["buffer"]) for file in PHOTOS[:2]])
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#several li")).to_have_count(2)
