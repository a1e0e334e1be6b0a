"""A fingerprint tells photos apart, or there is none."""

import polars as pl
import pytest
from PIL import Image

from fieldguide.images.fingerprints import fingerprint, stack_fingerprints
from tests.images.pictures import blotches
from tests.images.specimens import COPIES, draw_specimens


def distance(one: Image.Image, other: Image.Image) -> int:
    ones, others = (fingerprint(image) for image in (one, other))
    assert ones
    assert others
    return (int.from_bytes(ones) ^ int.from_bytes(others)).bit_count()


@pytest.mark.parametrize("copy", ["saved again", "a thumbnail", "in gray"])
def test_a_copy_is_near(copy: str) -> None:
    assert distance(blotches(1), COPIES[copy](blotches(1))) <= 40


def test_a_stranger_is_far() -> None:
    assert distance(blotches(1), blotches(2)) > 80


@pytest.mark.parametrize("image", [Image.new("RGB", (300, 200), "white"), *draw_specimens("small on a sheet", 3)])
def test_a_plain_picture_has_none(image: Image.Image) -> None:
    assert fingerprint(image) is None


def test_stacked_they_keep_their_bits_and_order() -> None:
    prints = [fingerprint(blotches(seed)) for seed in range(3)]
    stacked = stack_fingerprints(pl.Series(prints, dtype=pl.Binary))
    assert [row.tobytes() for row in stacked] == prints
