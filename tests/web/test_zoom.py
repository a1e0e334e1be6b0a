"""Zooming a photo to frame a small part of it: by wheel, by touch, by buttons, on large and on small screens."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.camera import CAMERA_FILES
from tests.web.conftest import GUIDE, WHEN_ANSWERED, answer, photo_file
from tests.web.serving import Site
from tests.web.test_crop import PART, drag, expect_part, frame, name_part, on_stage, part_of
from tests.web.test_page import LOGIT_ERROR, expected_logits

pytestmark = pytest.mark.slow

Finger = list[tuple[float, float]]


def touch(page: Page, *fingers: Finger) -> None:
    """Fingers that go down one after the other, along their points of what is seen, and up."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, points: list[tuple[float, float]]) -> None:
        touched = [dict(zip("xy", on_stage(page, *point), strict=True), id=i) for i, point in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    for number in range(len(fingers)):
        send("touchStart", [finger[0] for finger in fingers[: number + 1]])
    for points in list(zip(*fingers, strict=True))[1:]:
        send("touchMove", list(points))
    send("touchEnd", [])


def test_the_wheel_zooms_and_the_mouse_shifts_what_fills_the_view(page: Page) -> None:
    answer(page, photo_file("plain.png"))
    frame(page)
    page.mouse.move(*on_stage(page, 0.75, 0.5))
    for _ in range(4):
        page.mouse.wheel(0, -100)
    page.wait_for_function(f"() => ({PART})()[0] > 0.4")
    side = 1 / 1.25**4
    left, top = 0.75 * (1 - side), 0.5 * (1 - side)
    expect_part(page, left, top, left + side, top + side)
    drag(page, on_stage(page, 0.7, 0.5), on_stage(page, 0.5, 0.4))
    left, top = left + 0.2 * side, top + 0.1 * side
    expect_part(page, left, top, left + side, top + side)
    # A frame that does not fill it is moved itself, and stays where it is when the photo is zoomed.
    corner = page.locator("[data-corner='top left']").bounding_box()
    assert corner
    grip = (corner["x"] + corner["width"] - 8, corner["y"] + corner["height"] - 8)
    drag(page, grip, (grip[0] + 0.5 * (grip[0] - corner["x"]) + 80, grip[1] + 40))
    part = page.evaluate(PART)
    assert (part[0] > left + 0.02, part[1] > top + 0.02) == (True, True)
    drag(page, on_stage(page, 0.8, 0.8), on_stage(page, 0.7, 0.7))
    moved = [place - 0.1 * side for place in part]
    expect_part(page, *moved)
    for _ in range(9):
        page.mouse.wheel(0, 100)
    page.wait_for_function("() => document.getElementById('crop-stage').style.getPropertyValue('--zoom') === '1'")
    expect_part(page, *moved)


SCREENS = {"a phone": (390, 844), "a small phone": (360, 640), "200 % zoom": (320, 400)}


@pytest.fixture(params=SCREENS)
def phone(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """The guide on a screen that is touched."""
    width, height = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    context.add_init_script(WHEN_ANSWERED)
    page = context.new_page()
    page.goto(site.address(GUIDE))
    yield page
    context.close()


def test_fingers_zoom_shift_draw_and_tap(phone: Page, paths: dict[str, Path]) -> None:
    file = photo_file("plain.png")
    answer(phone, file)
    frame(phone)
    # The first finger of a pinch draws nothing.
    touch(phone, [(0.4, 0.5), (0.3, 0.53), (0.2, 0.57)], [(0.6, 0.5), (0.7, 0.53), (0.8, 0.57)])
    expect_part(phone, 1 / 3, 0.31, 2 / 3, 0.31 + 1 / 3)
    touch(phone, [(0.5, 0.5), (0.53, 0.5), (0.56, 0.5)])
    expect_part(phone, 0.94 / 3, 0.31, 1.94 / 3, 0.31 + 1 / 3)
    logits = name_part(phone)["logits"]
    expected = expected_logits(paths, part_of(file, 62, 46, 130, 97))
    assert np.abs(np.array(logits) - expected).max() < LOGIT_ERROR
    # What was framed is in sight with some of the photo about it; a finger draws another, and pulls its corner.
    frame(phone)
    side = 1.6 / 3
    left, top = (0.94 + 1.94) / 6 - side / 2, 0.31 + 1 / 6 - side / 2
    touch(phone, [(0.1, 0.1), (0.3, 0.3), (0.6, 0.5)])
    expect_part(phone, left + 0.1 * side, top + 0.1 * side, left + 0.6 * side, top + 0.5 * side)
    phone.touchscreen.tap(*on_stage(phone, 0.5, 0.7))
    expect_part(phone, left + 0.25 * side, top + 0.5 * side, left + 0.75 * side, top + 0.9 * side)


def test_buttons_zoom_and_a_tap_chooses_the_place(phone: Page) -> None:
    answer(phone, photo_file("plain.png"))
    frame(phone)
    nearer, farther = (phone.get_by_role("button", name=name, exact=True) for name in ("Zoom in", "Zoom out"))
    for _ in range(7):
        nearer.click()
    farther.click()
    side = 1 / 1.25**6
    phone.touchscreen.tap(*on_stage(phone, 0.9, 0.5))
    left = 0.5 + 0.4 * side - side / 2
    expect_part(phone, left, 0.5 - side / 2, left + side, 0.5 + side / 2)
    for button in (nearer, farther, *(phone.get_by_role("button", name=name) for name in ("Name this part", "Cancel"))):
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport(ratio=1)
    phone.get_by_role("button", name="The whole photo").click()
    expect_part(phone, 0, 0, 1, 1)


def test_a_small_flower_of_twelve_megapixels_is_framed(page: Page, paths: dict[str, Path]) -> None:
    file = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": CAMERA_FILES["twelve-megapixels.jpg"]()}
    answer(page, file)
    frame(page)
    expect(page.locator("#crop-photo")).to_have_js_property("naturalWidth", 4000)
    page.mouse.move(*on_stage(page, 0.7, 0.3))
    for _ in range(14):
        page.mouse.wheel(0, -100)
    page.wait_for_function(f"() => (({PART})()[2] - ({PART})()[0]) < 0.05")
    left, top, right, bottom = page.evaluate(PART)
    assert (right - left) * 4000 == pytest.approx(4000 / 1.25**14, rel=0.02)
    logits = name_part(page)["logits"]
    sides = math.floor(4000 * left), math.floor(3000 * top), math.ceil(4000 * right), math.ceil(3000 * bottom)
    expected = expected_logits(paths, part_of(file, *sides))
    assert np.abs(np.array(logits) - expected).max() < LOGIT_ERROR
