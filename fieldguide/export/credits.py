"""Whose photos the model was trained on and shows: licences counted, examples chosen, both from the catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fieldguide.catalogue.licences import allows_any_use
from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.records.reader import RecordSet


@dataclass(frozen=True)
class Example:
    """A test photo that the page offers to try, and whom to credit for it."""

    photo_id: str
    image: bytes
    label: str
    licence: str
    rights_holder: str | None


@dataclass(frozen=True)
class LicenceCount:
    """Training photos under one licence."""

    licence: str
    num_photos: int
    num_holders: int
    """Distinct rights holders, where the source names them."""


def read_credits(catalogue: Path, photo_ids: Iterable[str]) -> pl.DataFrame:
    """photo_id, licence and rights_holder of the photos asked for, in catalogue order."""
    columns = ["photo_id", "licence", "rights_holder"]
    wanted = pl.Series(list(photo_ids), dtype=pl.String)
    rows = pl.scan_parquet(catalogue).select(columns).filter(pl.col("photo_id").is_in(wanted.implode()))
    return rows.unique("photo_id", keep="first", maintain_order=True).collect()


def count_licences(credits: pl.DataFrame) -> list[LicenceCount]:
    """Photos and rights holders by licence, most photos first."""
    counted = credits.group_by("licence").agg(
        pl.len().alias("num_photos"), pl.col("rights_holder").drop_nulls().n_unique().alias("num_holders")
    )
    ordered = counted.sort(["num_photos", "licence"], descending=[True, False])
    return [LicenceCount(**row) for row in ordered.iter_rows(named=True)]


def pick_examples(records: RecordSet, credits: pl.DataFrame, count: int) -> list[Example]:
    """Up to `count` records of different classes, `other` never, whose licence lets the bundle carry them."""
    first = records.taxonomy.ranks[0]
    classes = records.taxonomy.classes[first]
    by_id = {row["photo_id"]: row for row in credits.iter_rows(named=True)}
    chosen: dict[str, Example] = {}
    for record in records:
        if len(chosen) == count:
            break
        label = classes[record.labels[first]]
        credit = by_id.get(record.photo_id)
        if label == OTHER or label in chosen or credit is None or not allows_any_use(credit["licence"]):
            continue
        chosen[label] = Example(record.photo_id, record.image, label, credit["licence"], credit["rights_holder"])
    return list(chosen.values())
