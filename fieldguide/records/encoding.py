"""Writes what example.py reads: the wire format of tf.train.Example and the framing of TFRecord, without TensorFlow.

The bytes are those of `Example.SerializeToString(deterministic=True)`: features in `name_order`, numbers
packed. An Example is made of the entries of its features (`encode_feature`), so a caller can keep those that repeat.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import google_crc32c
import numpy as np
import numpy.typing as npt

from fieldguide.records.example import CRC_MASK, FOOTER, HEADER

Dtype = Literal["bytes", "int64", "float32"]
"""Of the values of a feature."""

KIND_TAGS: Final[dict[Dtype, bytes]] = {"bytes": b"\x0a", "float32": b"\x12", "int64": b"\x1a"}
"""Field of a Feature that holds the list of such values, length-delimited."""
FIRST: Final = b"\x0a"
"""Field 1, length-delimited: of an Example its Features, of Features an entry, of an entry its name, of a list a value
or all packed numbers."""
SECOND: Final = b"\x12"
"""Field 2, length-delimited: of an entry its Feature."""


def encode_feature(name: str, dtype: Dtype, values: Sequence[Any] | npt.NDArray[np.float32]) -> bytes:
    """The entry of one feature with at least one value, each of `dtype`; arrays are written flat, in C order."""
    if dtype == "bytes":
        if len(values) == 1:
            return encode_bytes(name, values[0])
        # Numbers are packed; strings stand each by itself.
        content = b"".join([part for value in values for part in (FIRST, encode_varint(len(value)), value)])
    elif dtype == "int64":
        content = _delimited(FIRST, b"".join([encode_varint(value & 0xFFFFFFFFFFFFFFFF) for value in values]))
    else:
        content = _delimited(FIRST, np.asarray(values, "<f4").tobytes())
    feature = _delimited(KIND_TAGS[dtype], content)
    return _delimited(FIRST, _delimited(FIRST, name.encode()) + _delimited(SECOND, feature))


def encode_bytes(name: str, value: bytes) -> bytes:
    """The entry of a feature that holds one byte string."""
    return _before_bytes(name, len(value)) + value


def name_order(name: str) -> bytes:
    """A key to sort features by as protobuf does: by bytes, and a name before the one that it begins with."""
    return name.encode() + b"\xff"


def encode_example(entries: Iterable[bytes | memoryview]) -> bytes:
    """The payload of a record: entries from `encode_feature`, in `name_order`."""
    entries = list(entries)
    return b"".join((FIRST, encode_varint(sum(map(len, entries))), *entries))


def append_features(payload: bytes | memoryview, entries: Iterable[bytes]) -> bytes:
    """A payload of `encode_example` with more entries, whose names come after all that it has."""
    # Behind the tag stands the length, as a varint that ends at the first byte below 0x80.
    start = next(position for position in range(1, len(payload)) if payload[position] < 0x80) + 1
    return encode_example((payload[start:], *entries))


def frame(payload: bytes) -> tuple[bytes, bytes, bytes]:
    """The record around a payload, in pieces: its length and the crc of that, itself, and its crc."""
    return _frame_length(len(payload)), payload, FOOTER.pack(_masked(payload))


@lru_cache(maxsize=1 << 14)
def _frame_length(length: int) -> bytes:
    return HEADER.pack(length, _masked(length.to_bytes(8, "little")))


@lru_cache(maxsize=1 << 14)
def encode_varint(value: int) -> bytes:
    """A number from 0 to 2^64 - 1, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


@lru_cache(maxsize=1 << 14)
def _before_bytes(name: str, length: int) -> bytes:
    """All of the entry of a feature that holds one byte string, but the string itself, which ends it."""
    before = FIRST + encode_varint(length)
    before = KIND_TAGS["bytes"] + encode_varint(len(before) + length) + before
    before = SECOND + encode_varint(len(before) + length) + before
    before = _delimited(FIRST, name.encode()) + before
    return FIRST + encode_varint(len(before) + length) + before


def _delimited(tag: bytes, content: bytes) -> bytes:
    return b"".join((tag, encode_varint(len(content)), content))


def _masked(content: bytes) -> int:
    crc: int = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + CRC_MASK) & 0xFFFFFFFF
