"""TFRecord shards: framing, crcs and compression, of ours and of others."""

import gzip
import io
import struct
import zlib
from collections.abc import Callable

import pytest

from fieldguide.records.example import masked_crc32c
from fieldguide.verify.examples import ExampleCheck
from fieldguide.verify.findings import Damage, Seen
from fieldguide.verify.record_shards import check_shard, parse_index
from tests.records.making import make_photo

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda content: content,
    "gzip": gzip.compress,
    "zlib": zlib.compress,
}


def framed(*payloads: bytes) -> bytes:
    parts = []
    for payload in payloads:
        length = struct.pack("<Q", len(payload))
        parts += [length, struct.pack("<I", masked_crc32c(length)), payload, struct.pack("<I", masked_crc32c(payload))]
    return b"".join(parts)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, coded = len(content), bytearray()
    while length > 127:
        coded.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *coded, length]) + content


def example(name: str, value: bytes) -> bytes:
    """A tf.train.Example of one feature with one byte string."""
    return field(1, field(1, field(1, name.encode()) + field(2, field(1, field(1, value)))))


def check(content: bytes) -> tuple[Seen, list[int]]:
    return check_shard(io.BufferedReader(io.BytesIO(content)), ExampleCheck())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", PACKED)
def test_any_compression_is_read(kind: str):
    shard = framed(example("image/encoded", make_photo(1)[1]), b"no example", b"")
    seen, lengths = check(PACKED[kind](shard))
    assert (seen.num_photos, len(lengths), sum(lengths)) == (1, 3, len(shard))


@pytest.mark.parametrize("kind", PACKED)
def test_a_photo_of_others_that_does_not_decode(kind: str):
    photo = make_photo(1)[1]
    with pytest.raises(Damage, match="record at byte 16: the photo does not decode: truncated"):
        check(PACKED[kind](framed(b"", example("jpg", photo[: len(photo) // 2]))))


@pytest.mark.parametrize("kind", PACKED)
def test_every_byte_counts(kind: str):
    whole = PACKED[kind](framed(b"first" * 20, b"second" * 20))
    # Nothing digests the header of gzip, which holds a time and a system.
    for at in range(10 if kind == "gzip" else 0, len(whole)):
        with pytest.raises(Damage):
            check(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for end in range(1, len(whole)):
        if end != len(framed(b"first" * 20)):
            with pytest.raises(Damage):
                check(whole[:end])


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (b"0 20\n20 30\n", [20, 30]),
        (b"", []),
        (b"0 20\n21 30\n", "does not begin where the one before it ends, 20"),
        (b"0 20\n20\n", "not lines of"),
        (b"0 x\n", "not lines of"),
        (b"0 3\n", "does not begin"),
    ],
)
def test_indexes(content: bytes, result: list[int] | str):
    if isinstance(result, list):
        assert parse_index(content) == result
    else:
        with pytest.raises(Damage, match=result):
            parse_index(content)
