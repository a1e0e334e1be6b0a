"""Writes one TFRecord shard of shuffled photos: what the workers of the tfrecord stage do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError, RecordError
from fieldguide.images.headers import read_size
from fieldguide.records.cutting import ShardPlan
from fieldguide.records.described_square import FORMATS, Square
from fieldguide.records.example_encoder import ExampleEncoder
from fieldguide.records.features import Description
from fieldguide.records.gather import gather
from fieldguide.records.kinds import Form
from fieldguide.records.labels_table import tabulate_labels
from fieldguide.records.manifest import ShardEntry
from fieldguide.records.shard_file import write_shard_file


@dataclass(frozen=True)
class Recipe:
    """What is the same for all records of a folder."""

    taxonomy: Path
    taxonomy_sha256: str
    form: Form
    side: int
    """px"""


def write_shard(plan: ShardPlan, recipe: Recipe, memory_bytes: int) -> tuple[ShardEntry, pl.DataFrame]:
    """Write one shard and its index; return its manifest entry and its rows of labels.parquet.

    About `memory_bytes` of photos are held at once.
    """
    taxonomy, encoder = prepare_encoder(recipe)
    described: list[Description] = []

    def payloads() -> Iterator[bytes]:
        for found in gather(plan.places, plan.tars, memory_bytes):
            square = Square(found.image, recipe.side, found.description, taxonomy, FORMATS[found.suffix])
            check_image(square, found.where)
            described.append(found.description)
            yield encoder.encode(square)

    entry = write_shard_file(plan.path, payloads(), recipe.form.compression)
    return entry, tabulate_labels(described, taxonomy)


@lru_cache(maxsize=1)
def prepare_encoder(recipe: Recipe) -> tuple[Taxonomy, ExampleEncoder]:
    """What all shards of a worker share; the digest in `recipe` tells one folder's taxonomy from another's."""
    taxonomy = Taxonomy.read(recipe.taxonomy)
    return taxonomy, ExampleEncoder(recipe.form.fields(recipe.side), taxonomy)


def check_image(square: Square, where: str) -> None:
    """Raise RecordError unless the header of the image is that of a square of its side."""
    try:
        size = read_size(square.image, square.format)
    except PhotoError as error:
        raise RecordError(f"{where} {error}") from None
    if size != (square.side, square.side):
        raise RecordError(f"{where} is {size[0]} x {size[1]} px; expected {square.side} x {square.side} px")
