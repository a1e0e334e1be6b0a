"""Photos and whole species that no model may train on, so that a benchmark on them is fair.

`unseen` species are held out altogether, `seen` photos alone; both as in the rare-species benchmark of the tree-of-life
data sets. What stands in one group with a held-out photo and is not held out itself is left out: it would give it
away.
"""

import logging
from pathlib import Path

import polars as pl

from fieldguide.catalogue.names import taxon_name
from fieldguide.catalogue.schema import photo_id
from fieldguide.catalogue.splits import Split
from fieldguide.errors import CatalogueError
from fieldguide.files import salted_unit
from fieldguide.split.params import HeldOutParams

log = logging.getLogger(__name__)


def find_unseen(labels: list[str], params: HeldOutParams, salt: str) -> set[str]:
    """Those of `labels` that are held out altogether. Raises CatalogueError if the list is missing."""
    drawn = {name for name in labels if salted_unit(f"{salt}/unseen", name) < params.unseen_fraction}
    if params.unseen is None:
        return drawn
    lines = set(map(taxon_name, _read_lines(params.unseen)))
    listed = lines.intersection(labels)
    _refuse_unmatched(params.unseen, lines, listed)
    return drawn | listed


def hold_out(photos: pl.DataFrame, unseen: set[str], seen: Path | None) -> pl.DataFrame:
    """Set `split` to seen or unseen where it applies, and to null beside such photos.

    `photos` needs photo_id, source, sha256, url, label, group_id and split. Raises CatalogueError without the list.
    """
    is_unseen = pl.col("label").is_in(sorted(unseen))
    is_seen = _is_listed(photos, seen) if seen else pl.lit(value=False)
    beside = (is_unseen | is_seen).any().over("group_id")
    split = pl.when(is_unseen).then(pl.lit(Split.UNSEEN.value)).when(is_seen).then(pl.lit(Split.SEEN.value))
    return photos.with_columns(split.when(beside).then(None).otherwise(pl.col("split")).alias("split"))


def _is_listed(photos: pl.DataFrame, path: Path) -> pl.Expr:
    """Which photos a list names in any way."""
    lines = _read_lines(path)
    # A photo_id is a digest of the source's name and id, so the source's own ids are found without being kept.
    by_source = {photo_id(source, line): line for source in photos["source"].unique() for line in lines}
    names = pl.concat([photos[name].cast(pl.String) for name in ("photo_id", "sha256", "url")]).drop_nulls().unique()
    own = names.filter(names.is_in(sorted(by_source))).to_list()
    given = names.filter(names.is_in(sorted(lines))).to_list()
    _refuse_unmatched(path, lines, {*given, *(by_source[name] for name in own)})
    return pl.any_horizontal(pl.col("photo_id", "sha256", "url").is_in(sorted({*given, *own})))


def _read_lines(path: Path) -> set[str]:
    """The lines of a list but for comments. Raises CatalogueError if there is none."""
    try:
        lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing; split.held_out names it") from None
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: not valid UTF-8 ({error.reason})") from None
    return {line for line in lines if line and not line.startswith("#")}


def _refuse_unmatched(path: Path, lines: set[str], found: set[str]) -> None:
    if strange := sorted(lines - found):
        log.warning("%s: %d of %d lines match nothing, as %r", path, len(strange), len(lines), strange[0])
