"""Attention on padding in numbers and in a picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide.drawing import save_figure
from fieldguide.evaluate.attention import draw_attention, score_attention
from fieldguide.learn.attention import PaddingLooks


def looks_at(num: int) -> PaddingLooks:
    """The upper row of two is padding; unmasked it gets 0.3 of the attention, of every second photo 0.5."""
    padding = np.array([[True, True], [False, False]])
    upper = np.where(np.arange(num) % 2, 0.25, 0.15)[:, None, None]
    unmasked = np.where(padding, upper, 0.5 - upper)
    masked = np.broadcast_to(np.where(padding, 0, 0.5), (num, 2, 2))
    images = np.random.default_rng(0).integers(0, 256, (num, 32, 32, 3), np.uint8)
    maps = (each.astype(np.float32) for each in (unmasked, masked))
    return PaddingLooks(images, np.broadcast_to(padding, (num, 2, 2)), *maps)


def test_counts_shares_of_photos_alike() -> None:
    scores = score_attention(looks_at(4))
    expected = {"num_photos": 4, "padding": 0.5, "on_padding_unmasked": 0.4, "on_padding_masked": 0.0}
    assert scores == pytest.approx(expected)


@pytest.mark.parametrize("num", [1, 3, 20])
def test_draws_some_photos_and_the_same_bytes_again(num: int, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_figure(draw_attention(looks_at(num), "teacher-$a"), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > picture.height / 2
