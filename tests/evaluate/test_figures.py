"""Figures are drawn for a dozen and for thousands of classes, the same bytes each time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy.sparse import coo_array, csr_array

from fieldguide.drawing import save_figure
from fieldguide.evaluate.figures import draw_accuracy_by_count, draw_confusion, draw_reliability
from fieldguide.evaluate.metrics import measure_reliability


def make_confusion(num_classes: int) -> tuple[csr_array, list[str], list[str]]:
    random = np.random.default_rng(0)
    labels = random.integers(0, num_classes, 5 * num_classes)
    predicted = np.where(random.random(len(labels)) < 0.7, labels, random.integers(0, num_classes, len(labels)))
    shape = (num_classes, num_classes)
    counts = coo_array((np.ones(len(labels), np.int64), (labels, predicted)), shape=shape).tocsr()
    names = [f"Genus species{number}" for number in range(num_classes)]
    return counts, names, [f"Family{number // 7}" for number in range(num_classes)]


def confusion(num_classes: int) -> Figure:
    return draw_confusion(*make_confusion(num_classes), "student")


def oddly_named(num_classes: int) -> Figure:
    """Names that matplotlib would take for formulas, a broken one among them, and letters that its font lacks."""
    odd = [r"$\frac{$ alpinus", "a$b$c", "雛菊", "Aster_alpinus^2", r"\alpha%"]
    counts, names, blocks = make_confusion(num_classes)
    return draw_confusion(
        counts, [odd[i % 5] + name for i, name in enumerate(names)], [*odd, *blocks][:num_classes], "$"
    )


def reliability(num_photos: int) -> Figure:
    probabilities = np.random.default_rng(0).dirichlet([0.3] * 4, num_photos)
    measured = measure_reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == 0, 15)
    return draw_reliability(measured, measured, 1.5, "student")


def accuracy(num_classes: int) -> Figure:
    random = np.random.default_rng(0)
    names = make_confusion(num_classes)[1]
    return draw_accuracy_by_count(
        random.integers(0, 900, num_classes), random.random(num_classes), names, (50, 200), "x"
    )


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        (oddly_named, 12),
        (oddly_named, 60),
        (confusion, 1),
        (confusion, 12),
        (confusion, 41),
        (confusion, 3000),
        (reliability, 1),
        (reliability, 500),
        (accuracy, 1),
        (accuracy, 12),
        (accuracy, 3000),
    ],
)
def test_draws_the_same_readable_picture_each_time(draw: Callable[[int], Figure], size: int, tmp_path: Path):
    for name in ("first.png", "second.png"):
        save_figure(draw(size), tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    with Image.open(tmp_path / "first.png") as image:
        assert min(image.size) >= 350
        assert max(image.size) <= 3000
        assert not {"Software", "Creation Time"} & set(image.info)
        assert len(image.convert("RGB").getcolors(2**24)) > 10
