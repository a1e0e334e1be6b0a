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
    ("pull", (MIDDLE, {"x": "left", "y": "top"}, 0.9, -1), (0.7, 0, 0.75, 0.75)),
    ("pull", (MIDDLE, {"x": "right", "y": "bottom"}, 0, 2), (0.25, 0.25, 0.3, 1)),
    ("scale", (MIDDLE, 0.5), (0.375, 0.375, 0.625, 0.625)),
    ("scale", (MIDDLE, 9), (0, 0, 1, 1)),
    ("scale", (MIDDLE, 0.5, 0.25, 0.75), (0.25, 0.5, 0.5, 0.75)),
    ("scale", (MIDDLE, 0.001), (0.475, 0.475, 0.525, 0.525)),
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


@pytest.mark.slow
def test_a_part_is_answered_as_the_pipeline_answers_it(page: Page, paths: dict[str, Path]) -> None:
    file = photo_file("plain.png")
    whole = answer(page, file)["logits"]
    framed = frame(page)
    expect(framed).to_be_focused()
    for _ in range(7):  # 1 / 1.1 ** 7 of 200 x 150 px about their middle, then to the left edge and 6 px down
        framed.press("-")
    for _ in range(20):
        framed.press("ArrowLeft")
    framed.press("ArrowDown")
    framed.press("ArrowDown")
    logits = name_part(page)["logits"]
    across, down = 200 / 1.1**7, 150 / 1.1**7
    top = (150 - down) / 2 + 6
    expected = expected_logits(paths, part_of(file, 0, int(top), int(across) + 1, int(top + down) + 1))
    assert np.abs(np.array(logits) - expected).max() < LOGIT_ERROR
    assert np.abs(np.array(logits) - whole).max() > LOGIT_ERROR
    # The whole photo is still there to choose from.
    frame(page)
    page.get_by_role("button", name="The whole photo").click()
    assert name_part(page)["logits"] == pytest.approx(whole)


@pytest.mark.slow
def test_the_part_where_the_model_looked_is_proposed(page: Page) -> None:
    answer(page, photo_file("plain.png"))
    framed = frame(page)
    page.get_by_role("button", name="Where it looked").click()
    sides = "['--left', '--top', '--right', '--bottom'].map((side) => Number(it.style.getPropertyValue(side)))"
    page.wait_for_function(
        f"() => {{ const it = document.getElementById('crop-frame'); return {sides}.join() !== '0,0,1,1'; }}"
    )
    left, top, right, bottom = framed.evaluate(f"(it) => {sides}")
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    name_part(page)
    frame(page)
    expect(page.get_by_role("button", name="Where it looked")).to_be_hidden()


@pytest.mark.slow
def test_a_mouse_draws_a_frame_and_one_that_is_cancelled_changes_nothing(page: Page, paths: dict[str, Path]) -> None:
    file = photo_file("plain.png")
    answer(page, file)
    framed = frame(page)
    framed.press("-")
    stage = page.locator("#crop-stage").bounding_box()
    assert stage

    def at(across: float, down: float) -> tuple[float, float]:
        return stage["x"] + across * stage["width"], stage["y"] + down * stage["height"]

    corner = page.locator("[data-corner='bottom right']").bounding_box()
    assert corner
    page.mouse.move(corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
    page.mouse.down()
    page.mouse.move(*at(0.505, 0.505), steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("body[data-state=answered]")).to_be_visible()
    framed = frame(page)
    framed.press("-")
    page.mouse.move(*at(4.5 / 200, 75.5 / 150))  # outside the frame
    page.mouse.down()
    page.mouse.move(*at(98.5 / 200, 146.5 / 150), steps=3)
    page.mouse.up()
    logits = name_part(page)["logits"]
    expected = expected_logits(paths, part_of(file, 4, 75, 99, 147))
    assert np.abs(np.array(logits) - expected).max() < LOGIT_ERROR
