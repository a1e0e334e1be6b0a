"""The map of the world: web/map.js by itself, and on the page a place chosen by mouse and by keyboard."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from fieldguide.export.node import WEB, run_node
from tests.web.conftest import answer, photo_file
from tests.web.test_occasion import changed, shift

WORLD = {"latitude": 0, "longitude": 0, "zoom": 0}
VIEWS: list[tuple[str, list[Any], tuple[float, float, int]]] = [
    ("pan", [WORLD, 0.25, -0.25], (45, 90, 0)),
    ("pan", [WORLD, 0.75, 3], (-90, -90, 0)),
    ("pan", [WORLD | {"zoom": 3}, 0.25, 0.25], (-5.625, 11.25, 3)),
    ("magnify", [WORLD, 2], (0, 0, 2)),
    ("magnify", [WORLD, 9], (0, 0, 4)),
    ("magnify", [WORLD, 1, 0.25, -0.25], (22.5, 45, 1)),
]


def test_the_map_moves_and_the_world_is_round(tmp_path: Path) -> None:
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import * as map from {json.dumps((WEB / 'map.js').as_uri())};\n"
        f"const jobs = {json.dumps([(name, given) for name, given, _ in VIEWS])};\n"
        "console.log(JSON.stringify(jobs.map(([name, given]) => map[name](...given))));\n"
    )
    for (name, given, expected), got in zip(VIEWS, json.loads(run_node(script)), strict=True):
        assert [got["latitude"], got["longitude"], got["zoom"]] == pytest.approx(expected), (name, given)


@pytest.mark.slow
def test_a_place_is_chosen_on_the_map(page: Page) -> None:
    plain = np.array(answer(page, photo_file("plain.png"))["logits"])[:5]
    page.locator("#on-map").click()
    pane = page.get_by_role("application", name="Map of the world")
    expect(pane).to_be_focused()
    expect(page.locator("#map-place")).to_have_text("20° N, 0° E")
    box = pane.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator("#map-place")).to_have_text(re.compile(r"20° N, (89|90)(\.\d)?° E"))
    for key in (
        "+",
        "+",
        "ArrowDown",
        "ArrowLeft",
        "ArrowLeft",
    ):  # an arrow: 15 degrees by 7.5 over the fourth of a world
        pane.press(key)
    text = page.locator("#map-place").inner_text()
    latitude, longitude = (float(number) for number in re.findall(r"[\d.]+", text))
    assert latitude == pytest.approx(20 - 180 / 4 / 12, abs=0.06)
    assert longitude == pytest.approx(90 - 2 * 360 / 4 / 12, abs=1.0)
    chosen = changed(page, lambda: page.get_by_role("button", name="It was here").click())
    np.testing.assert_allclose(chosen - plain, shift(latitude, longitude, np.nan), atol=0.05)
    expect(page.locator("#place")).to_contain_text(f"{text}, as you chose")
    page.locator("#on-map").click()
    expect(page.locator("#map-place")).to_have_text(text)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#place")).to_contain_text(f"{text}, as you chose")
