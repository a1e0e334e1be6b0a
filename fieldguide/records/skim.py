"""Reads a record's image and photo id without parsing the rest of its tf.train.Example.

Training looks at nothing else of a record (labels come from labels.parquet), and the parser of example.py, which
understands whatever protobuf allows, takes a seventh of a photo's time. Here only the layout is understood that every
serialiser writes; where one byte is otherwise, the answer is None and the parser has to look.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from fieldguide.images.geometry import Box

IMAGE: Final = b"image/encoded"
FILE_NAME: Final = b"image/filename"
BOX: Final = b"image/box"
FIRST, SECOND, THIRD = 0x0A, 0x12, 0x1A
"""Tags of a message's fields 1, 2 and 3, each with a length and that many bytes."""
WANTED: Final = {IMAGE: FIRST, FILE_NAME: FIRST, BOX: THIRD}
"""By a feature's name: the tag of the list that it is, of bytes or of integers."""


class Photo(NamedTuple):
    """What of a record is looked at for training."""

    photo_id: str
    image: bytes
    """JPEG, WebP or PNG."""
    box: Box | None = None
    """The part of it that the photo fills, px; the rest is padding. None: not known."""


def skim_photo(payload: bytes) -> Photo | None:
    """The Photo of a serialised Example whose crc is right; None where it is laid out in another way."""
    try:
        found = _skim(payload, WANTED)
        return Photo(found[FILE_NAME].decode().partition(".")[0], found[IMAGE], _read_box(found[BOX]))
    except (IndexError, ValueError):
        return None


def _skim(payload: bytes, wanted: Mapping[bytes, int]) -> dict[bytes, bytes]:
    """What features hold by name: a byte string, or packed integers.

    Raises ValueError or IndexError where the layout is another.
    """
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
            values, values_end = _open(payload, feature, wanted[name])
            value, value_end = _open(payload, values, FIRST)
            # One value, and nothing behind it. A name that comes twice would mean what the last one says.
            if not value_end == values_end == feature_end == position or position > end or name in found:
                raise ValueError
            found[name] = payload[value:value_end]
    if position != end:
        raise ValueError
    if len(found) != len(wanted):
        raise ValueError
    return found


def _read_box(packed: bytes) -> Box:
    """Four integers, none of them negative. Raises ValueError for anything else."""
    values = [0]
    shift = 0
    for byte in packed:
        values[-1] |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(0)
            shift = 0
    left, top, right, bottom, rest = values
    if rest or shift or max(values) >> 31:
        raise ValueError
    return left, top, right, bottom


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
