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


def integers(name: bytes, packed: bytes) -> bytes:
    return field(1, field(1, name) + field(2, field(3, field(1, packed))))


def example(*entries: bytes) -> bytes:
    return field(1, b"".join(entries))


NAME, IMAGE = entry(b"image/filename", b"0123.jpg"), entry(b"image/encoded", b"\xff\xd8" * 300)
BOX = integers(b"image/box", b"\x00\x1c" + varint(256) + varint(200))
LABEL = integers(b"image/class/label", b"\x07")
STRANGE_BOXES = (b"\1\2\3", b"\1\2\3\4\5", b"\1\2\3\x84", b"\1\2\3" + b"\xff" * 9 + b"\1")


@pytest.mark.parametrize("entries", [(BOX, IMAGE, NAME), (NAME, LABEL, IMAGE, BOX), (LABEL, IMAGE, BOX, NAME, LABEL)])
def test_finds_photo_id_image_and_box(entries: tuple[bytes, ...]):
    assert skim_photo(example(*entries)) == ("0123", b"\xff\xd8" * 300, (0, 28, 256, 200))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        example(IMAGE, BOX),
        example(NAME, IMAGE),
        example(BOX, NAME, IMAGE)[:-1],
        example(BOX, NAME, IMAGE) + b"\x00",
        example(BOX, NAME) + example(IMAGE),
        example(BOX, NAME, IMAGE, IMAGE),
        example(BOX, NAME, entry(b"image/encoded", b"a", b"b")),
        example(BOX, NAME, entry(b"image/encoded")),
        example(BOX, entry(b"image/filename", b"\xff"), IMAGE),
        *(example(integers(b"image/box", packed), NAME, IMAGE) for packed in STRANGE_BOXES),
        example(BOX, NAME, field(1, field(2, field(1, field(1, b"a"))) + field(1, b"image/encoded"))),
    ],
)
def test_leaves_the_rest_to_the_parser(payload: bytes):
    assert skim_photo(payload) is None


@given(st.lists(st.integers(0, 400)), st.binary(max_size=3))
def test_never_answers_otherwise_than_the_parser(places: list[int], noise: bytes):
    damaged = bytearray(example(NAME, LABEL, BOX, IMAGE))
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
        assert features["image/box"] == list(found.box or ())
