"""The quick look finds what the parser finds, or leaves it to the parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.records.example import WireError, parse_example
from fieldguide.records.skim import skim_photo


def varint(value: int) -> bytes:
    low = b""
    while value >= 0x80:
        low += bytes([value & 0x7F | 0x80])
        value >>= 7
    return low + bytes([value])


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def entry(name: bytes, *values: bytes) -> bytes:
    feature = field(1, b"".join(field(1, value) for value in values))
    return field(1, field(1, name) + field(2, feature))


def example(*entries: bytes) -> bytes:
    return field(1, b"".join(entries))


NAME, IMAGE = entry(b"image/filename", b"0123.jpg"), entry(b"image/encoded", b"\xff\xd8" * 300)
LABEL = field(1, field(1, b"image/class/label") + field(2, field(3, field(1, b"\x07"))))


@pytest.mark.parametrize("entries", [(IMAGE, NAME), (NAME, LABEL, IMAGE), (LABEL, IMAGE, NAME, LABEL)])
def test_finds_photo_id_and_image(entries: tuple[bytes, ...]):
    assert skim_photo(example(*entries)) == ("0123", b"\xff\xd8" * 300)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        example(IMAGE),
        example(NAME, IMAGE)[:-1],
        example(NAME, IMAGE) + b"\x00",
        example(NAME) + example(IMAGE),
        example(NAME, IMAGE, IMAGE),
        example(NAME, entry(b"image/encoded", b"a", b"b")),
        example(NAME, entry(b"image/encoded")),
        example(entry(b"image/filename", b"\xff"), IMAGE),
        example(NAME, field(1, field(2, field(1, field(1, b"a"))) + field(1, b"image/encoded"))),
    ],
)
def test_leaves_the_rest_to_the_parser(payload: bytes):
    assert skim_photo(payload) is None


@given(st.lists(st.integers(0, 400)), st.binary(max_size=3))
def test_never_answers_otherwise_than_the_parser(places: list[int], noise: bytes):
    damaged = bytearray(example(NAME, LABEL, IMAGE))
    for place, value in zip(places, noise, strict=False):
        damaged[place % len(damaged)] = value
    found = skim_photo(bytes(damaged))
    if found is not None:
        try:
            features = parse_example(memoryview(bytes(damaged)))
        except WireError:
            # A feature that nobody asked for; the crc vouches for it.
            return
        assert features["image/encoded"] == [found.image]
