"""TFRecord shards as files: written whole with index and digest, compressed or not, and read front to back."""

import hashlib
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from fieldguide.digests import damage
from fieldguide.files import written_whole
from fieldguide.records.encoding import frame
from fieldguide.records.example import FOOTER, HEADER, OVERHEAD, WireError, masked_crc32c, unframe
from fieldguide.records.manifest import Compression, ShardEntry, index_path, write_index

WINDOW_BITS: Final[dict[Compression, int]] = {"gzip": 31, "zlib": 15}
"""As zlib takes them: they choose the container, too. Its gzip header has neither a time nor a name."""
LEVEL: Final = 6
BLOCK_BYTES: Final = 1 << 18
"""Written, compressed and read at once: little enough to stay in the cache of a core from one step to the next."""


def write_shard_file(path: Path, payloads: Iterable[bytes], compression: Compression = "none") -> ShardEntry:
    """Write one shard, whole or not at all, and its index unless it is compressed; return its entry in the manifest."""
    lengths: list[int] = []
    sha256, num_bytes = hashlib.sha256(), 0
    with written_whole(path) as temporary:
        with temporary.open("wb") as stream:
            for block in _compress(_join_records(payloads, lengths), compression):
                stream.write(block)
                sha256.update(block)
                num_bytes += len(block)
        if compression == "none":
            with written_whole(index_path(path)) as temporary_index:
                write_index(temporary_index, lengths)
    return ShardEntry(file=path.name, num_records=len(lengths), num_bytes=num_bytes, sha256=sha256.hexdigest())


def iterate_payloads(path: Path, compression: Compression = "none") -> Iterator[memoryview]:
    """The payloads of a shard in order, each held to its crc; a compressed shard needs no more memory than another.

    Raises RecordError where the file is cut off or damaged.
    """
    with path.open("rb") as stream:
        content = _Decompressed(path, stream, compression)
        while header := content.read(HEADER.size):
            # A damaged length asks for no bytes; `unframe` says what is wrong with it.
            is_sound = len(header) == HEADER.size and masked_crc32c(header[:8]) == HEADER.unpack(header)[1]
            length = HEADER.unpack(header)[0] if is_sound else 0
            start = content.position - len(header)
            record = header + content.read(length + FOOTER.size)
            try:
                yield unframe(memoryview(record))
            except WireError as error:
                raise damage(path, f"the record at byte {start}: {error}") from None


class _Decompressed:
    """Reads a stream by given numbers of bytes."""

    def __init__(self, path: Path, stream: BinaryIO, compression: Compression) -> None:
        self._path = path
        self._stream = stream
        self._decoder = None if compression == "none" else zlib.decompressobj(WINDOW_BITS[compression])
        self._waiting = bytearray()
        self.position = 0
        """Decompressed bytes that were read."""

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end. Raises RecordError where they are no compressed data."""
        while len(self._waiting) < size and (block := self._next_block()):
            self._waiting += block
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        self.position += len(taken)
        return taken

    def _next_block(self) -> bytes:
        if self._decoder is None:
            return self._stream.read(BLOCK_BYTES)
        while not self._decoder.eof:
            compressed = self._decoder.unconsumed_tail or self._stream.read(BLOCK_BYTES)
            if not compressed:
                raise damage(self._path, "the compressed data has no end")
            try:
                block = self._decoder.decompress(compressed, BLOCK_BYTES)
            except zlib.error as error:
                raise damage(self._path, f"behind byte {self.position} of what it holds: {error}") from None
            if block:
                return block
        if self._decoder.unused_data or self._stream.read(1):
            raise damage(self._path, "bytes stand behind the end of the compressed data")
        return b""


def _join_records(payloads: Iterable[bytes], lengths: list[int]) -> Generator[bytes]:
    """Records in blocks of about BLOCK_BYTES; their lengths are added to `lengths`."""
    waiting: list[bytes] = []
    num_bytes = 0
    for payload in payloads:
        waiting.append(payload)
        num_bytes += len(payload)
        if num_bytes >= BLOCK_BYTES:
            yield frame(waiting)
            lengths += [len(each) + OVERHEAD for each in waiting]
            waiting, num_bytes = [], 0
    yield frame(waiting)
    lengths += [len(each) + OVERHEAD for each in waiting]


def _compress(blocks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    if compression == "none":
        yield from blocks
        return
    encoder = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS[compression])
    for block in blocks:
        yield encoder.compress(block)
    yield encoder.flush()
