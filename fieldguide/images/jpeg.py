"""Takes JPEG files apart, by their markers; ITU-T T.81, JFIF 1.02 and the Exif, ICC and Adobe segments."""

import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field

from fieldguide.images.parts import CostlyError, Parts

MAX_SCANS = 64
"""A progressive JPEG has about ten. Each is a pass over the whole image, even if it has 75 bytes: 60 to 100 ms for 48
megapixels."""
MAX_SEGMENTS = 100_000
END = b"\xff\xd9"
START = b"\xff\xd8"
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""A byte FF in compressed data is followed by 00 or a restart marker, D0 to D7; FF itself is padding."""
ALONE = (0x01, 0xD8)
"""Markers without a length, besides restarts and the end."""
END_OF_IMAGE = 0xD9
START_OF_SCAN = 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
METADATA = frozenset(range(0xE0, 0xF0)) | {0xFE}
JFIF, ADOBE, EXIF, ICC = b"JFIF\0", b"Adobe", b"Exif\0\0", b"ICC_PROFILE\0"
NUM_COEFFICIENTS = 64


@dataclass
class _Walk:
    """What has been met so far."""

    header: list[bytes] = field(default_factory=lambda: [START])
    exif: bytes | None = None
    profile: dict[int, bytes] = field(default_factory=dict)
    num_profile_pieces: int = 0
    precision: int = 8
    components: bytes = b""
    """Their ids."""
    finished: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of each component, the coefficients that are there to the last bit."""
    num_scans: int = 0
    data_start: int | None = None
    """Where the first scan begins."""
    end: int | None = None
    """Behind the end marker."""

    def note_metadata(self, marker: int, body: bytes) -> None:
        """Keep what says how to read the pixels, without the thumbnail that JFIF may hold."""
        if marker == 0xE0 and body.startswith(JFIF):
            self.header.append(_segment(marker, body[:12] + b"\0\0"))
        elif marker == 0xEE and body.startswith(ADOBE):
            self.header.append(_segment(marker, body[:12]))
        elif marker == 0xE1 and body.startswith(EXIF) and self.exif is None:
            self.exif = body[len(EXIF) :]
        elif marker == 0xE2 and body.startswith(ICC) and len(body) > len(ICC) + 2:
            self.num_profile_pieces = body[len(ICC) + 1]
            self.profile[body[len(ICC)]] = body[len(ICC) + 2 :]

    def note_scan(self, body: bytes) -> None:
        """Which coefficients this scan brings to their last bit."""
        self.num_scans += 1
        first, last, approximation = body[-3:]
        if approximation & 15 == 0:
            for component in body[1:-3:2]:
                self.finished[component].update(range(first, min(last, NUM_COEFFICIENTS - 1) + 1))

    @property
    def has_all_scans(self) -> bool:
        return all(len(self.finished[component]) == NUM_COEFFICIENTS for component in self.components)


def take_apart_jpeg(content: bytes) -> Parts:
    """A JPEG without comments, thumbnails, further images and whatever else stands before, behind or beside its pixels.

    What has no image at all comes back whole.
    """
    walk = _follow(content)
    if walk.data_start is None:
        return Parts(content)
    pieces = [walk.profile.get(number, b"") for number in range(1, walk.num_profile_pieces + 1)]
    data = memoryview(content)[walk.data_start : walk.end]
    return Parts(
        pixels=b"".join([*walk.header, data]),
        exif=walk.exif,
        profile=b"".join(pieces) if all(pieces) and pieces else None,
        num_scans=walk.num_scans,
        is_ended=walk.end is not None,
        unsupported=None if walk.precision == 8 else f"JPEG of {walk.precision} bits",
    )


def try_two_ends(content: bytes) -> tuple[bytes, bytes] | None:
    """Two files with an end marker of a JPEG that has none; None if whole scans are missing.

    Behind the data that is there they go on in different ways. If both show the same picture, no pixel was missing.
    """
    if not _follow(content).has_all_scans:
        return None
    data = content.rstrip(b"\0")
    if data.endswith(b"\xff"):
        # FF 00 is a byte of data, FF alone the half of an end marker.
        data = data + b"\0" if len(data) < len(content) else data[:-1]
    return data + END, data + b"\x5b\xa6\x3c\x97\xd1\x6e" * 512 + END


def _follow(content: bytes) -> _Walk:
    walk = _Walk()
    position = len(START)
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(content, position)
        if found is None or walk.num_scans > MAX_SCANS:
            return walk
        marker, position = found[1][0], found.end()
        if marker == END_OF_IMAGE:
            walk.end = position
            return walk
        if marker in ALONE:
            continue
        length = int.from_bytes(content[position : position + 2], "big")
        if length < 2 or position + length > len(content):
            return walk
        body = content[position + 2 : position + length]
        position += length
        if marker == START_OF_SCAN and len(body) >= 6:
            walk.data_start = found.start() if walk.data_start is None else walk.data_start
            walk.note_scan(body)
        elif walk.data_start is None and marker in METADATA:
            walk.note_metadata(marker, body)
        elif walk.data_start is None:
            walk.header.append(content[found.start() : position])
            if marker in FRAMES and len(body) >= 9:
                walk.precision, walk.components = body[0], body[6::3]
    raise CostlyError


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
