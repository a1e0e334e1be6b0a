"""Deterministic tar shards: a writer that tells where each member's bytes lie, and a strict reader.

The archives are plain USTAR with every date, owner and mode fixed, so the same members give the same bytes. The name of
a member's owner, which nobody else has a use for, is the digest of its bytes: whoever reads one member checks that one,
and a copy of the archive needs nothing beside it to be checked.
Files that share a name up to the first dot form one WebDataset sample.
"""

import io
import mmap
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from fieldguide.digests import bytes_xxh3, damage, remedy
from fieldguide.errors import RecordError
from fieldguide.files import written_whole

BLOCK = tarfile.BLOCKSIZE
NAME, SIZE, CHECKSUM_FIELD, MAGIC, OWNER, PREFIX = (
    slice(0, 100), slice(124, 135), slice(148, 156), slice(257, 265), slice(265, 297), slice(345, 500)
)  # fmt: skip
CHECKSUM = slice(148, 154)
TYPE = 156
"""Where a header has what; sizes and checksums are octal digits."""
HEADERS_AT_ONCE = 512
"""They stay in the cache of a core."""


class Member(NamedTuple):
    """One regular file of a tar: its bytes are `shard[offset : offset + size]`."""

    name: str
    offset: int
    size: int


class Members(NamedTuple):
    """Regular files of a tar in their order, column by column."""

    names: npt.NDArray[np.bytes_]
    """UTF-8, [num_members]."""
    offsets: npt.NDArray[np.int64]
    """[num_members], and so are the sizes."""
    sizes: npt.NDArray[np.int64]

    def each(self) -> Iterator[Member]:
        """One after the other."""
        for name, offset, size in zip(self.names.tolist(), self.offsets.tolist(), self.sizes.tolist(), strict=True):
            yield Member(name.partition(b"\0")[0].decode(), offset, size)


class TarShardWriter:
    """Writes one tar, whole or not at all.

    with TarShardWriter(path) as shard:
        member = shard.add("0011223344556677.jpg", content)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._archive: tarfile.TarFile | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(written_whole(self._path))
            self._archive = stack.enter_context(tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive = None
        self._stack.__exit__(kind, error, trace)

    def add(self, name: str, content: bytes) -> Member:
        """Append one file. A name that USTAR cannot hold is a ValueError."""
        assert self._archive is not None, "add() needs an open shard"
        header = tarfile.TarInfo(name)  # mtime, uid and gid are 0, mode is 0644
        header.size = len(content)
        header.uname = bytes_xxh3(content)
        # USTAR headers take exactly one block, whatever the name.
        offset = self._archive.offset + BLOCK
        self._archive.addfile(header, io.BytesIO(content))
        return Member(name, offset, len(content))


def iterate_members(path: Path) -> Iterator[Member]:
    """The regular files of a shard in their order, from the headers alone. Raises RecordError as `list_members`."""
    for found in list_members(path):
        yield from found.each()


def list_members(path: Path) -> Iterator[Members]:
    """The same, many at once.

    tarfile's own iterator takes a damaged header in the middle for the end of the archive; here it is a
    RecordError with file and offset, and so are a missing end, links, devices and directories.
    """
    with path.open("rb", buffering=0) as stream:
        end, offset = stream.seek(0, io.SEEK_END), 0
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if end else b""
    while True:
        starts, sizes = _walk(content, offset)
        headers = np.frombuffer(content, np.uint8, end // BLOCK * BLOCK).reshape(-1, BLOCK)[starts // BLOCK]
        num = _count_plain(headers)
        if num:
            names = np.ascontiguousarray(headers[:num, NAME]).view(f"S{NAME.stop}")[:, 0]
            yield Members(names, starts[:num] + BLOCK, sizes[:num])
            offset = _behind(int(starts[num - 1]), int(sizes[num - 1]))
            if num == HEADERS_AT_ONCE:
                continue
        # What is left is the end, or a header that another program wrote, or damage.
        block = content[offset : offset + BLOCK]
        if len(block) == BLOCK and not any(block):
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise RecordError(f"{path} at byte {offset}: not a tar header ({error}); {remedy(path)}") from None
        # tarfile counts sparse files as regular, but their bytes do not lie in one piece.
        if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise RecordError(f"{path} at byte {offset}: {header.name!r} is not a regular file")
        if header.size < 0 or _behind(offset, header.size) > end:
            raise RecordError(
                f"{path} at byte {offset}: {header.name!r} claims {header.size} bytes, "
                f"the file ends at {end}; {remedy(path)}"
            )
        yield Members(np.array([header.name.encode()]), np.array([offset + BLOCK]), np.array([header.size]))
        offset = _behind(offset, header.size)


def _behind(offset: int, size: int) -> int:
    """Where the member ends whose header stands at `offset`."""
    return offset + BLOCK + -(-size // BLOCK) * BLOCK


def _walk(content: bytes | mmap.mmap, offset: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where up to HEADERS_AT_ONCE blocks stand that may be headers, from `offset` on, and the sizes they give."""
    starts, sizes = [], []
    try:
        for _ in range(HEADERS_AT_ONCE):
            size = int(content[offset + SIZE.start : offset + SIZE.stop], 8)
            behind = offset + BLOCK + -(-size // BLOCK) * BLOCK
            if not offset < behind <= len(content):
                break
            starts.append(offset)
            sizes.append(size)
            offset = behind
    except ValueError:
        pass
    return np.array(starts, np.int64), np.array(sizes, np.int64)


def _count_plain(headers: npt.NDArray[np.uint8]) -> int:
    """How many of the first headers are sound and as TarShardWriter writes them, and so need no closer look."""
    plain = ~((headers.view(np.uint64) ^ _PLAIN) & _FIXED).any(axis=1)
    digits = headers[:, CHECKSUM].astype(np.int64) - ord("0")
    # The sum of all bytes, those of the checksum itself counted as blanks.
    sums = headers.sum(axis=1, dtype=np.uint32) - headers[:, CHECKSUM_FIELD].sum(axis=1, dtype=np.uint32)
    plain &= digits @ 8 ** np.arange(digits.shape[1])[::-1] == sums + np.uint32(8 * ord(" "))
    return len(plain) if plain.all() else int(plain.argmin())


def _describe_plain() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """A header, and the bits of it that every plain header shares: each uint64 [64], eight bytes in one."""
    header, fixed = np.zeros(BLOCK, np.uint8), np.zeros(BLOCK, np.uint8)
    fixed[NAME] = 0x80  # ASCII
    for octal in (SIZE, CHECKSUM):
        header[octal], fixed[octal] = ord("0"), 0xF8
    header[TYPE] = ord(tarfile.REGTYPE)
    header[MAGIC] = np.frombuffer(tarfile.POSIX_MAGIC, np.uint8)
    for same in (SIZE.stop, TYPE, MAGIC, PREFIX):
        fixed[same] = 0xFF
    return header.view(np.uint64), fixed.view(np.uint64)


_PLAIN, _FIXED = _describe_plain()


def group_samples(members: Iterable[Member]) -> Iterator[tuple[str, dict[str, Member]]]:
    """Neighbouring members with a common key as `(key, {extension: member})`.

    The key is the name up to the first dot of its last part, the extension all that follows, as WebDataset
    has it: `a/b.seg.png` is `seg.png` of the sample `a/b`. A member that the sample has already starts another.
    """
    current: str | None = None
    sample: dict[str, Member] = {}
    for member in members:
        folder, slash, file = member.name.rpartition("/")
        stem, _, extension = file.partition(".")
        key = folder + slash + stem
        if current is not None and (key != current or extension in sample):
            yield current, sample
            sample = {}
        current = key
        sample[extension] = member
    if current is not None:
        yield current, sample


def read_member(stream: BinaryIO, member: Member) -> bytes:
    """The bytes of one member of an open shard. Raises RecordError where they are not those that were written.

    A tar that another program wrote has no digests, and then nothing is compared. Messages find the name in the tar
    where `member` has none.
    """
    stream.seek(member.offset - BLOCK)
    header, content = stream.read(BLOCK), stream.read(member.size)
    owner = header[OWNER].rstrip(b"\0")
    is_damaged = owner and owner != bytes_xxh3(content).encode()
    if len(content) == member.size and not is_damaged:
        return content
    path, place = Path(stream.name), f"{member.name or _text(header[NAME])!r} at byte {member.offset}"
    if len(content) != member.size:
        raise damage(path, f"{place} ends early, {len(content)} of {member.size} bytes")
    raise damage(path, f"{place} has other bytes than were written")


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode(errors="replace")


def read_samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Every sample of a shard as `(key, {extension: bytes})`, in order."""
    with path.open("rb") as stream:
        for key, members in group_samples(iterate_members(path)):
            yield key, {extension: read_member(stream, member) for extension, member in members.items()}
