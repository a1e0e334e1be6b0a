"""Where photos still are: everything in a repository that holds their bytes, their pixels or what was made of them."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from fieldguide.commands.summary import Line
from fieldguide.commands.why import EMBEDDINGS, PREDICTIONS, RECORDS, SPLIT, SQUARES
from fieldguide.params import read_params

SHOWN = 5
"""Names before `and n more`."""
EXAMPLES = Path("models/tfjs/examples")
REPORTS = Path("reports")
MODELS = Path("models")
ELSEWHERE = (
    (Path(".dvc/cache"), "earlier versions of all these; likewise the remotes, branches and experiments"),
    (Path("mlartifacts"), "reports and models of earlier runs"),
)


def describe_holdings(photos: pl.DataFrame, root: Path = Path()) -> Iterator[Line]:
    """What holds photos (rows of the catalogue), as (place, how) lines, from the source to the models."""
    if photos.is_empty():
        return
    yield "sources", f"{_name(photos['source_row'])}; remove the rows, and the files if they are yours"
    if len(shards := photos["shard"].drop_nulls().unique().sort()):
        yield "interim/fetch", f"{_name(shards)}, until the sources have them no more"
    if cached := [str(file) for file in _cached(photos, root) if file.exists()]:
        yield "cache", f"{_name(pl.Series(cached))}; can be deleted"
    ids = photos["photo_id"]
    used = _select(root / SPLIT, ids)
    made = [str(folder) for folder in (SQUARES, RECORDS, EMBEDDINGS) if len(used) and (root / folder).exists()]
    if made:
        yield ", ".join(made), f"{len(used)} of the photos"
    if num_answers := len(_select(root / PREDICTIONS, ids)):
        yield str(PREDICTIONS), f"{num_answers} answers about them"
    if pages := [str(page.relative_to(root)) for page in _find_pages(root / REPORTS, set(ids))]:
        yield "pages", _name(pl.Series(pages))
    kept = (file for photo in ids for file in sorted((root / EXAMPLES).glob(f"{photo}.*")))
    if examples := [str(file.relative_to(root)) for file in kept]:
        yield "bundle", _name(pl.Series(examples))
    if (
        len(used)
        and (num_taught := used.filter(pl.col("split") == "train").height)
        and any((root / MODELS).glob("*/*"))
    ):
        yield str(MODELS), f"{num_taught} of the photos were trained on"
    yield from ((str(place), what) for place, what in ELSEWHERE if (root / place).exists())


def _name(names: pl.Series) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names.head(SHOWN)) + more


def _cached(photos: pl.DataFrame, root: Path) -> Iterator[Path]:
    """Where a stream's cache would have the photos."""
    if (root / "params.yaml").exists():
        folder = root / str(read_params(root / "params.yaml").get("fetch", {}).get("cache_folder", ""))
        yield from (folder / digest for digest in photos["sha256"].drop_nulls().unique().sort())


def _select(table: Path, ids: pl.Series) -> pl.DataFrame:
    if not table.exists():
        return pl.DataFrame()
    return pl.scan_parquet(table).filter(pl.col("photo_id").is_in(ids.implode())).collect()


def _find_pages(reports: Path, ids: set[str]) -> Iterator[Path]:
    for page in sorted(reports.rglob("*.html")):
        text = page.read_text(encoding="utf-8", errors="replace")
        if any(photo in text for photo in ids):
            yield page
