"""Shards read from front to back, compressed or not, and what is said of damaged ones."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldguide.errors import RecordError
from fieldguide.records.reader import RecordSet
from fieldguide.records.shard_contents import read_payloads, read_records
from tests.records.making import TAXONOMY

SHARD = "val-00000-of-00001.tfrecord"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"none": bytes, "gzip": gzip.compress, "zlib": zlib.compress}


@pytest.mark.parametrize("compression", COMPRESS)
def test_records_of_a_shard(finished: Path, tmp_path: Path, compression: str):
    path = tmp_path / SHARD
    path.write_bytes(COMPRESS[compression]((finished / SHARD).read_bytes()))
    assert list(read_records(path, compression, TAXONOMY)) == list(RecordSet.open(finished, "val"))


def _flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :]


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: _flip(content, len(content) // 2),
        lambda content: _flip(content, 12),
    ],
    ids=["one byte short", "half", "a bit in the middle", "a bit near the start"],
)
def test_damage_is_told(finished: Path, tmp_path: Path, compression: str, damage: Callable[[bytes], bytes]):
    path = tmp_path / SHARD
    path.write_bytes(damage(COMPRESS[compression]((finished / SHARD).read_bytes())))
    with pytest.raises(RecordError, match=rf"{SHARD} at byte \d+: "):
        list(read_payloads(path, compression))


def test_a_giant_length_takes_no_memory(tmp_path: Path):
    path = tmp_path / SHARD
    path.write_bytes(b"\xff" * 16)
    with pytest.raises(RecordError, match=r"at byte 0: a payload of 18446744073709551615 bytes"):
        list(read_payloads(path))
