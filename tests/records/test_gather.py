"""Photos come back in the order asked for, some at a time, and none with other bytes than were written."""

import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.records.gather import MAX_PHOTOS, cut_by_bytes, gather
from fieldguide.records.places import PLACE, locate_photos
from tests.records.making import make_photo, make_resized

COUNT = 40


@pytest.fixture
def resized(tmp_path: Path) -> list[Path]:
    return sorted(make_resized(tmp_path, {"train": COUNT}).glob("*.tar"))


def locate_all(tars: list[Path]) -> np.ndarray:
    places = [locate_photos(tar, "salt") for tar in tars]
    for number, each in enumerate(places):
        each["tar"] = number
    return np.sort(np.concatenate(places), order="order")


@pytest.mark.parametrize("memory_bytes", [1, 5000, 1 << 20])
def test_memory_changes_no_photo(resized: list[Path], memory_bytes: int) -> None:
    places = locate_all(resized)
    parts = list(gather(places, resized, memory_bytes))
    assert (len(parts) > 1) == (memory_bytes < 1 << 20)
    images = [image for part in parts for image in part.images]
    expected = {photo_id: image for photo_id, image, _ in map(make_photo, range(COUNT))}
    assert images == [expected[photo_id.decode()] for photo_id in places["photo_id"]]
    for part in parts:
        assert all(place["photo_id"] in text for place, text in zip(part.places, part.texts, strict=True))


def test_parts_are_bounded_in_bytes_and_count() -> None:
    places = np.zeros(MAX_PHOTOS + 3, PLACE)
    places["image_size"][:3] = [10, 200, 10]
    assert [len(part) for part in cut_by_bytes(places[:3], 100)] == [1, 1, 1]
    assert [len(part) for part in cut_by_bytes(places[:3], 210)] == [2, 1]
    assert [len(part) for part in cut_by_bytes(places, 10**6)] == [MAX_PHOTOS, 3]
    assert list(cut_by_bytes(places[:0], 100)) == []


@pytest.mark.parametrize("member", ["image", "json"])
@pytest.mark.parametrize("number", [0, 7, COUNT - 1])
def test_damage_is_named(resized: list[Path], member: str, number: int) -> None:
    places = locate_all(resized)
    place = places[number]
    tar = resized[place["tar"]]
    content = bytearray(tar.read_bytes())
    content[place[member] + 5] ^= 1
    tar.write_bytes(content)
    name = f"{place['photo_id'].decode()}.{'jpg' if member == 'image' else 'json'}"
    message = f"{tar} is damaged: '{name}' at byte {place[member]} has other bytes than were written"
    with pytest.raises(RecordError, match=re.escape(message)):
        list(gather(places, resized, 1 << 20))


def test_a_tar_that_ends_early_is_named(resized: list[Path]) -> None:
    places = locate_all(resized)
    place = places[places["tar"] == 1][np.argmax(places[places["tar"] == 1]["json"])]
    with resized[1].open("r+b") as stream:
        stream.truncate(place["json"] + 10)
    message = f"{resized[1]} is damaged: '{place['photo_id'].decode()}.json' at byte {place['json']} ends early, 10 of "
    with pytest.raises(RecordError, match=re.escape(message)):
        list(gather(places, resized, 1 << 20))


def test_nothing_is_compared_where_no_digest_was_written(tmp_path: Path) -> None:
    photo_id = "a" * 16
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for suffix in ("jpg", "json"):
            header = tarfile.TarInfo(f"{photo_id}.{suffix}")
            header.size = 4
            archive.addfile(header, io.BytesIO(suffix.encode().ljust(4)))
    (part,) = gather(locate_all([tmp_path / "x.tar"]), [tmp_path / "x.tar"], 1 << 20)
    assert (part.images, part.texts) == ([b"jpg "], [b"json"])
    assert part.name(0) == f"{tmp_path / 'x.tar'}: {photo_id}.jpg"
