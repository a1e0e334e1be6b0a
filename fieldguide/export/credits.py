"""Whose photos the model was trained on and shows: licences counted, examples chosen, both from the catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fieldguide.catalogue.licences import allows_any_use, needs_credit
from fieldguide.catalogue.names import NOTHING
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
    """None only where the licence asks for no name."""


@dataclass(frozen=True)
class LicenceCount:
    """Training photos under one licence."""

    licence: str
    num_photos: int
    num_holders: int
    """Distinct rights holders, or observers where none is named."""


def read_credits(catalogue: Path, photo_ids: Iterable[str]) -> pl.DataFrame:
    """photo_id, licence and rights_holder of the photos asked for, in catalogue order.

    Where no rights holder is named it is the observer; null where neither is a name, as of an observer's number.
    """
    wanted = pl.Series(list(photo_ids), dtype=pl.String)
    holder = pl.coalesce(_if_name("rights_holder"), _if_name("observer")).alias("rights_holder")
    rows = pl.scan_parquet(catalogue).select("photo_id", "licence", holder)
    rows = rows.filter(pl.col("photo_id").is_in(wanted.implode()))
    return rows.unique("photo_id", keep="first", maintain_order=True).collect()


def _if_name(column: str) -> pl.Expr:
    text = pl.col(column)
    is_name = text.str.contains(r"\p{L}") & ~text.str.to_lowercase().is_in(sorted(NOTHING))
    return pl.when(is_name).then(text)


def count_licences(credits: pl.DataFrame) -> list[LicenceCount]:
    """Photos and rights holders by licence, most photos first."""
    counted = credits.group_by("licence").agg(
        pl.len().alias("num_photos"), pl.col("rights_holder").drop_nulls().n_unique().alias("num_holders")
    )
    ordered = counted.sort(["num_photos", "licence"], descending=[True, False])
    return [LicenceCount(**row) for row in ordered.iter_rows(named=True)]


def pick_examples(records: RecordSet, credits: pl.DataFrame, count: int) -> list[Example]:
    """Up to `count` records of different classes, `other` never, that the bundle may carry by `may_pass_on`."""
    first = records.taxonomy.ranks[0]
    classes = records.taxonomy.classes[first]
    by_id = {row["photo_id"]: (row["licence"], row["rights_holder"]) for row in credits.iter_rows(named=True)}
    chosen: dict[str, Example] = {}
    for record in records:
        if len(chosen) == count:
            break
        label = classes[record.labels[first]]
        credit = by_id.get(record.photo_id)
        if label != OTHER and label not in chosen and credit and may_pass_on(*credit):
            chosen[label] = Example(record.photo_id, record.image, label, *credit)
    return list(chosen.values())


def may_pass_on(licence: str, rights_holder: str | None) -> bool:
    """Whether the licence allows any use, and what it asks for, a name, is there."""
    return allows_any_use(licence) and (rights_holder is not None or not needs_credit(licence))
