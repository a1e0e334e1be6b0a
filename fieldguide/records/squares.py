"""Packs photos as squares of one size into WebDataset shards."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
from PIL import Image

from fieldguide.catalogue.boxes import DrawnBox
from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError
from fieldguide.fetch.reading import Location, Originals
from fieldguide.images.decode import Shrink, decode_photo
from fieldguide.images.encode import encode
from fieldguide.images.geometry import Method
from fieldguide.images.square import make_square
from fieldguide.images.subject import find_subject
from fieldguide.records.manifest import SquareStyle
from fieldguide.records.texts import Members, name_taxon, write_texts
from fieldguide.system_errors import required
from fieldguide.tar import TarShardWriter

OVERSIZE: Final = 1.5
"""Times the final size that a JPEG is decoded to at least, of 1/1, 1/2, 1/4 and 1/8 of its own. At 1.5 times and 1/4 the
square's levels move by 1.3 of 255 in the mean, a quarter of what JPEG of quality 92 costs them; 2 would move them by
0.8, and take up to a third longer."""


@dataclass(frozen=True)
class Photo:
    """What is known of a photo beside its bytes."""

    location: Location
    facts: Mapping[str, Any]
    """What its JSON says, but for the geometry."""
    box: DrawnBox | None = None
    """As in the catalogue."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Further members, by their ending."""


@dataclass(frozen=True)
class SquareShard:
    """One shard to be written: its path, and its photos in order."""

    path: Path
    photos: Sequence[Photo]


@dataclass(frozen=True)
class ShardCount:
    """What a written shard holds."""

    num_bytes: int
    num_boxed: int
    """Photos that were cut to their box."""
    num_bad_boxes: int
    """Photos with a box that none can be cut to."""


def plan_squares(
    catalogue: Path, split: Path, out: Path, photos_per_shard: int, members: Members = Members.PLAIN
) -> list[SquareShard]:
    """The shards of every split that has photos, in catalogue order; `split` is the folder of the split stage."""
    taxonomy = Taxonomy.read(split / "taxonomy.json")
    places = pl.read_parquet(
        required(catalogue, "fetch"), columns=["photo_id", "sha256", "shard", "offset", "num_bytes", "box"]
    )
    photos = pl.read_parquet(required(split / "split.parquet", "split")).join(
        places, on="photo_id", maintain_order="left"
    )
    shards = []
    for part in Split:
        rows = photos.filter(pl.col("split") == part)
        for number, start in enumerate(range(0, len(rows), photos_per_shard)):
            chosen = _describe(rows.slice(start, photos_per_shard), taxonomy, members)
            shards.append(SquareShard(out / f"{part}-{number:05d}.tar", list(chosen)))
    return shards


def _describe(rows: pl.DataFrame, taxonomy: Taxonomy, members: Members) -> Iterator[Photo]:
    for row in rows.iter_rows(named=True):
        labels = {rank: row[rank] for rank in taxonomy.ranks}
        facts = {"photo_id": row["photo_id"], "sha256": row["sha256"], "labels": labels, "region": row["region"]}
        texts = write_texts(name_taxon(row["label"], labels, taxonomy)) if members is Members.TREEOFLIFE else {}
        box = None if row["box"] is None else tuple(row["box"])
        yield Photo(Location(row["shard"], row["offset"], row["num_bytes"]), facts, box, texts)


def encode_square(content: bytes, style: SquareStyle, drawn: DrawnBox | None = None) -> tuple[bytes, dict[str, Any]]:
    """`cut_square` as a file of the style's format."""
    square, geometry = cut_square(content, style, drawn)
    return encode(square, style.encoding), geometry


def cut_square(content: bytes, style: SquareStyle, drawn: DrawnBox | None = None) -> tuple[Image.Image, dict[str, Any]]:
    """A photo's bytes as a square of `style`, and `source_size` (upright, px) and `box` for its JSON.

    Where `style` cuts to boxes, `drawn` is the catalogue's, and the JSON gets `subject`, the box in px of the upright
    photo, or null. Raises PhotoError if the bytes are no photo, which clean would have dropped.
    """
    layout = style.layout
    drawn = drawn if style.method is Method.BBOX else None
    found = decode_photo(content, None, _allow_shrinking(style, drawn))
    if found.image is None:
        assert found.flaw
        raise PhotoError(f"{found.flaw.value}: {found.flaw.meaning}")
    subject = find_subject(drawn, found.upright_size, found.exif_orientation) if drawn else None
    part = subject.around(*found.image.size, style.bbox_margin) if subject else None
    square, box = make_square(found.image, layout, part)
    geometry: dict[str, Any] = {"source_size": list(found.upright_size), "box": list(box)}
    if style.method is Method.BBOX:
        geometry["subject"] = list(subject.in_pixels(*found.upright_size)) if subject else None
    return square, geometry


def _allow_shrinking(style: SquareStyle, drawn: DrawnBox | None) -> Shrink:
    """How many times smaller a photo may be decoded, so that what is seen of it is OVERSIZE times its final size."""

    def shrink(width: int, height: int) -> float:
        seen = max(width, height) if style.layout.method is Method.PAD else min(width, height)
        if drawn:
            # Which side is which does not matter: the part that is seen is a square.
            across, down, *frame = drawn[2] - drawn[0], drawn[3] - drawn[1], *drawn[4:]
            subject = max(across, down) * (1 + 2 * style.bbox_margin)
            seen = min(seen, subject * max(width, height) / max(frame or (width, height)))
        return seen / (OVERSIZE * style.size)

    return shrink


def write_squares(shard: SquareShard, originals: Originals, style: SquareStyle) -> ShardCount:
    """Write one WebDataset shard, whole or not at all.

    Raises PhotoError if a photo of a stream cannot be had again.
    """
    num_boxed = num_bad_boxes = 0
    with TarShardWriter(shard.path) as tar:
        contents = originals.read(photo.location for photo in shard.photos)
        for content, photo in zip(contents, shard.photos, strict=True):
            key = photo.facts["photo_id"]
            if content is None:
                raise PhotoError(
                    f"{key}: gone, changed or out of reach since it was fetched, and fetch.store: stream keeps no "
                    "originals; run again, or `dvc repro -f clean` to drop such photos"
                )
            try:
                image, geometry = encode_square(content, style, photo.box)
            except PhotoError as error:
                raise PhotoError(f"{key}: {error}; `dvc repro -f clean` drops such photos") from error
            is_boxed = geometry.get("subject") is not None
            num_boxed += is_boxed
            num_bad_boxes += style.method is Method.BBOX and photo.box is not None and not is_boxed
            tar.add(f"{key}.{style.format.ending}", image)
            tar.add(f"{key}.json", json.dumps({**photo.facts, **geometry}, ensure_ascii=False).encode())
            for ending, text in photo.texts.items():
                tar.add(f"{key}.{ending}", text.encode())
    return ShardCount(shard.path.stat().st_size, num_boxed, num_bad_boxes)
