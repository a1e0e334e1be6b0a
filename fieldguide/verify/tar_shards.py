"""Checks a tar from its first byte to its last, in one pass: headers, members, fill, digests, samples, photos.

Our own tars (tar.py) carry the digest of each member in its header and hold nothing but regular files. Those of others
may have folders, long names and whatever pax adds; of their bytes nothing is known but that headers add up, that
members are complete, and that photos decode.
"""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import xxhash

from fieldguide.digests import bytes_xxh3
from fieldguide.tar import BLOCK, OWNER, Member, group_samples
from fieldguide.verify.bytes import PIECE, read_exactly
from fieldguide.verify.findings import Damage, Seen
from fieldguide.verify.photos import SUFFIXES, check_photo

OUR_OWNER: Final = re.compile(r"[0-9a-f]{16}")
REGULAR: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
LONG_NAME, PAX = b"L", b"x"
WITHOUT_CONTENT: Final = (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE)
PAX_PATH: Final = re.compile(rb"\d+ path=([^\n]*)\n")
IN_MEMORY: Final = 1 << 28
"""Bytes; a larger member is no photo, and is read in pieces."""


@dataclass(frozen=True)
class TarExpected:
    """What a manifest and a stage's habits say of a tar."""

    num_samples: int | None = None
    side: int | None = None
    """Of every photo, which is square and RGB, px."""
    is_decoded: bool = True
    """False for what fetch brought: it may hold what never was a photo."""


@dataclass(frozen=True)
class _Header:
    name: str
    size: int
    digest: str
    """Of the member's bytes; empty in a tar of somebody else."""
    at: int
    """Where the member's bytes begin."""


def check_tar(stream: BinaryIO, expected: TarExpected) -> Seen:
    """Read a whole tar and say what it holds. Raises Damage at the first byte that cannot be."""
    seen = Seen()
    members: list[Member] = []
    for header in _headers(stream):
        what = f"{header.name!r} at byte {header.at}"
        seen.is_foreign = seen.is_foreign or not header.digest
        suffix = f".{header.name.rpartition('.')[2].lower()}"
        if expected.is_decoded and header.size <= IN_MEMORY and (suffix in SUFFIXES or suffix == ".json"):
            content = read_exactly(stream, header.size, what)
            if header.digest and header.digest != bytes_xxh3(content):
                raise Damage(f"{what} has other bytes than were written")
            _check_content(content, suffix, what, expected.side)
            seen.num_photos += suffix in SUFFIXES
        else:
            _pass_over(stream, header, what)
        if any(read_exactly(stream, -header.size % BLOCK, what)) and header.digest:
            raise Damage(f"behind {what} are bytes that are not zero")
        members.append(Member(header.name, header.at, header.size))
    keys = [key for key, _ in group_samples(members)]
    if twice := _find_repeated([member.name for member in members]):
        raise Damage(f"{twice!r} is in it twice")
    if expected.num_samples not in (None, len(keys)):
        raise Damage(f"it has {len(keys)} samples, the manifest says {expected.num_samples}")
    if not members:
        raise Damage("it holds no files")
    seen.keys = [key.encode(errors="surrogateescape") for key in keys]
    return seen


def _headers(stream: BinaryIO) -> Iterator[_Header]:
    """The header of every regular file; the caller reads its bytes and their fill before it asks for the next."""
    at, ours, long_name = 0, True, ""
    while True:
        block = stream.read(BLOCK)
        if len(block) == BLOCK and not any(block):
            _check_end(stream, at, ours)
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Damage(f"at byte {at} is no tar header ({error})") from None
        owner = block[OWNER].rstrip(b"\0").decode(errors="replace")
        if at == 0:
            ours = OUR_OWNER.fullmatch(owner) is not None
        fill = -header.size % BLOCK
        if header.type in REGULAR and header.size >= 0 and (not ours or OUR_OWNER.fullmatch(owner)):
            name, long_name = long_name or header.name, ""
            yield _Header(name, header.size, owner if ours else "", at + BLOCK)
            at += BLOCK + header.size + fill
        elif not ours and header.type in WITHOUT_CONTENT:
            at, long_name = at + BLOCK, ""
        elif not ours and 0 <= header.size <= PIECE and header.type not in (tarfile.GNUTYPE_SPARSE,):
            content = read_exactly(stream, header.size + fill, f"the header at byte {at}")[: header.size]
            if header.type == LONG_NAME:
                long_name = content.rstrip(b"\0").decode(errors="replace")
            elif header.type == PAX and (path := PAX_PATH.search(content)):
                long_name = path[1].decode(errors="replace")
            at += BLOCK + header.size + fill
        else:
            raise Damage(f"{header.name!r} at byte {at} is not a regular file")


def _check_end(stream: BinaryIO, at: int, ours: bool) -> None:
    rest = stream.read(BLOCK)
    if len(rest) < BLOCK:
        raise Damage(f"it ends at byte {at + BLOCK + len(rest)}, without the two empty blocks of an end")
    while rest:
        if any(rest) and ours:
            raise Damage(f"bytes behind the last member, from {at} on, are not zero")
        rest = stream.read(PIECE)


def _pass_over(stream: BinaryIO, header: _Header, what: str) -> None:
    digest, left = xxhash.xxh3_64(), header.size
    while left:
        digest.update(read_exactly(stream, min(left, PIECE), what))
        left -= min(left, PIECE)
    if header.digest and header.digest != digest.hexdigest():
        raise Damage(f"{what} has other bytes than were written")


def _check_content(content: bytes, suffix: str, what: str, side: int | None) -> None:
    try:
        if suffix == ".json":
            json.loads(content)
            return
        width, height, is_rgb = check_photo(content)
    except ValueError as error:
        raise Damage(f"{what} is not JSON: {error}") from None
    except Damage as damage:
        raise Damage(f"{what} does not decode: {damage}") from None
    if side and (width, height, is_rgb) != (side, side, True):
        raise Damage(
            f"{what} is {width} x {height} px{'' if is_rgb else ', not RGB'}; expected {side} x {side} px, RGB"
        )


def _find_repeated(names: list[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
