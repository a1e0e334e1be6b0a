"""web/preprocess.js and web/pillow_resize.js against Pillow and the pipeline, bit for bit."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide.export.inputs import normalise_squares
from fieldguide.export.model_files import Preprocessing
from fieldguide.export.node import WEB, run_node
from fieldguide.images.geometry import UNBOXED, Fill, Layout, Method, place
from fieldguide.images.square import make_square
from fieldguide.learn.description import NetworkSpec
from fieldguide.records.manifest import SquareStyle

SIZES = [  # width, height of the photo; width, height wanted
    (1, 1, 1, 1),
    (1, 1, 7, 5),
    (2, 3, 96, 96),
    (3, 2, 1, 1),
    (7, 200, 13, 11),  # this and the next three: columns first
    (10, 400, 42, 112),
    (112, 112, 113, 111),
    (200, 301, 150, 200),
    (200, 300, 150, 200),  # twice as many rows lost as columns is not yet more than twice
    (96, 96, 96, 96),
    (97, 95, 96, 96),
    (112, 112, 96, 96),
    (112, 64, 64, 112),
    (333, 250, 112, 84),
    (640, 31, 112, 5),
    (1001, 667, 112, 75),
]
BOXES = [  # width, height of the photo; the part, the side wanted
    (50, 40, [3, 4, 33, 34], 16),
    (50, 40, [10, 0, 50, 40], 77),
    (40, 90, [0, 25, 40, 65], 30),
    (33, 21, [6, 0, 27, 21], 21),
    (9, 9, [8, 8, 9, 9], 4),
]

SHAPES = [(1, 1), (320, 240), (240, 320), (113, 112), (400, 3), (3, 400), (99, 100)]


def noise(width: int, height: int) -> np.ndarray:
    """Bytes that overshoot: plain black and white pixels beside noise."""
    rng = np.random.default_rng([width, height])
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.where(rng.random((height, width, 1)) < 0.5, pixels, pixels // 128 * 255).astype(np.uint8)


def ask_javascript(tmp_path: Path, jobs: list[dict[str, object]]) -> list[dict[str, list[float]]]:
    """What run_preprocess.mjs answers to `jobs`, in their order."""
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    run_node(WEB / "../tests/web/run_preprocess.mjs", str(tmp_path / "jobs.json"), str(tmp_path / "answers.json"))
    answers: list[dict[str, list[float]]] = json.loads((tmp_path / "answers.json").read_text())
    return answers


def photo(pixels: np.ndarray) -> dict[str, object]:
    height, width, _ = pixels.shape
    return {"data": pixels.ravel().tolist(), "width": width, "height": height}


def test_whole_photos_resize_as_pillow_resizes_them(tmp_path: Path) -> None:
    photos = [noise(width, height) for width, height, *_ in SIZES]
    pairs = zip(photos, SIZES, strict=True)
    jobs = [{"what": "resize", "photo": photo(each), "size": size[2:]} for each, size in pairs]
    for pixels, size, answer in zip(photos, SIZES, ask_javascript(tmp_path, jobs), strict=True):
        expected = np.asarray(Image.fromarray(pixels).resize(size[2:], Image.Resampling.BICUBIC))
        assert answer["data"] == expected.ravel().tolist(), size


def test_a_part_of_a_photo_sees_its_surroundings_as_pillow_does(tmp_path: Path) -> None:
    photos = [noise(width, height) for width, height, *_ in BOXES]
    jobs = [
        {"what": "resize", "photo": photo(each), "size": [side, side], "box": box}
        for each, (*_, box, side) in zip(photos, BOXES, strict=True)
    ]
    for pixels, (*_, box, side), answer in zip(photos, BOXES, ask_javascript(tmp_path, jobs), strict=True):
        resized = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC, box=tuple(box))
        assert answer["data"] == np.asarray(resized).ravel().tolist(), box


@pytest.mark.parametrize("upscale", [True, False])
@pytest.mark.parametrize(
    ("method", "fill"), [*((each, Fill.COLOR) for each in UNBOXED), *((Method.PAD, fill) for fill in Fill)]
)
def test_squares_are_those_of_the_resize_stage(method: Method, fill: Fill, upscale: bool, tmp_path: Path) -> None:
    layout = Layout(112, method, upscale, fill, (250, 128, 3))
    photos = [noise(width, height) for width, height in SHAPES]
    jobs = [{"what": "square", "photo": photo(each), "layout": asdict(layout)} for each in photos]
    for pixels, shape, answer in zip(photos, SHAPES, ask_javascript(tmp_path, jobs), strict=True):
        square, _ = make_square(Image.fromarray(pixels), layout)
        assert answer["data"] == np.asarray(square).ravel().tolist(), shape


def test_the_bundle_says_what_the_page_needs(tmp_path: Path) -> None:
    style = SquareStyle(
        size=16,
        method=Method.BBOX,
        bbox_fallback=Method.CROP,
        upscale=False,
        pad_fill=Fill.REFLECT,
        pad_color=(1, 2, 3),
        quality=90,
    )
    network = NetworkSpec.model_construct(image_size=16, mean=[0, 0, 0], std=[1 / 255] * 3)
    settings = Preprocessing.of(network, style).model_dump(mode="json")
    pixels = noise(20, 11)
    (answer,) = ask_javascript(tmp_path, [{"what": "photo", "photo": photo(pixels), "settings": settings}])
    square, _ = make_square(Image.fromarray(pixels), Layout(16, Method.CROP, upscale=False, fill=Fill.REFLECT))
    assert np.abs(np.array(answer["data"]) - np.asarray(square).ravel()).max() < 1e-3


def test_placements_agree_for_every_shape(tmp_path: Path) -> None:
    shapes = [(width, height) for width in range(1, 60) for height in range(1, 60)]
    layouts = [Layout(37, method, upscale) for method in UNBOXED for upscale in (True, False)]
    jobs = [{"what": "place", "shapes": shapes, "layout": asdict(layout)} for layout in layouts]
    for layout, answer in zip(layouts, ask_javascript(tmp_path, jobs), strict=True):
        expected = [place(*shape, layout) for shape in shapes]
        assert answer["sources"] == [list(placement.source) for placement in expected]
        assert answer["targets"] == [list(placement.target) for placement in expected]


def test_the_model_input_is_that_of_the_evaluation_to_the_last_bit(tmp_path: Path) -> None:
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    square = noise(112, 112)
    settings = {"image_size": 96, "mean": mean, "std": std}
    (answer,) = ask_javascript(tmp_path, [{"what": "input", "photo": photo(square), "settings": settings}])
    expected = normalise_squares(square[None], 96, mean, std)
    assert np.array_equal(np.array(answer["data"], np.float32), expected.ravel())


def test_transparency_becomes_white(tmp_path: Path) -> None:
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 128]]], np.uint8)
    (answer,) = ask_javascript(tmp_path, [{"what": "white", "photo": photo(rgba)}])
    white = Image.new("RGBA", (3, 1), (255, 255, 255, 255))
    expected = Image.alpha_composite(white, Image.fromarray(rgba)).convert("RGB")
    assert answer["data"] == np.asarray(expected).ravel().tolist()
