"""Writes what example.py reads: the wire format of tf.train.Example and the framing of TFRecord, without TensorFlow.

The bytes are those of `Example.SerializeToString(deterministic=True)`: features in `name_order`, numbers
packed. An Example is made of the entries of its features (`encode_feature`), so a caller can keep those that repeat.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, Final, Literal

import google_crc32c
import numpy as np
import numpy.typing as npt

from fieldguide.records.example import CRC_MASK, FOOTER, HEADER, masked_crc32c

Dtype = Literal["bytes", "int64", "float32"]
"""Of the values of a feature."""

KIND_TAGS: Final[dict[Dtype, bytes]] = {"bytes": b"\x0a", "float32": b"\x12", "int64": b"\x1a"}
"""Field of a Feature that holds the list of such values, length-delimited."""
FIRST: Final = b"\x0a"
"""Field 1, length-delimited: of an Example its Features, of Features an entry, of an entry its name, of a list a value
or all packed numbers."""
SECOND: Final = b"\x12"
"""Field 2, length-delimited: of an entry its Feature."""

MAX_KEPT: Final = 1 << 16
"""Lengths; about 8 MB for each thing that is kept by length."""


def encode_feature(name: str, dtype: Dtype, values: Sequence[Any] | npt.NDArray[np.float32]) -> bytes:
    """The entry of one feature with at least one value, each of `dtype`; arrays are written flat, in C order."""
    if dtype == "bytes":
        if len(values) == 1:
            return encode_bytes(name, [values[0]])[0]
        # Numbers are packed; strings stand each by itself.
        content = b"".join([part for value in values for part in (FIRST, encode_varint(len(value)), value)])
    elif dtype == "int64":
        content = _delimited(FIRST, b"".join([encode_varint(value & 0xFFFFFFFFFFFFFFFF) for value in values]))
    else:
        content = _delimited(FIRST, np.asarray(values, "<f4").tobytes())
    feature = _delimited(KIND_TAGS[dtype], content)
    return _delimited(FIRST, _delimited(FIRST, name.encode()) + _delimited(SECOND, feature))


def encode_bytes(name: str, values: Sequence[bytes]) -> list[bytes]:
    """The entries of one feature in many Examples, in each of which it holds one byte string."""
    before = _before_bytes(name)
    return [before[len(value)] + value for value in values]


def name_order(name: str) -> bytes:
    """A key to sort features by as protobuf does: by bytes, and a name before the one that it begins with."""
    return name.encode() + b"\xff"


def encode_example(entries: Iterable[bytes | memoryview]) -> bytes:
    """The payload of a record: entries from `encode_feature`, in `name_order`."""
    content = b"".join(entries)
    return _TAGGED[len(content)] + content


def append_features(payload: bytes | memoryview, entries: Iterable[bytes]) -> bytes:
    """A payload of `encode_example` with more entries, whose names come after all that it has."""
    # Behind the tag stands the length, as a varint that ends at the first byte below 0x80.
    start = next(position for position in range(1, len(payload)) if payload[position] < 0x80) + 1
    return encode_example((payload[start:], *entries))


def frame(payloads: Sequence[bytes]) -> bytes:
    """The records of some payloads: for each its length, the crc of that, itself, and its crc."""
    crcs = np.array([google_crc32c.value(payload) for payload in payloads], "<u4")
    footers = ((crcs >> 15 | crcs << 17) + np.uint32(CRC_MASK)).tobytes()
    pieces = [b""] * (3 * len(payloads))
    pieces[0::3] = [_HEADERS[len(payload)] for payload in payloads]
    pieces[1::3] = payloads
    pieces[2::3] = [footers[start : start + FOOTER.size] for start in range(0, len(footers), FOOTER.size)]
    return b"".join(pieces)


def encode_varint(value: int) -> bytes:
    """A number from 0 to 2^64 - 1, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


class _ByLength(dict[int, bytes]):
    """What `make` gives for a length, made once; by thousands of photos most lengths have come before."""

    def __init__(self, make: Callable[[int], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, length: int) -> bytes:
        if len(self) == MAX_KEPT:
            self.clear()
        made = self[length] = self._make(length)
        return made


@lru_cache(maxsize=64)
def _before_bytes(name: str) -> _ByLength:
    """All of the entry of a feature that holds one byte string, but the string itself, which ends it."""
    return _ByLength(partial(_make_before, name))


def _make_before(name: str, length: int) -> bytes:
    before = FIRST + encode_varint(length)
    before = KIND_TAGS["bytes"] + encode_varint(len(before) + length) + before
    before = SECOND + encode_varint(len(before) + length) + before
    before = _delimited(FIRST, name.encode()) + before
    return FIRST + encode_varint(len(before) + length) + before


def _delimited(tag: bytes, content: bytes) -> bytes:
    return b"".join((tag, encode_varint(len(content)), content))


_TAGGED: Final = _ByLength(lambda length: FIRST + encode_varint(length))
"""What stands before content of a length in field 1."""
_HEADERS: Final = _ByLength(lambda length: HEADER.pack(length, masked_crc32c(length.to_bytes(8, "little"))))
"""What stands before a payload of a length."""
