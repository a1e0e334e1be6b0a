"""The framing and the wire parser against google's protobuf implementation and against damaged bytes."""

import contextlib
import struct

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.records.example import FOOTER, HEADER, WireError, masked_crc32c, parse_example, unframe

LABEL = descriptor_pb2.FieldDescriptorProto


def _example_class() -> type[Message]:
    """tf.train.Example built from its public definition, without TensorFlow."""
    file = descriptor_pb2.FileDescriptorProto(name="example_for_tests.proto", package="fieldguide", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, int, str | None]) -> None:
        made = file.message_type.add(name=name)
        if name == "Feature":
            made.oneof_decl.add(name="kind")
        for field, number, label, kind, type_name in fields:
            added = made.field.add(name=field, number=number, label=label, type=kind, type_name=type_name)
            if name == "Feature":
                added.oneof_index = 0

    one, many = LABEL.LABEL_OPTIONAL, LABEL.LABEL_REPEATED
    message("BytesList", ("value", 1, many, LABEL.TYPE_BYTES, None))
    message("FloatList", ("value", 1, many, LABEL.TYPE_FLOAT, None))
    message("Int64List", ("value", 1, many, LABEL.TYPE_INT64, None))
    message(
        "Feature",
        ("bytes_list", 1, one, LABEL.TYPE_MESSAGE, ".fieldguide.BytesList"),
        ("float_list", 2, one, LABEL.TYPE_MESSAGE, ".fieldguide.FloatList"),
        ("int64_list", 3, one, LABEL.TYPE_MESSAGE, ".fieldguide.Int64List"),
    )
    message("Features", ("feature", 1, many, LABEL.TYPE_MESSAGE, ".fieldguide.Features.FeatureEntry"))
    entry = file.message_type[-1].nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=one, type=LABEL.TYPE_STRING)
    entry.field.add(name="value", number=2, label=one, type=LABEL.TYPE_MESSAGE, type_name=".fieldguide.Feature")
    message("Example", ("features", 1, one, LABEL.TYPE_MESSAGE, ".fieldguide.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("fieldguide.Example"))


EXAMPLE = _example_class()

FEATURES = st.dictionaries(
    st.text(max_size=20),
    st.lists(st.binary(max_size=40), max_size=4)
    | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=6)
    | st.lists(st.floats(width=32, allow_nan=False), max_size=6),
    max_size=6,
)


def encode(features: dict[str, list[bytes] | list[int] | list[float]]) -> bytes:
    example = EXAMPLE()
    for name, values in features.items():
        feature = example.features.feature[name]
        kinds = {bytes: feature.bytes_list, int: feature.int64_list, float: feature.float_list}
        if values:
            kinds[type(values[0])].value.extend(values)
    return example.SerializeToString(deterministic=True)


def frame(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return HEADER.pack(len(payload), masked_crc32c(length)) + payload + FOOTER.pack(masked_crc32c(payload))


@given(FEATURES)
def test_reads_what_protobuf_writes(features):
    assert parse_example(memoryview(encode(features))) == features


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise_a_wire_error(content):
    with contextlib.suppress(WireError):
        parse_example(memoryview(content))


@given(FEATURES, st.data())
def test_a_damaged_example_parses_or_raises_a_wire_error(features, data):
    content = bytearray(encode({**features, "image/box": [0, 1, 2, 300]}))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        parse_example(memoryview(content))


def test_reads_numbers_that_are_not_packed():
    int64_list = bytes([1 << 3, 7, 1 << 3, 0xFF, *[0xFF] * 8, 0x01])
    float_list = bytes([1 << 3 | 5]) + struct.pack("<f", 0.5)
    for kind, content, expected in ((3, int64_list, [7, -1]), (2, float_list, [0.5])):
        feature = bytes([kind << 3 | 2, len(content)]) + content
        entry = b"\x0a\x01x\x12" + bytes([len(feature)]) + feature
        features = b"\x0a" + bytes([len(entry)]) + entry
        assert parse_example(memoryview(b"\x0a" + bytes([len(features)]) + features)) == {"x": expected}


@pytest.mark.parametrize(
    ("content", "crc"),
    # The first is the worked example of RFC 3720, appendix B.4, rotated and masked.
    [(bytes(32), ((0x8A9136AA >> 15 | 0x8A9136AA << 17) + 0xA282EAD8) & 0xFFFFFFFF), (b"", 0xA282EAD8)],
)
def test_masked_crc(content, crc):
    assert masked_crc32c(content) == crc


@given(st.binary(max_size=100))
def test_frame_round_trip(payload):
    assert bytes(unframe(memoryview(frame(payload)))) == payload


@given(st.binary(max_size=60), st.data())
def test_every_flipped_bit_is_found(payload, data):
    record = bytearray(frame(payload))
    bit = data.draw(st.integers(0, 8 * len(record) - 1))
    record[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        unframe(memoryview(record))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"short", "at least 16 bytes, got 5"),
        (frame(b"four") + b"x", "the length is 4 bytes, the index says 5"),
        (frame(b"four")[:-1] + b"x", "crc of the payload"),
        (b"x" + frame(b"four")[1:], "crc of the length"),
    ],
)
def test_frame_errors_say_what_is_wrong(record, message):
    with pytest.raises(WireError, match=message):
        unframe(memoryview(record))
