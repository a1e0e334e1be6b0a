"""Photos and whole species that no model may train on, so that a benchmark on them is fair.

`unseen` species are held out altogether, `seen` photos alone; both as in the rare-species benchmark of the tree-of-life
data sets. What stands in one group with a held-out photo and is not held out itself is left out: it would give it
away.
"""

import logging
from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field

from fieldguide.catalogue.splits import Split
from fieldguide.errors import CatalogueError
from fieldguide.files import salted_unit
from fieldguide.params import Section

log = logging.getLogger(__name__)


class HeldOutParams(Section):
    """What is kept from training."""

    unseen_fraction: Annotated[float, Field(ge=0, lt=1)]
    """Of the species, drawn by a salted hash of their names."""
    unseen: Path | None
    """A text file, one species a line."""
    seen: Path | None
    """A text file, one photo a line: its id, SHA-256 or URL as the catalogue has it."""


def find_unseen(labels: list[str], params: HeldOutParams, salt: str) -> set[str]:
    """Those of `labels` that are held out altogether. Raises CatalogueError if the list is missing."""
    drawn = {name for name in labels if salted_unit(f"{salt}/unseen", name) < params.unseen_fraction}
    return drawn | (_read_list(params.unseen, pl.Series(labels, dtype=pl.String)) if params.unseen else set())


def hold_out(photos: pl.DataFrame, unseen: set[str], seen: Path | None) -> pl.DataFrame:
    """Set `split` to seen or unseen where it applies, and to null beside such photos.

    `photos` needs photo_id, sha256, url, label, group_id and split. Raises CatalogueError if the list is missing.
    """
    is_unseen = pl.col("label").is_in(sorted(unseen))
    is_seen = pl.lit(value=False)
    if seen:
        names = pl.concat([photos[name].cast(pl.String) for name in ("photo_id", "sha256", "url")])
        listed = sorted(_read_list(seen, names))
        is_seen = pl.any_horizontal(pl.col("photo_id", "sha256", "url").is_in(listed))
    beside = (is_unseen | is_seen).any().over("group_id")
    split = pl.when(is_unseen).then(pl.lit(Split.UNSEEN.value)).when(is_seen).then(pl.lit(Split.SEEN.value))
    return photos.with_columns(split.when(beside).then(None).otherwise(pl.col("split")).alias("split"))


def _read_list(path: Path, known: pl.Series) -> set[str]:
    """The lines of a list that are among `known`; how many are not goes to the log."""
    try:
        lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing; split.held_out names it") from None
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: not valid UTF-8 ({error.reason})") from None
    listed = pl.Series(sorted({line for line in lines if line and not line.startswith("#")}), dtype=pl.String)
    found = listed.filter(listed.is_in(known.drop_nulls().unique().implode()))
    if len(found) < len(listed):
        strange = listed.filter(~listed.is_in(found.implode()))
        log.warning("%s: %d of %d lines match nothing, as %r", path, len(strange), len(listed), strange[0])
    return set(found)
