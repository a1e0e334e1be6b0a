"""web/heat.js and web/model.js against fieldguide.explain: one map of one photo, and the box that it suggests."""

import json
import shutil
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fieldguide
from fieldguide.engine import run_isolated
from fieldguide.export.node import WEB, build_script, run_node
from fieldguide.export.tfjs import write_graph_model
from fieldguide.images.geometry import Layout, Method
from fieldguide.inference.heat import lay_on_photo
from tests.records.making import TAXONOMY
from tests.web.test_preprocess import noise

SIZES = [(1, 1), (60, 40), (40, 60), (31, 90), (32, 32), (5, 3)]
LAYOUTS = [Layout(32, Method.PAD), Layout(32, Method.CROP), Layout(32, Method.SQUASH), Layout(32, Method.PAD, False)]


def ask_javascript(tmp_path: Path, jobs: list[dict[str, Any]]) -> list[Any]:
    """What run_heat.mjs answers to `jobs`, in their order."""
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    run_node(WEB / "../tests/web/run_heat.mjs", str(tmp_path / "jobs.json"), str(tmp_path / "answers.json"))
    answers: list[Any] = json.loads((tmp_path / "answers.json").read_text())
    return answers


def as_map(values: np.ndarray) -> dict[str, Any]:
    height, width = values.shape
    return {"data": values.ravel().tolist(), "width": width, "height": height}


def settings_of(layout: Layout) -> dict[str, Any]:
    known = asdict(layout)
    renamed = {"record_size": known.pop("size"), "pad_fill": known.pop("fill"), "pad_color": known.pop("color")}
    return known | renamed


def test_a_map_lies_on_the_photo_as_in_python(tmp_path: Path) -> None:
    found = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    cases = list(product(SIZES, LAYOUTS))
    jobs = [
        {
            "what": "lay",
            "map": as_map(found),
            "photo": {"width": size[0], "height": size[1]},
            "settings": settings_of(to),
        }
        for size, to in cases
    ]
    for (size, layout), answer in zip(cases, ask_javascript(tmp_path, jobs), strict=True):
        expected = lay_on_photo(found, *size, layout)
        assert (answer["width"], answer["height"]) == size
        assert np.abs(np.array(answer["data"]) - expected.ravel()).max() < 1e-6, (size, layout)


def test_a_smaller_drawing_shows_the_same(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    job = {"what": "lay", "map": as_map(ramp), "photo": {"width": 800, "height": 400}, "longest": 80}
    (answer,) = ask_javascript(tmp_path, [job | {"settings": settings_of(Layout(32, Method.PAD))}])
    assert (answer["width"], answer["height"]) == (80, 40)
    whole = lay_on_photo(ramp, 800, 400, Layout(32, Method.PAD))
    assert np.abs(np.array(answer["data"]).reshape(40, 80) - whole.reshape(40, 10, 80, 10).mean((1, 3))).max() < 0.02


def smallest_box(values: np.ndarray, mass: float) -> tuple[int, float]:
    """Area of the smallest box that holds `mass` of what is positive, and what it holds, by trying all."""
    positive = np.maximum(values, 0).astype(float)
    height, width = values.shape
    boxes = [
        ((bottom - top) * (right - left), -positive[top:bottom, left:right].sum())
        for top, left in product(range(height), range(width))
        for bottom, right in product(range(top + 1, height + 1), range(left + 1, width + 1))
        if positive[top:bottom, left:right].sum() >= mass * positive.sum() * (1 - 1e-9)
    ]
    area, held = min(boxes)
    return area, -held


def test_the_suggested_box_is_the_smallest_that_holds_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    shapes = [(1, 1), (1, 7), (6, 1), (5, 8), (7, 7)]
    cases = [(rng.normal(0.2, 1, shape).astype(np.float32), mass) for shape in shapes for mass in (0.3, 0.8, 1.0)]
    cases = [case for case in cases if (case[0] > 0).any()]
    jobs = [{"what": "box", "map": as_map(values), "mass": mass} for values, mass in cases]
    for (values, mass), box in zip(cases, ask_javascript(tmp_path, jobs), strict=True):
        height, width = values.shape
        top, bottom = (round(box[side] * height) for side in ("top", "bottom"))
        left, right = (round(box[side] * width) for side in ("left", "right"))
        area, held = smallest_box(values, mass)
        assert (bottom - top) * (right - left) == area
        assert np.maximum(values[top:bottom, left:right], 0).sum() == pytest.approx(held, rel=1e-6)


def test_a_box_of_one_bright_spot_and_of_nothing(tmp_path: Path) -> None:
    spot = np.full((4, 8), -1, np.float32)
    spot[1:3, 2:6] = 1
    jobs = [{"what": "box", "map": as_map(each)} for each in (spot, -np.ones((3, 3), np.float32))]
    found, nothing = ask_javascript(tmp_path, jobs)
    assert found == {"left": 0.25, "top": 0.25, "right": 0.75, "bottom": 0.75}
    assert nothing is None


def test_outputs_are_counted_over_the_ranks(tmp_path: Path) -> None:
    labels = {"ranks": TAXONOMY.ranks, "classes": TAXONOMY.classes}
    taxa = [(rank, name) for rank in TAXONOMY.ranks for name in TAXONOMY.classes[rank]]
    jobs = [{"what": "output", "taxon": {"rank": rank, "name": name}, "labels": labels} for rank, name in taxa]
    assert ask_javascript(tmp_path, jobs) == list(range(len(taxa)))


def test_the_drawing_is_brighter_where_more_spoke_for_it(tmp_path: Path) -> None:
    values = np.linspace(-1, 2, 40, dtype=np.float32)[None]
    jobs = [{"what": "paint", "map": as_map(each)} for each in (values, np.zeros((1, 3), np.float32))]
    painted, dark = (np.array(answer).reshape(-1, 4) for answer in ask_javascript(tmp_path, jobs))
    light = painted[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) >= -0.5).all()
    assert light[-1] - light[0] > 150
    assert (painted[:14] == painted[0]).all()
    assert (dark == dark[0]).all()


@pytest.mark.slow
def test_the_page_looks_where_python_looks(paths: dict[str, Path], tmp_path: Path) -> None:
    bundle = shutil.copytree(paths["bundle"], tmp_path / "bundle")
    run_isolated(write_graph_model, paths["out"] / "saved_model", bundle, "none")
    pixels = noise(60, 40)
    names = [name for rank in TAXONOMY.ranks for name in TAXONOMY.classes[rank]]
    asked = [number for number, name in enumerate(names) if name != "other"]
    photo = {"data": pixels.ravel().tolist(), "width": 60, "height": 40}
    (tmp_path / "job.json").write_text(json.dumps({"photo": photo, "outputs": asked}))
    build_script("../tests/web/run_map.mjs", tmp_path / "run_map.cjs", None)
    run_node(tmp_path / "run_map.cjs", str(bundle), str(tmp_path / "job.json"), str(tmp_path / "answer.json"))
    answer = json.loads((tmp_path / "answer.json").read_text())
    guide = fieldguide.load(paths["out"])
    for number, found in zip(asked, answer["maps"], strict=True):
        assert sum(found["onSquare"]) + found["bias"] == pytest.approx(answer["logits"][number], abs=1e-3)
        expected = guide.explain(Image.fromarray(pixels), names[number])
        assert expected.shape == (40, 60)
        assert np.abs(np.array(found["onPhoto"]) - expected.ravel()).max() < 1e-3 * np.abs(expected).max()
