"""Takes PNG files apart, by their chunks; the W3C's PNG specification, third edition."""

import struct
import zlib

from fieldguide.images.parts import MAX_PROFILE_BYTES, CostlyError, Parts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 1_000_000


def take_apart_png(content: bytes) -> Parts:
    """A PNG without texts, times, animation and what follows its end.

    As readers do that follow the specification, chunks that pixels can do without are left out where their checksum is
    wrong; of the others the decoder judges.
    """
    kept, exif, profile = [SIGNATURE], None, None
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(content):
            break
        length, kind = struct.unpack_from(">I4s", content, position)
        start, end = position, position + 12 + length
        is_critical = not kind[0] & 0x20
        position = end
        if is_critical:
            kept.append(content[start:end])
            if kind == b"IEND" or end > len(content):
                break
        elif kind in (b"tRNS", b"eXIf", b"iCCP") and _is_sound(content, start, end):
            body = content[start + 8 : end - 4]
            if kind == b"tRNS":
                kept.append(content[start:end])
            elif kind == b"eXIf":
                exif = body
            else:
                profile = _unpack_profile(body)
    else:
        raise CostlyError
    return Parts(b"".join(kept), exif, profile)


def _is_sound(content: bytes, start: int, end: int) -> bool:
    return end <= len(content) and zlib.crc32(content[start + 4 : end - 4]) == int.from_bytes(content[end - 4 : end])


def _unpack_profile(body: bytes) -> bytes | None:
    _name, _, packed = body.partition(b"\0")
    if packed[:1] != b"\0":
        return None
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if inflate.eof else None
