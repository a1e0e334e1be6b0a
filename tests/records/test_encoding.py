"""What we write is what google's protobuf implementation writes, byte for byte, and what our own reader reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.records import encoding
from fieldguide.records.encoding import (
    append_features,
    encode_bytes,
    encode_example,
    encode_feature,
    encode_varint,
    frame,
    name_order,
)
from fieldguide.records.example import parse_example, unframe
from tests.records import test_example

DTYPES = {bytes: "bytes", int: "int64", float: "float32"}

FEATURES = st.dictionaries(
    st.text(max_size=20),
    st.lists(st.binary(max_size=300), min_size=1, max_size=4)
    | st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6)
    | st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=6),
    min_size=1,
    max_size=6,
)


def entries(features: dict[str, list[bytes] | list[int] | list[float]]) -> list[bytes]:
    """Of all features, in the order of their names."""
    return [
        encode_feature(name, DTYPES[type(features[name][0])], features[name])
        for name in sorted(features, key=name_order)
    ]


@given(FEATURES)
def test_is_what_protobuf_writes(features):
    assert encode_example(entries(features)) == test_example.encode(features)


@given(FEATURES, FEATURES)
def test_features_can_be_appended(features, more):
    features = {f"a{name}": values for name, values in features.items()}
    more = {f"b{name}": values for name, values in more.items()}
    appended = append_features(encode_example(entries(features)), entries(more))
    assert appended == encode_example(entries(features | more))


def test_arrays_are_written_flat():
    planes = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    payload = encode_example([encode_feature("planes", "float32", planes)])
    assert parse_example(memoryview(payload)) == {"planes": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_frames_are_read_back(payloads):
    records = [frame([payload]) for payload in payloads]
    assert frame(payloads) == b"".join(records)
    assert records == [test_example.frame(payload) for payload in payloads]
    assert [bytes(unframe(memoryview(record))) for record in records] == payloads


def test_lengths_that_are_forgotten_come_back(monkeypatch):
    monkeypatch.setattr(encoding, "MAX_KEPT", 2)
    values = [b"x" * length for length in (1, 2, 300, 1, 2)]
    assert encode_bytes("a", values) == [encode_feature("a", "bytes", [value]) for value in values]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02"), (2**64 - 1, b"\xff" * 9 + b"\x01")],
)
def test_varints(value: int, encoded: bytes):
    assert encode_varint(value) == encoded
