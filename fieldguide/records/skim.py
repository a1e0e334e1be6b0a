"""Reads a record's image and photo id without parsing the rest of its tf.train.Example.

Training looks at nothing else of a record (labels come from labels.parquet), and the parser of example.py, which
understands whatever protobuf allows, takes a seventh of a photo's time. Here only the layout is understood that every
serialiser writes; where one byte is otherwise, the answer is None and the parser has to look.
"""

from typing import Final, NamedTuple

IMAGE: Final = b"image/encoded"
FILE_NAME: Final = b"image/filename"
FIRST, SECOND = 0x0A, 0x12
"""Tags of a message's fields 1 and 2, each with a length and that many bytes."""


class Photo(NamedTuple):
    """What of a record is looked at for training."""

    photo_id: str
    image: bytes
    """JPEG, WebP or PNG."""


def skim_photo(payload: bytes) -> Photo | None:
    """Photo id and image of a serialised Example whose crc is right; None where it is laid out in another way."""
    try:
        image, name = _skim(payload, (IMAGE, FILE_NAME))
        return Photo(name.decode().partition(".")[0], image)
    except (IndexError, ValueError):
        return None


def _skim(payload: bytes, wanted: tuple[bytes, ...]) -> list[bytes]:
    """The byte strings of features by name. Raises ValueError or IndexError where the layout is another."""
    found: dict[bytes, bytes] = {}
    position, end = _open(payload, 0, FIRST)
    if end != len(payload):
        raise ValueError
    while position < end:
        entry, position = _open(payload, position, FIRST)
        start, name_end = _open(payload, entry, FIRST)
        name = payload[start:name_end]
        if name in wanted:
            feature, feature_end = _open(payload, name_end, SECOND)
            values, values_end = _open(payload, feature, FIRST)
            value, value_end = _open(payload, values, FIRST)
            # One value, and nothing behind it. A name that comes twice would mean what the last one says.
            if not value_end == values_end == feature_end == position or position > end or name in found:
                raise ValueError
            found[name] = payload[value:value_end]
    if position != end:
        raise ValueError
    if len(found) != len(wanted):
        raise ValueError
    return [found[name] for name in wanted]


def _open(payload: bytes, position: int, tag: int) -> tuple[int, int]:
    """Where the content of the field with this tag begins and ends."""
    if payload[position] != tag:
        raise ValueError
    length = payload[position + 1]
    position += 2
    if length >= 0x80:
        length, shift = length & 0x7F, 7
        while True:
            byte = payload[position]
            position += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
    return position, position + length
