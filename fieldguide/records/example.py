"""The TFRecord framing and the wire format of tf.train.Example, read without TensorFlow.

A record is `length (uint64), masked crc of length (uint32), payload, masked crc of payload (uint32)`, all little
endian, crc being CRC-32C. The payload is a protobuf message:

    Example { Features features = 1 }          Features { map<string, Feature> feature = 1 }
    Feature { oneof { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3 } }
    *List   { repeated value = 1 }             numbers packed or not

Nothing in a buffer is trusted: every length is checked before it is used, and what is wrong is a WireError,
which the readers turn into a RecordError with file and offset.
"""

import struct
from collections.abc import Iterator

import google_crc32c

HEADER = struct.Struct("<QI")
FOOTER = struct.Struct("<I")
OVERHEAD = HEADER.size + FOOTER.size
"""Bytes of framing around each payload."""

CRC_MASK = 0xA282EAD8

VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10

Feature = list[bytes] | list[int] | list[float]


class WireError(ValueError):
    """Bytes that are no record or no tf.train.Example; the message says what and where in the buffer."""


def masked_crc32c(content: bytes | memoryview) -> int:
    """CRC-32C rotated and offset as TFRecord stores it, so that a crc of data that holds crcs stays useful."""
    crc: int = google_crc32c.value(bytes(content))
    return ((crc >> 15 | crc << 17) + CRC_MASK) & 0xFFFFFFFF


def unframe(record: memoryview) -> memoryview:
    """The payload of exactly one framed record, its crcs checked. Raises WireError."""
    if len(record) < OVERHEAD:
        raise WireError(f"a record takes at least {OVERHEAD} bytes, got {len(record)}")
    length, length_crc = HEADER.unpack_from(record)
    if masked_crc32c(record[:8]) != length_crc:
        raise WireError("the crc of the length is wrong")
    if length != len(record) - OVERHEAD:
        raise WireError(f"the length is {length} bytes, the index says {len(record) - OVERHEAD}")
    payload = record[HEADER.size : HEADER.size + length]
    if masked_crc32c(payload) != FOOTER.unpack_from(record, HEADER.size + length)[0]:
        raise WireError("the crc of the payload is wrong")
    return payload


def parse_example(payload: memoryview) -> dict[str, Feature]:
    """The features of a serialised tf.train.Example by name.

    Raises WireError. A feature without values is an empty list.
    """
    features: dict[str, Feature] = {}
    for features_message in _submessages(payload, 1):
        for entry in _submessages(features_message, 1):
            name, feature = "", memoryview(b"")
            for field, wire_type, value in _fields(entry):
                if wire_type == LENGTH_DELIMITED and field == 1:
                    name = _decode_name(_view(value))
                elif wire_type == LENGTH_DELIMITED and field == 2:
                    feature = _view(value)
            features[name] = _parse_feature(feature)
    return features


def _parse_feature(feature: memoryview) -> Feature:
    values: Feature = []
    for kind, wire_type, content in _fields(feature):
        if wire_type != LENGTH_DELIMITED:
            continue
        if kind == 1:
            values = [bytes(value) for value in _submessages(_view(content), 1)]
        elif kind == 2:
            values = _parse_floats(_view(content))
        elif kind == 3:
            values = _parse_int64s(_view(content))
    return values


def _parse_floats(content: memoryview) -> list[float]:
    floats: list[float] = []
    for field, wire_type, value in _fields(content):
        if field == 1 and wire_type in (LENGTH_DELIMITED, FIXED32):
            packed = _view(value)
            if len(packed) % 4:
                raise WireError(f"packed floats take a multiple of 4 bytes, got {len(packed)}")
            floats += struct.unpack(f"<{len(packed) // 4}f", packed)
    return floats


def _parse_int64s(content: memoryview) -> list[int]:
    integers: list[int] = []
    for field, wire_type, value in _fields(content):
        if field != 1:
            continue
        if wire_type == VARINT:
            assert isinstance(value, int)
            integers.append(_signed(value))
        elif wire_type == LENGTH_DELIMITED:
            packed, position = _view(value), 0
            while position < len(packed):
                integer, position = _read_varint(packed, position)
                integers.append(_signed(integer))
    return integers


def _submessages(message: memoryview, field: int) -> Iterator[memoryview]:
    for found, wire_type, value in _fields(message):
        if found == field and wire_type == LENGTH_DELIMITED:
            yield _view(value)


def _fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Every field of a message as (number, wire type, value): a varint as int, anything else as a view."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        field, wire_type = tag >> 3, tag & 7
        if field == 0:
            raise WireError("field number 0 is not allowed")
        if wire_type == VARINT:
            integer, position = _read_varint(message, position)
            yield field, wire_type, integer
            continue
        if wire_type == LENGTH_DELIMITED:
            length, position = _read_varint(message, position)
        elif wire_type in (FIXED64, FIXED32):
            length = 8 if wire_type == FIXED64 else 4
        else:
            raise WireError(f"wire type {wire_type} is unknown; expected 0, 1, 2 or 5")
        if length > len(message) - position:
            raise WireError(f"field {field} claims {length} bytes, {len(message) - position} are left")
        yield field, wire_type, message[position : position + length]
        position += length


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(message[position : position + MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + count + 1
    raise WireError(f"a number at byte {position} has no end")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _view(value: int | memoryview) -> memoryview:
    assert isinstance(value, memoryview)
    return value


def _decode_name(name: memoryview) -> str:
    try:
        return str(name, "utf-8")
    except UnicodeDecodeError:
        raise WireError(f"feature name {bytes(name[:40])!r} is not UTF-8") from None
