"""A part of a photo: web/box.js by itself, and on the page the answer that the pipeline gives for that part."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from fieldguide.export.node import WEB, run_node
from tests.web.conftest import PATIENCE, answer, photo_file
from tests.web.test_page import LOGIT_ERROR, expected_logits

MIDDLE = {"left": 0.25, "top": 0.25, "right": 0.75, "bottom": 0.75}
BOXES: list[tuple[str, tuple[Any, ...], tuple[float, ...] | None]] = [
    ("move", (MIDDLE, 0.1, -0.1), (0.35, 0.15, 0.85, 0.65)),
    ("move", (MIDDLE, 3, -3), (0.5, 0, 1, 0.5)),
    ("pull", (MIDDLE, {"x": "left", "y": "top"}, 0.1, 0.2), (0.1, 0.2, 0.75, 0.75)),
    ("pull", (MIDDLE, {"x": "left", "y": "top"}, 0.9, -1), (0.73, 0, 0.75, 0.75)),
    ("pull", (MIDDLE, {"x": "right", "y": "bottom"}, 0, 2), (0.25, 0.25, 0.27, 1)),
    ("scale", (MIDDLE, 0.5), (0.375, 0.375, 0.625, 0.625)),
    ("scale", (MIDDLE, 9), (0, 0, 1, 1)),
    ("scale", (MIDDLE, 0.5, 0.25, 0.75), (0.25, 0.5, 0.5, 0.75)),
    ("scale", (MIDDLE, 0.001), (0.49, 0.49, 0.51, 0.51)),
    ("between", (0.9, 0.1, 0.2, 1.5), (0.2, 0.1, 0.9, 1)),
    ("between", (0.5, 0.5, 0.51, 0.9), None),
]


def test_hands_move_a_box_within_the_photo(tmp_path: Path) -> None:
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import * as box from {json.dumps((WEB / 'box.js').as_uri())};\n"
        f"const jobs = {json.dumps([(name, given) for name, given, _ in BOXES])};\n"
        "console.log(JSON.stringify(jobs.map(([name, given]) => box[name](...given))));\n"
    )
    for (name, given, expected), got in zip(BOXES, json.loads(run_node(script)), strict=True):
        if expected is None:
            assert got is None, (name, given)
        else:
            assert [got[side] for side in MIDDLE] == pytest.approx(expected), (name, given)


def part_of(file: dict[str, Any], left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    stream = io.BytesIO()
    Image.open(io.BytesIO(file["buffer"])).crop((left, top, right, bottom)).save(stream, "PNG")
    return file | {"buffer": stream.getvalue()}


def frame(page: Page) -> Locator:
    page.get_by_role("button", name="Choose the part that shows it").click()
    return page.get_by_role("group", name="The part")


def name_part(page: Page) -> dict[str, Any]:
    page.evaluate("window.answered = null")
    page.get_by_role("button", name="Name this part").click()
    page.wait_for_function("() => window.answered", timeout=PATIENCE)
    answered: dict[str, Any] = page.evaluate("window.answered")
    return answered


PART = """() => {
  const [photo, frame] = ['crop-photo', 'crop-frame'].map((id) => document.getElementById(id).getBoundingClientRect());
  const [x, y] = [(at) => (at - photo.left) / photo.width, (at) => (at - photo.top) / photo.height];
  return [x(frame.left), y(frame.top), x(frame.right), y(frame.bottom)];
}"""
"""What is framed, as somebody sees it: left, top, right and bottom in fractions of the photo."""
SEEN = """() => {
  const box = (id) => document.getElementById(id).getBoundingClientRect();
  const [frame, stage] = [box('crop-frame'), box('crop-stage')];
  const beyond = [stage.left - frame.left, stage.top - frame.top];
  return Math.max(...beyond, frame.right - stage.right, frame.bottom - stage.bottom) <= 1;
}"""


def expect_part(page: Page, *expected: float) -> None:
    """The part that is framed, to a pixel and a half of the screen, and that all of its frame is in sight."""
    image = page.locator("#crop-photo").bounding_box()
    assert image
    assert page.evaluate(PART) == pytest.approx(list(expected), abs=1.5 / min(image["width"], image["height"]))
    assert page.evaluate(SEEN)


def on_stage(page: Page, across: float, down: float) -> tuple[float, float]:
    """A point of the screen, from fractions of what is seen of the photo."""
    page.locator("#crop-stage").scroll_into_view_if_needed()
    stage = page.locator("#crop-stage").bounding_box()
    assert stage
    return stage["x"] + across * stage["width"], stage["y"] + down * stage["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=3)
    page.mouse.up()


@pytest.mark.slow
def test_a_part_is_answered_as_the_pipeline_answers_it(page: Page, paths: dict[str, Path]) -> None:
    file = photo_file("plain.png")
    whole = answer(page, file)["logits"]
    framed = frame(page)
    expect(framed).to_be_focused()
    for key in ["+"] * 3 + ["Shift+ArrowLeft"] * 5 + ["ArrowUp"] * 2:  # arrows: 2 % of what is seen, 0.512 of the photo
        framed.press(key)
    expect_part(page, 0.244, 0.22352, 0.7048, 0.73552)
    logits = name_part(page)["logits"]
    expected = expected_logits(paths, part_of(file, 48, 33, 141, 111))
    assert np.abs(np.array(logits) - expected).max() < LOGIT_ERROR
    assert np.abs(np.array(logits) - whole).max() > LOGIT_ERROR
    # The whole photo is still there to choose from.
    frame(page)
    page.get_by_role("button", name="The whole photo").click()
    assert name_part(page)["logits"] == pytest.approx(whole)


@pytest.mark.slow
def test_the_part_where_the_model_looked_is_proposed(page: Page) -> None:
    answer(page, photo_file("plain.png"))
    frame(page)
    page.get_by_role("button", name="Where it looked").click()
    page.wait_for_function(
        f"() => Math.min(...({PART})().slice(2)) < 0.99 || Math.max(...({PART})().slice(0, 2)) > 0.01"
    )
    left, top, right, bottom = page.evaluate(PART)
    assert -0.01 < left < right < 1.01
    assert -0.01 < top < bottom < 1.01
    assert page.evaluate(SEEN)
    name_part(page)
    frame(page)
    expect(page.get_by_role("button", name="Where it looked")).to_be_hidden()


@pytest.mark.slow
def test_a_mouse_draws_a_frame_and_one_that_is_cancelled_changes_nothing(page: Page, paths: dict[str, Path]) -> None:
    file = photo_file("plain.png")
    answer(page, file)
    frame(page)
    corner = page.locator("[data-corner='bottom right']").bounding_box()
    assert corner
    grip = (corner["x"] + 8, corner["y"] + 8)
    drag(page, grip, on_stage(page, 0.5, 0.5))
    assert max(page.evaluate(PART)[2:]) < 0.6
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("body[data-state=answered]")).to_be_visible()
    frame(page)
    expect_part(page, 0, 0, 1, 1)
    drag(page, on_stage(page, 4.5 / 200, 75.5 / 150), on_stage(page, 98.5 / 200, 146.5 / 150))
    logits = name_part(page)["logits"]
    expected = expected_logits(paths, part_of(file, 4, 75, 99, 147))
    assert np.abs(np.array(logits) - expected).max() < LOGIT_ERROR
