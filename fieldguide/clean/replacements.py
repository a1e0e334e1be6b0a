"""Photos that stand in for broken ones: of the same taxon and rights holder, so that neither loses its share.

`replacements.csv` has the columns photo, replacement (photo ids). `python -m fieldguide suggest-replacements` proposes
them. A replacement is a photo of the catalogue that was kept anyway; what the list changes is that its broken photo is
accounted for: `replaced_by` says so, and it no longer counts against `max_failure_rate`.
"""

import csv
from collections import defaultdict
from pathlib import Path

import polars as pl

from fieldguide.clean.reasons import UNUSABLE
from fieldguide.errors import CatalogueError
from fieldguide.files import written_whole

COLUMNS = ("photo", "replacement")
SHARED = ("label", "rights_holder")
"""What a photo and its replacement have in common."""


def mark_replaced(verdicts: pl.DataFrame, catalogue: pl.DataFrame, path: Path | None) -> pl.DataFrame:
    """`verdicts` with `replaced_by`: the photo that stands in for a broken one by the list at `path`, else null.

    Raises CatalogueError as `read_replacements` does.
    """
    replaced = read_replacements(path, catalogue, verdicts) if path else {}
    replacement = pl.col("photo_id").replace_strict(replaced, default=None, return_dtype=pl.String)
    return verdicts.with_columns(replacement.alias("replaced_by"))


def read_replacements(path: Path, catalogue: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, str]:
    """The replacement of each broken photo.

    Raises CatalogueError naming the line where one is no photo of the catalogue, the first is not broken or named
    twice, or the second was not kept or differs in SHARED.
    """
    pairs: dict[str, tuple[str, str]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if missing := [name for name in COLUMNS if name not in (reader.fieldnames or [])]:
                raise CatalogueError(f"{path} line 1: no column {missing[0]!r}; expected {', '.join(COLUMNS)}")
            for row in reader:
                where = f"{path} line {reader.line_num}"
                photo, replacement = ((row[name] or "").strip() for name in COLUMNS)
                if photo in pairs:
                    raise CatalogueError(f"{where}: {photo} has a replacement already")
                pairs[photo] = (replacement, where)
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing; clean.replacements names it") from None
    named = {*pairs, *(replacement for replacement, _ in pairs.values())}
    known = _describe(catalogue, verdicts, pl.col("photo_id").is_in(sorted(named)))
    for photo, (replacement, where) in pairs.items():
        for name in (photo, replacement):
            if name not in known:
                raise CatalogueError(f"{where}: no photo {name!r} in the catalogue")
        broken, good = known[photo], known[replacement]
        if broken["reason"] not in UNUSABLE:
            raise CatalogueError(f"{where}: {photo} is {broken['reason']}; expected one that cannot be used")
        if good["verdict"] != "keep":
            raise CatalogueError(f"{where}: {replacement} is {good['reason']}; expected one that was kept")
        for column in SHARED:
            if broken[column] != good[column]:
                raise CatalogueError(
                    f"{where}: {column} of {photo} is {broken[column]!r}, of {replacement} {good[column]!r}"
                )
    return {photo: replacement for photo, (replacement, _) in pairs.items()}


def suggest_replacements(catalogue: pl.DataFrame, verdicts: pl.DataFrame, out: Path) -> tuple[int, int]:
    """Write a replacements.csv; return how many broken photos have a replacement in it, and how many have none.

    Each kept photo stands in for one at most, those that come first in the catalogue first.
    """
    broken = _describe(catalogue, verdicts, pl.col("reason").is_in(UNUSABLE))
    waiting: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    wanted = {tuple(row[column] for column in SHARED) for row in broken.values() if all(row[c] for c in SHARED)}
    for photo, row in _describe(catalogue, verdicts, pl.col("verdict") == "keep").items():
        if (shared := tuple(row[column] for column in SHARED)) in wanted:
            waiting[shared].append(photo)
    num_found = 0
    with written_whole(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for photo, row in broken.items():
            candidates = waiting[tuple(row[column] for column in SHARED)]
            if candidates:
                writer.writerow((photo, candidates.pop(0)))
                num_found += 1
    return num_found, len(broken) - num_found


def _describe(catalogue: pl.DataFrame, verdicts: pl.DataFrame, which: pl.Expr) -> dict[str, dict[str, str]]:
    rows = verdicts.select("photo_id", "verdict", "reason").hstack(catalogue.select(*SHARED)).filter(which)
    return {row["photo_id"]: row for row in rows.iter_rows(named=True)}
