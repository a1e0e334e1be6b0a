"""Photos are found from the headers alone: whatever else lies beside them, and never where a sample is not whole."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.files import salted_unit
from fieldguide.records.places import PLACE, SUFFIXES, check_sizes, locate_photos
from fieldguide.tar import Members, TarShardWriter

A, B = "a" * 16, "b" * 16


def write_tar(path: Path, names: list[str]) -> Path:
    with TarShardWriter(path) as tar:
        for number, name in enumerate(names):
            tar.add(name, f"{name} {number}".encode() * (number + 1))
    return path


@pytest.mark.parametrize(
    ("names", "photos"),
    [
        ([], []),
        ([f"{A}.jpg", f"{A}.json", f"{B}.png", f"{B}.json"], [(A, "jpg"), (B, "png")]),
        ([f"{A}.json", f"{A}.webp"], [(A, "webp")]),
        (
            [f"{A}.jpg", f"{A}.json", f"{A}.sci_com.txt", f"{A}.taxon.txt", f"{B}.jpg", f"{B}.json"],
            [(A, "jpg"), (B, "jpg")],
        ),
        # Told by the shuffle, which finds it in another tar, too.
        ([f"{A}.jpg", f"{A}.json"] * 2, [(A, "jpg"), (A, "jpg")]),
    ],
)
def test_every_photo_is_found(tmp_path: Path, names: list[str], photos: list[tuple[str, str]]) -> None:
    path = write_tar(tmp_path / "x.tar", names)
    places = locate_photos(path, "salt")
    assert places.dtype == PLACE
    assert [(place["photo_id"].decode(), SUFFIXES[place["suffix"]]) for place in places] == photos
    assert places["order"].tolist() == [salted_unit("salt", photo_id) for photo_id, _ in photos]
    content = path.read_bytes()
    for place in places:
        photo_id, suffix = place["photo_id"].decode(), SUFFIXES[place["suffix"]]
        assert content[place["image"] :][: place["image_size"]].startswith(f"{photo_id}.{suffix} ".encode())
        assert content[place["json"] :][: place["json_size"]].startswith(f"{photo_id}.json ".encode())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([f"{A}.jpg"], f"sample '{A}' has jpg"),
        ([f"{A}.json"], f"sample '{A}' has json"),
        ([f"{A}.jpg", f"{A}.json", f"{B}.json", f"{B}.txt"], f"sample '{B}' has json, txt"),
        ([f"{A}.jpg", f"{A}.png", f"{A}.json"], f"sample '{A}' has jpg, png, json"),
        ([f"{A}.jpg", f"{A}.gif.json"], f"sample '{A}' has jpg, gif.json"),
        (["short.jpg", "short.json"], "sample 'short' has jpg, json"),
        ([f"{A}c.jpg", f"{A}c.json"], f"sample '{A}c' has jpg, json"),
        ([f"x/{A}.jpg", f"x/{A}.json"], f"sample 'x/{A}' has jpg, json"),
        (["aaaaaaaa.aaaaaaa.jpg", "aaaaaaaa.aaaaaaa.json"], "sample 'aaaaaaaa' has aaaaaaa.jpg, aaaaaaa.json"),
        ([f"{A[:14]}é.jpg", f"{A[:14]}é.json"], f"sample '{A[:14]}é' has jpg, json"),
    ],
)
def test_a_sample_that_is_not_whole_is_named(tmp_path: Path, names: list[str], message: str) -> None:
    path = write_tar(tmp_path / "x.tar", names)
    with pytest.raises(RecordError, match=rf"x\.tar: {message}; expected a 16-digit id with json and one of jpg, webp"):
        locate_photos(path, "salt")


def test_tars_of_other_programs_are_read_too(tmp_path: Path) -> None:
    names = [f"{A}.jpg", f"{A}.json"]
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            header = tarfile.TarInfo(name)
            header.size = 3
            archive.addfile(header, io.BytesIO(b"abc"))
    (place,) = locate_photos(tmp_path / "x.tar", "salt")
    assert (place["photo_id"], place["image"], place["json"], place["json_size"]) == (A.encode(), 512, 1536, 3)


def test_a_member_that_no_example_can_hold() -> None:
    members = Members(np.array([b"a.jpg", b"b.jpg"]), np.array([512, 1536]), np.array([3, 2**31]))
    with pytest.raises(RecordError, match=r"^x\.tar: b\.jpg has 2147483648 bytes; expected less than 2 GiB$"):
        check_sizes(Path("x.tar"), members)
