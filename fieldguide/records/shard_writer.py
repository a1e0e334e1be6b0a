"""Writes one TFRecord shard of shuffled photos: what the workers of the tfrecord stage do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError, RecordError
from fieldguide.images.encode import ImageFormat
from fieldguide.images.headers import read_header
from fieldguide.memory import keep_freed_memory
from fieldguide.records.cutting import ShardPlan
from fieldguide.records.described_square import FORMATS, Square
from fieldguide.records.descriptions import parse_texts, split_texts
from fieldguide.records.example_encoder import ExampleEncoder, Template
from fieldguide.records.features import Description
from fieldguide.records.gather import Gathered, gather
from fieldguide.records.kinds import Form
from fieldguide.records.labels_table import tabulate_labels
from fieldguide.records.manifest import ShardEntry
from fieldguide.records.places import SUFFIXES
from fieldguide.records.shard_file import write_shard_file

MAX_KEPT: Final = 1 << 15
"""Facts that a worker remembers: about 60 MB."""
MAX_AT_ONCE: Final = 256
BYTES_AT_ONCE: Final = 1 << 22
"""Photos that are encoded together: they are still in the cache of a core when they are written."""


@dataclass(frozen=True)
class Recipe:
    """What is the same for all records of a folder."""

    taxonomy: Path
    taxonomy_sha256: str
    form: Form
    side: int
    """px"""


class Facts(NamedTuple):
    """What photos with equal facts share."""

    description: Description
    """Of one of them."""
    template: Template


def write_shard(plan: ShardPlan, recipe: Recipe, memory_bytes: int) -> tuple[ShardEntry, pl.DataFrame]:
    """Write one shard and its index; return its manifest entry and its rows of labels.parquet.

    About `memory_bytes` of photos are held at once.
    """
    keep_freed_memory()
    composer = prepare_composer(recipe)
    rows: list[pl.DataFrame] = []
    photos = gather(plan.places, plan.tars, memory_bytes)
    payloads = (payload for some in photos for payload in composer.compose(some, rows))
    entry = write_shard_file(plan.path, payloads, recipe.form.compression)
    return entry, pl.concat(rows)


@lru_cache(maxsize=1)
def prepare_composer(recipe: Recipe) -> "Composer":
    """What all shards of a worker share; the digest in `recipe` tells one folder's taxonomy from another's."""
    return Composer(recipe)


class Composer:
    """Makes records of photos, and remembers what the next photos may share with them."""

    def __init__(self, recipe: Recipe) -> None:
        self._side = recipe.side
        self._num_pixel_bytes = recipe.form.num_pixel_bytes(recipe.side)
        self._taxonomy = Taxonomy.read(recipe.taxonomy)
        self._encoder = ExampleEncoder(recipe.form.fields(recipe.side), self._taxonomy)
        self._known: dict[tuple[bytes, int], Facts] = {}

    def compose(self, photos: Gathered, labels: list[pl.DataFrame]) -> Iterator[bytes]:
        """The payloads of records; what labels.parquet says of them is added to `labels`.

        Raises RecordError where an image or a description is not what the resize stage writes.
        """
        check_images(photos, self._side)
        photo_ids = photos.places["photo_id"].astype("U").tolist()
        suffixes = photos.places["suffix"].tolist()
        digests, texts = split_texts(photos)
        keys = list(zip(texts, suffixes, strict=True))
        self._learn(photos, photo_ids, keys)
        facts = [self._known[key] for key in keys]
        labels.append(tabulate_labels(photo_ids, digests, [each.description for each in facts], self._taxonomy))
        for part in self._cut(photos):
            rows = zip(photos.images[part], photo_ids[part], suffixes[part], facts[part], strict=True)
            squares = [
                self._square(image, photo_id, suffix, each.description) for image, photo_id, suffix, each in rows
            ]
            yield from self._encoder.encode(squares, [each.template for each in facts[part]])
            photos.images[part] = [b""] * len(squares)

    def _cut(self, photos: Gathered) -> Iterator[slice]:
        """Parts that take little memory as records."""
        num_photos = len(photos.places)
        num_bytes = self._num_pixel_bytes + int(photos.places["image_size"].max())
        step = min(MAX_AT_ONCE, max(1, BYTES_AT_ONCE // num_bytes))
        for start in range(0, num_photos, step):
            yield slice(start, min(start + step, num_photos))

    def _learn(self, photos: Gathered, photo_ids: list[str], keys: list[tuple[bytes, int]]) -> None:
        """Have the facts of all `keys`."""
        if len(self._known) > MAX_KEPT:
            self._known.clear()
        # Each by the first photo that has them.
        unknown = {key: position for position, key in reversed([*enumerate(keys)]) if key not in self._known}
        descriptions = parse_texts(photos, unknown.values())
        for (key, position), description in zip(unknown.items(), descriptions, strict=True):
            square = self._square(photos.images[position], photo_ids[position], key[1], description)
            self._known[key] = Facts(description, self._encoder.prepare(square))

    def _square(self, image: bytes, photo_id: str, suffix: int, description: Description) -> Square:
        return Square(image, self._side, photo_id, description, self._taxonomy, FORMATS[SUFFIXES[suffix]])


def check_images(photos: Gathered, side: int) -> None:
    """Raise RecordError unless the header of every image is that of a square of `side` px."""
    headers = dict.fromkeys(range(len(SUFFIXES)), b"no header")
    for position, (image, suffix) in enumerate(zip(photos.images, photos.places["suffix"].tolist(), strict=True)):
        # All from one encoder: most begin with the header of the one before.
        if not image.startswith(headers[suffix]):
            headers[suffix] = check_image(image, side, FORMATS[SUFFIXES[suffix]], photos.name(position))


def check_image(image: bytes, side: int, image_format: ImageFormat, where: str) -> bytes:
    """The header of an image. Raises RecordError unless it is that of a square of `side` px."""
    try:
        header, size = read_header(image, image_format)
    except PhotoError as error:
        raise RecordError(f"{where} {error}") from None
    if size != (side, side):
        raise RecordError(f"{where} is {size[0]} x {size[1]} px; expected {side} x {side} px")
    return header
