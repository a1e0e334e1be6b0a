"""What the headers of a few hundred photos say: formats, sizes, and which files are no photos. Nothing is decoded."""

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, quantiles
from typing import IO

from fieldguide.catalogue.rows import Row
from fieldguide.catalogue.schema import Status
from fieldguide.fetch.local import local_file, read_unsent
from fieldguide.images.decode import read_header

MAX_BYTES = 200 * 10**6
PACKED = (".tar.gz", ".tgz")
MAX_PACKED_BYTES = 10**9
"""A larger packed archive is not unpacked only to look into it."""


@dataclass
class Headers:
    """What was found in the files that were looked at."""

    formats: Counter[str] = field(default_factory=Counter)
    shorter_sides: list[int] = field(default_factory=list)
    """Px, as stored."""
    longer_sides: list[int] = field(default_factory=list)
    num_bytes: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Files that are not there or cannot be read."""
    no_photos: list[str] = field(default_factory=list)
    """Files that no photo begins with."""

    @property
    def num_read(self) -> int:
        """Photos whose sizes are known."""
        return len(self.shorter_sides)

    @property
    def mean_bytes(self) -> float | None:
        """Of a file."""
        return fmean(self.num_bytes) if self.num_bytes else None

    @property
    def mean_megapixels(self) -> float | None:
        """Millions of pixels of a photo."""
        areas = [short * long for short, long in zip(self.shorter_sides, self.longer_sides, strict=True)]
        return fmean(areas) / 1e6 if areas else None

    @property
    def max_megapixels(self) -> float | None:
        """Millions of pixels of the largest."""
        areas = [short * long for short, long in zip(self.shorter_sides, self.longer_sides, strict=True)]
        return max(areas) / 1e6 if areas else None

    def shorter_side(self, percent: int) -> int | None:
        """The shorter side that so many percent of the photos do not exceed, px."""
        if len(self.shorter_sides) < 2:
            return self.shorter_sides[0] if self.shorter_sides else None
        return round(quantiles(self.shorter_sides, n=100, method="inclusive")[percent - 1])


def read_headers(rows: Iterable[Row]) -> Headers:
    """Look at the photos of `rows` that are on this machine."""
    headers = Headers()
    for row in rows:
        path = local_file(row.url)
        if path is None or (path.name.lower().endswith(PACKED) and _size(path) > MAX_PACKED_BYTES):
            continue
        name = row.url.removeprefix("file:")
        if row.url.startswith("file:"):
            try:
                with path.open("rb") as stream:
                    _note(headers, name, stream, path.stat().st_size)
            except OSError:
                headers.missing.append(name)
            continue
        outcome = read_unsent(row.url, row.root, MAX_BYTES)
        if outcome.status is Status.OK and outcome.content is not None:
            _note(headers, name, io.BytesIO(outcome.content), len(outcome.content))
        else:
            headers.missing.append(name)
    return headers


def _note(headers: Headers, name: str, stream: IO[bytes], num_bytes: int) -> None:
    header = read_header(stream)
    if header is None:
        headers.no_photos.append(name)
        return
    form, size = header
    headers.formats[form or "unknown"] += 1
    headers.shorter_sides.append(min(size))
    headers.longer_sides.append(max(size))
    headers.num_bytes.append(num_bytes)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
