"""Deterministic tar shards: a writer that tells where each member's bytes lie, and a strict reader.

The archives are plain USTAR with every date, owner and mode fixed, so the same members give the same bytes. The name of
a member's owner, which nobody else has a use for, is the digest of its bytes: whoever reads one member checks that one,
and a copy of the archive needs nothing beside it to be checked.
Files that share a name up to the first dot form one WebDataset sample.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from fieldguide.digests import bytes_xxh3, damage, remedy
from fieldguide.errors import RecordError
from fieldguide.files import written_whole

BLOCK = tarfile.BLOCKSIZE
NAME, OWNER = slice(0, 100), slice(265, 297)
"""Where a header names its member and that one's owner."""


@dataclass(frozen=True)
class Member:
    """One regular file of a tar: its bytes are `shard[offset : offset + size]`."""

    name: str
    offset: int
    size: int


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
    """The regular files of a shard in their order, from the headers alone.

    tarfile's own iterator takes a damaged header in the middle for the end of the archive; here it is a
    RecordError with file and offset, and so are a missing end, links, devices and directories.
    """
    with path.open("rb") as stream:
        end = stream.seek(0, io.SEEK_END)
        offset = 0
        while True:
            stream.seek(offset)
            block = stream.read(BLOCK)
            if len(block) == BLOCK and not any(block):
                return
            try:
                header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            except (tarfile.HeaderError, UnicodeDecodeError) as error:
                raise RecordError(f"{path} at byte {offset}: not a tar header ({error}); {remedy(path)}") from None
            start, offset = offset + BLOCK, offset + BLOCK + -(-header.size // BLOCK) * BLOCK
            # tarfile counts sparse files as regular, but their bytes do not lie in one piece.
            if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise RecordError(f"{path} at byte {start - BLOCK}: {header.name!r} is not a regular file")
            if header.size < 0 or offset > end:
                raise RecordError(
                    f"{path} at byte {start - BLOCK}: {header.name!r} claims {header.size} bytes, "
                    f"the file ends at {end}; {remedy(path)}"
                )
            yield Member(header.name, start, header.size)


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

    A tar that another program wrote has no digests, and then nothing is compared.
    """
    stream.seek(member.offset - BLOCK)
    header, content = stream.read(BLOCK), stream.read(member.size)
    place = f"{member.name or _text(header[NAME])!r} at byte {member.offset}"
    if len(content) != member.size:
        raise damage(Path(stream.name), f"{place} ends early, {len(content)} of {member.size} bytes")
    if (written := _text(header[OWNER])) and written != bytes_xxh3(content):
        raise damage(Path(stream.name), f"{place} has other bytes than were written")
    return content


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode(errors="replace")


def read_samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Every sample of a shard as `(key, {extension: bytes})`, in order."""
    with path.open("rb") as stream:
        for key, members in group_samples(iterate_members(path)):
            yield key, {extension: read_member(stream, member) for extension, member in members.items()}
