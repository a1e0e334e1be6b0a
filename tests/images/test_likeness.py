"""One picture is told from two by what each has of its own, however they were cut, marked or lit."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.images.likeness import SIDE, align, compare, look
from tests.images.pictures import blotches, encode
from tests.images.specimens import COPIES, SPECIMENS, draw_specimens


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(look(image).resize((SIDE, SIDE)), np.float32)


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_the_same_both_ways(copy: str) -> None:
    image = blotches(7, 480, 360).point(lambda level: 40 + level * 0.6)
    looks = look(image), look(COPIES[copy](image))
    assert compare(*looks).is_same
    assert compare(*reversed(looks)).is_same


@pytest.mark.parametrize("kind", SPECIMENS)
def test_strangers_are_not(kind: str) -> None:
    looks = [look(image) for image in draw_specimens(kind, 4)]
    assert not any(compare(one, other).is_same for place, one in enumerate(looks) for other in looks[:place])


def test_a_cut_is_found() -> None:
    image = blotches(3, 400, 400)
    pose = align(levels(image), levels(image.crop((20, 40, 380, 400))))
    # 360 of 400 px are left; their middle lies 0 px right and 20 px below, so the whole is larger and begins earlier.
    assert pose == pytest.approx([400 / 360 - 1, -20 / 360, 400 / 360 - 1, 0], abs=0.004)


@pytest.mark.parametrize(
    "other", [Image.new("RGB", (300, 200), "white"), Image.new("RGB", (64, 64), "gray"), blotches(4)]
)
def test_a_plain_picture_is_like_none(other: Image.Image) -> None:
    assert not compare(look(Image.new("RGB", (64, 64), "gray")), look(other)).is_same


def test_a_look_is_small_and_keeps_no_more_detail_than_there_is() -> None:
    assert look(blotches(1, 900, 120)).size == (SIDE, 120)


@pytest.mark.parametrize("seed", range(4))
def test_a_hardly_legible_thumbnail_of_a_small_photo_is_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    leaves = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((160, 120))
    image = Image.blend(blotches(seed, 160, 120), leaves, 0.5)
    saved = [encode(image, quality=60), encode(image.resize((120, 90)), quality=12)]
    assert compare(*(look(Image.open(io.BytesIO(content)).convert("RGB")) for content in saved)).is_same


def test_what_strangers_differ_in_is_not_put_down_to_how_they_were_saved() -> None:
    looks = [look(blotches(seed, 160, 120)) for seed in (1, 2)]
    assert not compare(*looks).is_same
