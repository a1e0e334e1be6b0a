"""Reference photos: which of the training photos show a species best, as small files without any words.

A file is named by its own digest, so whoever is given the name can check the content: bundle.json need not list
thousands of photos before the first answer.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Final

import numpy as np
from PIL import Image

from fieldguide.export.centres import Centres
from fieldguide.images.encode import DECODERS, Encoding, ImageFormat, encode
from fieldguide.records.features import Record

FOLDER: Final = "species"
"""In the bundle."""
MAX_PHOTOS: Final = 4
"""Of one species."""
POOL: Final = 64
"""Of the nearer half of a species' photos, the nearest to its mean, from which all are chosen: far from it lie the odd
ones, cut, blurred or of another species."""
PIECE_PHOTOS: Final = 2048
"""That are compared with all classes at a time."""
SIDE: Final = 256
"""Longest side, px."""
ENCODING: Final = Encoding(ImageFormat.WEBP, quality=72)
DIGEST_DIGITS: Final = 32
"""Of a file's SHA-256, which name it."""


@dataclass(frozen=True)
class ReferencePhoto:
    """A photo that shows a species, and whom to credit for it."""

    content: bytes
    """A WebP file."""
    licence: str
    rights_holder: str | None
    """None only where the licence asks for no name."""

    @property
    def file(self) -> str:
        """Its name in the bundle."""
        return f"{FOLDER}/{hashlib.sha256(self.content).hexdigest()[:DIGEST_DIGITS]}.webp"


def rank_photos(embeddings: np.ndarray, centres: Centres, labels: np.ndarray, allowed: np.ndarray) -> list[list[int]]:
    """By class, the positions of up to MAX_PHOTOS photos that show it, the best first.

    First comes the photo nearest to the mean of its class. Each further one is, of those nearer to it than to any other
    class, the one least like those before it (farthest-first traversal, Gonzalez 1985), so that other sides are seen.
    `embeddings` [n, dim], `labels` int64 [n], `allowed` bool [n]: what may be shown.
    """
    positions = np.flatnonzero(allowed)
    order = positions[np.lexsort((positions, -centres.nearness[positions], labels[positions]))]
    starts = np.searchsorted(labels[order], np.arange(len(centres.vectors) + 1)).tolist()
    pools = [
        order[start : min(end, start + POOL, start + max(MAX_PHOTOS, -(-(end - start) // 2)))]
        for start, end in pairwise(starts)
    ]
    flat = np.concatenate(pools)
    is_own = _lie_nearest_to_own(flat, embeddings, centres, labels)
    ends = np.cumsum([len(pool) for pool in pools])[:-1]
    return [
        _spread(pool, own, centres.direct(embeddings[pool])) if len(pool) else []
        for pool, own in zip(pools, np.split(is_own, ends), strict=True)
    ]


def _lie_nearest_to_own(
    positions: np.ndarray, embeddings: np.ndarray, centres: Centres, labels: np.ndarray
) -> np.ndarray:
    """Whether no other class is nearer to each of these photos than its own: bool [len(positions)]."""
    nearest: np.ndarray = np.empty(len(positions), np.int64)
    for start in range(0, len(positions), PIECE_PHOTOS):
        piece = positions[start : start + PIECE_PHOTOS]
        nearest[start : start + PIECE_PHOTOS] = (centres.direct(embeddings[piece]) @ centres.vectors.T).argmax(axis=1)
    is_own: np.ndarray = nearest == labels[positions]
    return is_own


def _spread(pool: np.ndarray, is_own: np.ndarray, vectors: np.ndarray) -> list[int]:
    """Of `pool`, photos of a class from the nearest on, the first and those that differ, MAX_PHOTOS at most.

    `is_own` bool [len(pool)]: which may follow the first; `vectors` float32 [len(pool), dim], of length 1.
    """
    picked, likeness = [0], np.where(is_own, vectors @ vectors[0], np.inf)
    likeness[0] = np.inf
    while len(picked) < MAX_PHOTOS and np.isfinite(likeness).any():
        latest = int(likeness.argmin())
        picked.append(latest)
        likeness = np.maximum(likeness, vectors @ vectors[latest])
        likeness[latest] = np.inf
    return [int(pool[place]) for place in picked]


def collect_photos(
    train: Sequence[Record],
    ranked: Mapping[str, Sequence[int]],
    credits: Mapping[str, tuple[str, str | None]],
    max_bytes: float,
) -> dict[str, list[ReferencePhoto]]:
    """Photos of each species in `ranked` (positions in `train`) until they take `max_bytes` together.

    Each species gets its first before any gets its second; in each round they come in the order of `ranked`. `credits`
    tells licence and rights holder by photo id.
    """
    photos: dict[str, list[ReferencePhoto]] = {name: [] for name in ranked}
    left = max_bytes
    for name, position in _rounds(ranked):
        record = train[position]
        photo = ReferencePhoto(shrink(record), *credits[record.photo_id])
        left -= len(photo.content)
        if left < 0:
            break
        photos[name].append(photo)
    return photos


def _rounds(ranked: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, int]]:
    for round_ in zip_longest(*ranked.values()):
        for name, position in zip(ranked, round_, strict=True):
            if position is not None:
                yield name, position


def shrink(record: Record) -> bytes:
    """What the photo fills of a record's square, at most SIDE px wide and high: a WebP file without any words."""
    with Image.open(io.BytesIO(record.image), formats=DECODERS) as opened:
        image = opened.convert("RGB").crop(record.box)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return encode(image, ENCODING)
