"""Divides photos into train, val and test so that nothing that belongs together is parted.

A photo's split is a pure function of a salt and of the group that it belongs to, never of the photos around it: photos
that are added later move none of the earlier ones. Every species' groups are drawn on their own, so every species is
divided in the asked ratios up to chance; metrics/split.json says how it came out.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import polars as pl

from fieldguide.errors import CatalogueError
from fieldguide.files import salted_unit


class Split(StrEnum):
    """The three parts, in the order in which ratios are laid out over [0, 1)."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def find_groups(table: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """A group id for every row: rows that share a value of any of `columns`, directly or through others, share it.

    The id is the smallest `column=value` that the group's rows hold; a row without any value is a group of its own,
    named by its photo_id. Nulls join nothing.
    """
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    keys: list[list[str]] = [
        [f"{column}={value}" for column, value in zip(columns, values, strict=True) if value is not None]
        for values in table.select(columns).iter_rows()
    ]
    for row in keys:
        for key in row[1:]:
            low, high = sorted((find(row[0]), find(key)))
            parent[high] = low
    ids: list[str] = table["photo_id"].to_list()
    return [find(row[0]) if row else f"photo_id={photo_id}" for row, photo_id in zip(keys, ids, strict=True)]


def draw_split(group_id: str, salt: str, ratios: Mapping[Split, float]) -> Split:
    """The split of a group: a salted hash compared with the running sum of `ratios`, which sum to 1."""
    position, running = salted_unit(salt, group_id), 0.0
    for split in Split:
        running += ratios[split]
        if position < running:
            return split
    return Split.TEST


def honour_given(table: pl.DataFrame, column: str) -> list[Split]:
    """The split that the source gives in `column`. Raises CatalogueError where a row has none or an unknown one."""
    if column not in table.columns:
        raise CatalogueError(f"split.given: no column '{column}'; found {', '.join(table.columns)}")
    allowed = ", ".join(Split)
    splits = []
    for source_row, value in table.select("source_row", column).iter_rows():
        if value not in Split.__members__.values():
            raise CatalogueError(f"{source_row}: {column} is {value!r}; expected one of {allowed}")
        splits.append(Split(value))
    return splits
