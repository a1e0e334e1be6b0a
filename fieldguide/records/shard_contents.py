"""Reads a TFRecord shard from its beginning to its end, without an index: one that has just arrived."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import RecordError
from fieldguide.records.example import FOOTER, HEADER, Feature, WireError, parse_example, unframe
from fieldguide.records.features import Record, to_record

MOST_PAYLOAD_BYTES: Final = 2**31 - 1
"""What protobuf holds; a length beyond it is damage, and must not become memory."""
CHUNK_BYTES: Final = 2**20


def read_payloads(path: Path, compression: str = "none") -> Iterator[memoryview]:
    """The payload of every record, its crcs checked; `compression` is none, gzip or zlib.

    Raises RecordError with file and offset (in the uncompressed bytes) where the bytes are no records.
    """
    offset = 0
    with path.open("rb") as stream:
        pieces = _Pieces(_decompress(stream, compression))
        try:
            while header := pieces.take(HEADER.size):
                length = HEADER.unpack(header)[0]
                if length > MOST_PAYLOAD_BYTES:
                    raise WireError(f"a payload of {length} bytes")
                record = header + pieces.take(length + FOOTER.size)
                yield unframe(memoryview(record))
                offset += len(record)
        except (WireError, struct.error, EOFError, OSError, zlib.error) as error:
            raise RecordError(f"{path} at byte {offset}: {error}") from None


def read_examples(path: Path, compression: str = "none") -> Iterator[dict[str, Feature]]:
    """The features of every record by name. Raises RecordError."""
    for number, payload in enumerate(read_payloads(path, compression)):
        try:
            yield parse_example(payload)
        except WireError as error:
            raise RecordError(f"{path}, record {number}: {error}") from None


def read_records(path: Path, compression: str, taxonomy: Taxonomy) -> Iterator[Record]:
    """Every record as a Record. Raises RecordError."""
    for number, features in enumerate(read_examples(path, compression)):
        try:
            yield to_record(features, taxonomy)
        except WireError as error:
            raise RecordError(f"{path}, record {number}: {error}") from None


def _decompress(stream: BinaryIO, compression: str) -> Iterator[bytes]:
    if compression == "zlib":
        unpack = zlib.decompressobj()
        while chunk := stream.read(CHUNK_BYTES):
            yield unpack.decompress(chunk)
        yield unpack.flush()
        if not unpack.eof:
            raise EOFError("the compressed bytes end early")
        return
    if compression == "gzip":
        with gzip.open(stream) as unpacked:
            while chunk := unpacked.read(CHUNK_BYTES):
                yield chunk
        return
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


class _Pieces:
    """Bytes that come in chunks, taken in lengths of one's own choice."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._buffer = chunks, bytearray()

    def take(self, length: int) -> bytes:
        """The next `length` bytes, fewer at the end."""
        while len(self._buffer) < length and (chunk := next(self._chunks, None)) is not None:
            self._buffer += chunk
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken
