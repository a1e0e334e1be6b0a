"""Shards front to back, compressed or not, whole or damaged."""

import gzip
import hashlib
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.records.manifest import index_path, read_index
from fieldguide.records.shard_file import BLOCK_BYTES, iterate_payloads, write_shard_file
from tests.records.test_example import frame

PAYLOADS = [b"", b"first", bytes(BLOCK_BYTES + 7), np.random.default_rng(0).bytes(5000), b"last"]
UNPACK = {"none": bytes, "gzip": gzip.decompress, "zlib": zlib.decompress}


@pytest.mark.parametrize("compression", UNPACK)
def test_what_is_written_is_read(compression, tmp_path: Path):
    path = tmp_path / "a.tfrecord"
    entry = write_shard_file(path, PAYLOADS, compression)
    content = path.read_bytes()
    assert UNPACK[compression](content) == b"".join(map(frame, PAYLOADS))
    assert (entry.num_records, entry.num_bytes) == (len(PAYLOADS), len(content))
    assert entry.sha256 == hashlib.sha256(content).hexdigest()
    assert [bytes(payload) for payload in iterate_payloads(path, compression)] == PAYLOADS
    if compression == "none":
        assert read_index(path, entry)[:, 1].tolist() == [len(payload) + 16 for payload in PAYLOADS]
    else:
        assert not index_path(path).exists()
    again = tmp_path / "b.tfrecord"
    assert write_shard_file(again, iter(PAYLOADS), compression).sha256 == entry.sha256


def test_gzip_holds_no_time(tmp_path: Path):
    write_shard_file(tmp_path / "a.tfrecord", PAYLOADS, "gzip")
    # RFC 1952: 4 bytes of time behind magic, method and flags; no name.
    assert (tmp_path / "a.tfrecord").read_bytes()[3:8] == bytes(5)


@pytest.mark.parametrize("compression", UNPACK)
@pytest.mark.parametrize("payloads", [[], [b"only"]])
def test_short_shards(compression, payloads, tmp_path: Path):
    write_shard_file(tmp_path / "a.tfrecord", payloads, compression)
    assert [bytes(payload) for payload in iterate_payloads(tmp_path / "a.tfrecord", compression)] == payloads


def flip(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 64]) + content[position + 1 :]


@pytest.mark.parametrize(
    ("compression", "damage", "message"),
    [
        ("none", lambda content: content[:-1], r"the record at byte \d+: the length is 4 bytes"),
        ("none", lambda content: content + b"x", "at least 16 bytes, got 1"),
        ("none", lambda content: flip(content, 17), "the record at byte 16: the crc of the length is wrong"),
        ("none", lambda content: flip(content, 29), "the record at byte 16: the crc of the payload is wrong"),
        ("gzip", lambda content: content[:-1], "the compressed data has no end"),
        ("gzip", lambda content: content + b"x", "bytes stand behind the end of the compressed data"),
        ("gzip", lambda content: flip(content, len(content) - 6), "incorrect data check"),
        ("zlib", lambda content: flip(content, 0), "incorrect header check"),
    ],
)
def test_damage_is_named(compression, damage, message: str, tmp_path: Path):
    path = tmp_path / "a.tfrecord"
    write_shard_file(path, PAYLOADS, compression)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RecordError, match=f"^{re.escape(str(path))} is damaged: .*{message}"):
        list(iterate_payloads(path, compression))
