"""Photos and whole labels that no model may train on, so that a benchmark on them is fair.

`unseen` species are held out altogether, `seen` photos alone; both as in the rare-species benchmark of the tree-of-life
data sets. So are `blank` photos, which show no organism, as camera traps take them. What stands in one group with a
held-out photo and is not held out itself is left out: it would give it away.
"""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from fieldguide.catalogue.names import taxon_name
from fieldguide.catalogue.schema import photo_id
from fieldguide.catalogue.splits import Split
from fieldguide.errors import CatalogueError
from fieldguide.files import salted_unit
from fieldguide.split.params import HeldOutParams

log = logging.getLogger(__name__)


def find_whole(labels: list[str], params: HeldOutParams, salt: str) -> dict[str, Split]:
    """Those of `labels` that are held out altogether, blank or unseen. Raises CatalogueError if the list is missing."""
    blank = _find_listed("split.held_out.blank", params.blank, labels)
    species = [name for name in labels if name not in blank]
    unseen = {name for name in species if salted_unit(f"{salt}/unseen", name) < params.unseen_fraction}
    if params.unseen is not None:
        unseen |= _find_listed(params.unseen, _read_lines(params.unseen), species)
    return dict.fromkeys(sorted(blank), Split.BLANK) | dict.fromkeys(sorted(unseen), Split.UNSEEN)


def hold_out(photos: pl.DataFrame, whole: Mapping[str, Split], seen: Path | None) -> pl.DataFrame:
    """Set `split` to that of `whole` or to seen where it applies, and to null beside such photos.

    `photos` needs photo_id, source, sha256, url, label, group_id and split. Raises CatalogueError without the list.
    """
    by_label = pl.col("label").replace_strict(
        {label: part.value for label, part in whole.items()}, default=None, return_dtype=pl.String
    )
    is_seen = _is_listed(photos, seen) if seen else pl.lit(value=False)
    beside = (by_label.is_not_null() | is_seen).any().over("group_id")
    split = pl.when(by_label.is_not_null()).then(by_label).when(is_seen).then(pl.lit(Split.SEEN.value))
    return photos.with_columns(split.when(beside).then(None).otherwise(pl.col("split")).alias("split"))


def _is_listed(photos: pl.DataFrame, path: Path) -> pl.Expr:
    """Which photos a list names in any way."""
    lines = _read_lines(path)
    # A photo_id is a digest of the source's name and id, so the source's own ids are found without being kept.
    by_source = {photo_id(source, line): line for source in photos["source"].unique() for line in lines}
    names = pl.concat([photos[name].cast(pl.String) for name in ("photo_id", "sha256", "url")]).drop_nulls().unique()
    own = names.filter(names.is_in(sorted(by_source))).to_list()
    given = names.filter(names.is_in(sorted(lines))).to_list()
    _warn_of_unmatched(path, lines, {*given, *(by_source[name] for name in own)})
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


def _find_listed(where: Path | str, names: Iterable[str], labels: list[str]) -> set[str]:
    given = set(map(taxon_name, names))
    listed = given.intersection(labels)
    _warn_of_unmatched(where, given, listed)
    return listed


def _warn_of_unmatched(where: Path | str, names: set[str], found: set[str]) -> None:
    if strange := sorted(names - found):
        log.warning("%s: %d of %d names match nothing, as %r", where, len(strange), len(names), strange[0])
