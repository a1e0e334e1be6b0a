"""Packs photos as squares of one size into WebDataset shards."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import PhotoError
from fieldguide.photos.decode import load_rgb
from fieldguide.photos.geometry import Method, make_square
from fieldguide.photos.reading import Location, Originals
from fieldguide.photos.tar import TarShardWriter


@dataclass(frozen=True)
class SquareStyle:
    """What every square of a set has in common: px, shape rule, padding (RGB) and JPEG quality."""

    size: int
    method: Method
    pad_color: tuple[int, int, int]
    quality: int


@dataclass(frozen=True)
class SquareShard:
    """One shard to be written: its path, and for each photo where its bytes are and what its JSON says."""

    path: Path
    photos: Sequence[tuple[Location, dict[str, Any]]]


def encode_square(content: bytes, style: SquareStyle) -> tuple[bytes, dict[str, Any]]:
    """A photo's bytes as a square JPEG, and `source_size` (upright, px) and `box` for its JSON."""
    # Twice the final size keeps the scaled decoding indistinguishable from a full one (Pillow's reducing_gap).
    image, source_size = load_rgb(content, shorter_side=2 * style.size)
    square, box = make_square(image, style.size, style.method, style.pad_color)
    buffer = io.BytesIO()
    square.save(buffer, "JPEG", quality=style.quality)
    return buffer.getvalue(), {"source_size": list(source_size), "box": list(box)}


def write_squares(shard: SquareShard, originals: Originals, style: SquareStyle) -> int:
    """Write one WebDataset shard, whole or not at all; returns its size in bytes.

    Raises PhotoError if a photo of a stream cannot be had again.
    """
    with TarShardWriter(shard.path) as tar:
        contents = originals.read(location for location, _ in shard.photos)
        for content, (_, facts) in zip(contents, shard.photos, strict=True):
            key = facts["photo_id"]
            if content is None:
                raise PhotoError(
                    f"{key}: gone, changed or out of reach since it was fetched, and fetch.store: stream keeps no "
                    "originals; run again, or `dvc repro -f clean` to drop such photos"
                )
            jpeg, geometry = encode_square(content, style)
            tar.add(f"{key}.jpg", jpeg)
            tar.add(f"{key}.json", json.dumps({**facts, **geometry}, ensure_ascii=False).encode())
    return shard.path.stat().st_size
