"""Checks a TFRecord shard in one pass: compression, framing, crcs, index, and what its examples hold."""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from fieldguide.records.example import FOOTER, HEADER, OVERHEAD, masked_crc32c
from fieldguide.verify.bytes import PIECE, read_exactly
from fieldguide.verify.findings import Damage, Seen

MAX_RECORD: Final = 1 << 31
"""Bytes; tf.train.Example is a protobuf message, which cannot be longer."""
GZIP: Final = b"\x1f\x8b"
EITHER_HEADER: Final = 32 + zlib.MAX_WBITS
"""zlib's word for: gzip or zlib, as the first bytes say."""


def check_shard(stream: io.BufferedReader, examine: Callable[[bytes], tuple[bytes, int]]) -> tuple[Seen, list[int]]:
    """Read a whole shard; what it holds, and the length of every record as it is stored once unpacked.

    `examine` looks at one payload and returns its key and the number of photos in it. Raises Damage at the first record
    that cannot be.
    """
    seen, lengths = Seen(), list[int]()
    for at, payload in _payloads(_unpacked(stream)):
        try:
            key, num_photos = examine(payload)
        except Damage as damage:
            raise Damage(f"the record at byte {at}: {damage}") from None
        seen.keys.append(key)
        seen.num_photos += num_photos
        lengths.append(len(payload) + OVERHEAD)
    return seen, lengths


def parse_index(content: bytes) -> list[int]:
    """The lengths that an index (`offset length` lines, ours or DALI's) gives. Raises Damage if they leave gaps."""
    try:
        numbers = [int(word) for word in content.split()]
    except ValueError:
        raise Damage("not lines of `offset length`") from None
    offsets, lengths, end = numbers[::2], numbers[1::2], 0
    for offset, length in zip(offsets, lengths, strict=False):
        if offset != end or length < OVERHEAD:
            raise Damage(f"the record at byte {offset} does not begin where the one before it ends, {end}")
        end += length
    if len(offsets) != len(lengths):
        raise Damage("not lines of `offset length`")
    return lengths


def _payloads(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    at = 0
    while head := stream.read(HEADER.size):
        if len(head) < HEADER.size:
            raise Damage(f"the record at byte {at} ends early")
        length, length_crc = HEADER.unpack(head)
        if masked_crc32c(head[:8]) != length_crc:
            raise Damage(f"the record at byte {at}: the crc of the length is wrong")
        if length > MAX_RECORD:
            raise Damage(f"the record at byte {at} claims {length} bytes")
        payload = read_exactly(stream, length, f"the record at byte {at}")
        (crc,) = FOOTER.unpack(read_exactly(stream, FOOTER.size, f"the record at byte {at}"))
        if masked_crc32c(payload) != crc:
            raise Damage(f"the record at byte {at}: the crc of the payload is wrong")
        yield at, payload
        at += length + OVERHEAD


def _unpacked(stream: io.BufferedReader) -> BinaryIO:
    """The records of a shard that is plain, gzip or zlib, whatever its name says."""
    head = stream.peek(HEADER.size)[: HEADER.size]
    is_plain = len(head) < HEADER.size or masked_crc32c(head[:8]) == HEADER.unpack(head)[1]
    looks_zlib = head[:1] == b"\x78" and int.from_bytes(head[:2]) % 31 == 0
    if is_plain or not (head.startswith(GZIP) or looks_zlib):
        return stream
    return io.BufferedReader(_Inflated(stream), PIECE)


class _Inflated(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflater = zlib.decompressobj(EITHER_HEADER)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises Damage where the compressed bytes do not add up, or go on behind their end."""
        try:
            while not self._inflater.eof:
                packed = self._inflater.unconsumed_tail or self._stream.read(PIECE)
                content = self._inflater.decompress(packed, len(buffer))
                if content:
                    buffer[: len(content)] = content
                    return len(content)
                if not packed and not self._inflater.eof:
                    raise Damage("the compressed bytes end early")
        except zlib.error as error:
            raise Damage(f"the compressed bytes do not add up: {error}") from None
        if self._inflater.unused_data or self._stream.read(1):
            raise Damage("bytes follow the end of the compressed records")
        return 0
