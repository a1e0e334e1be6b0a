"""Which photos show a species, and that their files say nothing else."""

import dataclasses
import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.export.centres import PIECE_ROWS, Centres
from fieldguide.export.references import MAX_PHOTOS, SIDE, collect_photos, rank_photos, shrink
from fieldguide.records.features import Record

AROUND = np.float32([[1, 0, 0.1], [1, 0.2, 0], [1, 0, -0.1], [1, -0.2, 0], [1, 0, 0]])


def photograph(size: tuple[int, int] = (400, 300), box: tuple[int, int, int, int] | None = None) -> Record:
    """A record whose JPEG tells where it was taken and by which camera."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 31.0)
    exif.get_ifd(0x8769)[0xA431] = "serial 4711"
    stream = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG", exif=exif, comment=b"by Jane", dpi=(72, 72))
    return Record("id0", stream.getvalue(), {"species": 1}, None, box or (0, 0, *size))


def test_a_reference_is_small_cut_to_the_photo_and_without_words() -> None:
    record = photograph(box=(0, 50, 400, 250))
    assert b"serial 4711" in record.image
    content = shrink(record)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("WEBP", (SIDE, SIDE // 2))
        assert not image.getexif()
        assert set(image.info) <= {"loop", "background", "timestamp", "duration"}
    assert not any(word in content for word in (b"Exif", b"EXIF", b"serial", b"Jane", b"xmp", b"ICCP"))
    with Image.open(io.BytesIO(shrink(photograph((60, 40))))) as image:
        assert image.size == (60, 40)  # never enlarged


def test_first_comes_what_is_nearest_to_the_mean_and_then_what_differs() -> None:
    embeddings = np.concatenate([AROUND, -AROUND])
    labels = np.repeat([1, 2], 5)
    centres = Centres.of(embeddings, labels, 4)
    allowed = np.ones(10, bool)
    nothing, one, two, absent = rank_photos(embeddings, centres, labels, allowed)
    assert nothing == absent == []
    assert (one[0], two[0]) == (4, 9)
    assert len(one) == len(set(one)) == MAX_PHOTOS
    assert one[1] in (1, 3)  # the farthest from the mean
    allowed[[4, 9]] = False
    assert 4 not in rank_photos(embeddings, centres, labels, allowed)[1]


def test_what_lies_nearer_to_another_class_is_never_a_further_photo() -> None:
    """As a photo with a wrong label does."""
    embeddings = np.concatenate([AROUND, -AROUND, AROUND[:1]])
    labels = np.array([1] * 5 + [2] * 5 + [2])
    centres = Centres.of(embeddings, labels, 3)
    allowed = np.ones(11, bool)
    assert 10 not in rank_photos(embeddings, centres, labels, allowed)[2]
    allowed[5:10] = False
    assert rank_photos(embeddings, centres, labels, allowed)[2] == [10]  # there is no better one


def test_centres_are_those_of_a_plain_sum_and_read_in_pieces() -> None:
    random = np.random.default_rng(0)
    embeddings, labels = random.normal(size=(PIECE_ROWS + 7, 4)), random.integers(0, 3, PIECE_ROWS + 7)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    means = np.stack([unit[labels == each].mean(axis=0) for each in range(3)])
    expected = means / np.linalg.norm(means, axis=1, keepdims=True)
    centres = Centres.of(embeddings, labels, 4)
    np.testing.assert_allclose(centres.vectors[:3], expected, atol=1e-4)
    assert not centres.vectors[3].any()
    direction = unit[-1] / np.linalg.norm(unit[-1])
    assert centres.nearness[-1] == pytest.approx(direction @ expected[labels[-1]], abs=1e-4)
    np.testing.assert_allclose(centres.direct(embeddings[-1:])[0], direction, atol=1e-4)


def records(*sizes: tuple[int, int]) -> list[Record]:
    """Noise of these sizes, with ids of their places."""
    return [dataclasses.replace(photograph(size), photo_id=f"id{place}") for place, size in enumerate(sizes)]


def test_each_species_gets_a_photo_before_any_gets_two_until_the_space_is_used_up() -> None:
    train = records(*[(64, 64)] * 6)
    credits = {record.photo_id: ("CC0-1.0", None) for record in train}
    ranked = {"b": [0, 1, 2], "a": [3], "c": [4, 5]}
    size = len(shrink(train[0]))
    for space, expected in [
        (0, [0, 0, 0]),
        (2.5, [1, 1, 0]),
        (3.5, [1, 1, 1]),
        (4.5, [2, 1, 1]),
        (99, [3, 1, 2]),
    ]:
        photos = collect_photos(train, ranked, credits, space * size)
        assert [len(photos[name]) for name in ("b", "a", "c")] == expected, space
    first = photos["a"][0]
    assert first.file == f"species/{hashlib.sha256(first.content).hexdigest()[:32]}.webp"
    assert first.licence == "CC0-1.0"
