"""The live camera: Chromium's own test picture stands for what it sees."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PATIENCE

pytestmark = pytest.mark.slow


def test_what_the_camera_sees_is_named_and_a_picture_of_it_is_answered(page: Page) -> None:
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Name what the camera sees").click()
    expect(page.locator("#camera-says")).to_have_text("Looking…")
    expect(page.locator("#camera-says")).not_to_have_text("Looking…", timeout=PATIENCE)
    expect(page.locator("#verdict")).to_be_hidden()
    page.get_by_role("button", name="Take this picture").click()
    expect(page.locator("body[data-state=answered]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#photo")).to_be_visible()
    assert page.evaluate("document.getElementById('camera-view').srcObject") is None


def test_a_camera_that_is_not_allowed_is_said_and_a_photo_still_answered(page: Page) -> None:
    refuse = "() => Promise.reject(new DOMException('not allowed', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refuse}; }}")
    page.get_by_role("button", name="Name what the camera sees").click()
    expect(page.locator("#reason")).to_contain_text("The camera cannot be used (not allowed).")
