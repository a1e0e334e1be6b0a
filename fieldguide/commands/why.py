"""The whole life of a photo, told from what the stages left: source line, download, verdict, split, record, answers.

Nothing is computed again, so what is told is what happened. Where a stage has not run the story ends.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fieldguide.catalogue.licences import licence_kind
from fieldguide.catalogue.rows import locate
from fieldguide.clean.decisions import DECISIONS_LIST
from fieldguide.clean.forgotten import FORGOTTEN_LIST, read_forgotten
from fieldguide.clean.forgotten import Line as ForgottenLine
from fieldguide.clean.reasons import FORGOTTEN
from fieldguide.commands.summary import Line, as_text
from fieldguide.digests import checked
from fieldguide.errors import CatalogueError
from fieldguide.files import file_sha256
from fieldguide.images.encode import ENDINGS
from fieldguide.params import PARAMS_FILE, read_params
from fieldguide.records.manifest import Manifest
from fieldguide.tar import iterate_members

PHOTO_ID = re.compile(r"[0-9a-f]{16}")
SHA256 = re.compile(r"[0-9a-f]{64}")

CATALOGUE = Path("interim/fetch/catalogue.parquet")
VERDICTS = Path("interim/clean/verdicts.parquet")
SPLIT = Path("interim/split/split.parquet")
LEFT_OUT = Path("interim/split/left_out.parquet")
SQUARES = Path("interim/resize")
RECORDS = Path("interim/tfrecord")
EMBEDDINGS = Path("interim/embed")
PREDICTIONS = Path("reports/evaluate/predictions.parquet")

NO_RANKS = frozenset(
    {"photo_id", "split", "group_id", "observation_id", "region", "latitude", "longitude", "month", "label"}
)
"""The columns of split.parquet that are there whatever the ranks."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What names the photo."""
    parser.add_argument("photo", help="photo id, SHA-256, URL, source row (observations.jsonl:812) or file")


def run(arguments: argparse.Namespace) -> None:
    """Print the life of every photo that is meant, a blank line between two."""
    print("\n\n".join(as_text(lines) for lines in explain(arguments.photo)))


def explain(query: str, root: Path = Path()) -> list[list[Line]]:
    """For every catalogue row that `query` means, what became of it at each stage.

    `query` is a photo id, a SHA-256, a URL as a source writes it or as the catalogue has it, a source row
    (`observations.jsonl:812`), or a file: by its path, else by its bytes. `root` is the repository.
    Raises CatalogueError if nothing has been fetched yet or no row matches, RecordError where a table is damaged.
    """
    if not (root / CATALOGUE).exists():
        raise CatalogueError(f"{CATALOGUE} is missing; run the fetch stage first")
    for table in (CATALOGUE, VERDICTS, SPLIT, LEFT_OUT, PREDICTIONS):
        checked(root / table)
    rows = pl.scan_parquet(root / CATALOGUE).filter(meant_by(query, root)).collect()
    if rows.is_empty():
        raise CatalogueError(
            f"no row of {CATALOGUE} is about {query!r}; expected a photo id, a SHA-256, a URL, a source row or a file"
            f"{_say_if_forgotten(query, root)}"
        )
    return [list(_tell(row, root)) for row in rows.iter_rows(named=True)]


def meant_by(query: str, root: Path) -> pl.Expr:
    """Which rows of the catalogue `query` is about; see `explain`."""
    if PHOTO_ID.fullmatch(query):
        return pl.col("photo_id") == query
    if SHA256.fullmatch(query):
        return pl.col("sha256") == query
    urls = {query, *(locate(query, folder)[0] for folder in (Path(), Path("data"), *_roots(root)))}
    meant = pl.col("url").is_in(sorted(urls)) | (pl.col("source_row") == query)
    if (file := root / query).is_file():
        meant = meant | pl.col("url").is_in([f"file:{file.absolute()}"]) | (pl.col("sha256") == file_sha256(file))
    return meant


def _roots(root: Path) -> Iterator[Path]:
    """The folders from which the sources' paths start: a table's own, unless it names another."""
    if (root / PARAMS_FILE).exists():
        sources = read_params(root / PARAMS_FILE).get("fetch", {}).get("sources", {})
        for source in sources.values():
            path = str(source.get("path", ""))
            named = [source.get("root"), *source.get("roots", []), Path(path).parent if "://" not in path else None]
            yield from (Path(str(folder)) for folder in named if folder)


def _tell(row: dict[str, Any], root: Path) -> Iterator[Line]:
    photo_id = row["photo_id"]
    yield "photo", photo_id
    yield "source", f"{row['source']}, {row['source_row']}"
    yield "url", row["url"]
    known = ("label", "observation_id", "observer", "region", "rights_holder", "given_split")
    yield "said of it", ", ".join(f"{name} {row[name]}" for name in known if row[name] is not None) or "nothing"
    yield "licence", f"{row['licence']} ({licence_kind(row['licence'])})"
    yield "fetch", _fetched(row)
    verdict = _find(root / VERDICTS, photo_id)
    if verdict is None:
        return
    yield "clean", _judged(verdict, root)
    if verdict["reason"] == FORGOTTEN:
        yield "forgotten", _forgotten(row, verdict, root)
    yield from _duplicates(verdict, root)
    if verdict["verdict"] != "keep":
        return
    part = _find(root / SPLIT, photo_id)
    if part is None:
        if left_out := _find(root / LEFT_OUT, photo_id):
            yield "split", f"left out, {left_out['reason']}"
        return
    ranks = [name for name in part if name not in NO_RANKS]
    classes = ", ".join(f"{rank} {part[rank]}" for rank in ranks)
    yield "split", f"{part['split']}, with its group {part['group_id']}; {classes}"
    if square := _find_square(root / SQUARES, part["split"], photo_id):
        yield "resize", square
    if record := _find_record(root, part["split"], photo_id):
        yield "tfrecord", record
    yield from _answers(root / PREDICTIONS, photo_id)


def _fetched(row: dict[str, Any]) -> str:
    if row["shard"] is None:
        code = f" (HTTP {row['http_status']})" if row["http_status"] else ""
        return f"{row['status']}{code}: {row['error']}"
    where = f"in {row['shard']} at {row['offset']:,}"
    if row["shard"].endswith(".parquet"):
        where = f"not kept, row {row['offset']:,} of {row['shard']}"
    return f"{row['num_bytes']:,} bytes {where}, SHA-256 {row['sha256']}"


def _judged(verdict: dict[str, Any], root: Path) -> str:
    text = verdict["verdict"] if verdict["verdict"] == "keep" else f"drop, {verdict['reason']}"
    if verdict["width"]:
        text += f"; {verdict['format']} {verdict['mode']}, {verdict['width']} x {verdict['height']} px"
    if original := verdict["duplicate_of"]:
        first = _find(root / CATALOGUE, original)
        where = f", {first['source_row']}, {first['label'] or 'no label'}" if first else ""
        text += f"; of {original}{where}"
    elif verdict["verdict"] == "keep" and verdict["format"] and not verdict["fingerprint"]:
        text += "; too plain to be compared with others"
    if verdict["labels_differ"]:
        text += "; the same picture stands under other labels, too"
    if label := verdict["new_label"]:
        text += f"; relabelled {label} by {DECISIONS_LIST}"
    if replacement := verdict["replaced_by"]:
        text += f"; replaced by {replacement}"
    return text


def _forgotten(row: dict[str, Any], verdict: dict[str, Any], root: Path) -> str:
    fingerprint = pl.Series([verdict["fingerprint"]], dtype=pl.Binary)
    kind = read_forgotten(root / FORGOTTEN_LIST).find(pl.DataFrame([row]), fingerprint).item()
    if kind is None:
        return f"no line of {FORGOTTEN_LIST} speaks of it any more; run the clean stage again"
    by = "it looks like a forgotten photo" if kind == "fingerprint" else f"its {kind} is listed"
    return f"{by} in {FORGOTTEN_LIST}"


def _say_if_forgotten(query: str, root: Path) -> str:
    urls = {query, *(locate(query, folder)[0] for folder in (Path(), Path("data")))}
    lines = {
        ForgottenLine.of("photo_id", query),
        ForgottenLine.of("bytes", query),
        *(ForgottenLine.of("url", url) for url in urls),
    }
    return f"; {FORGOTTEN_LIST} lists it" if lines & read_forgotten(root / FORGOTTEN_LIST).lines else ""


def _duplicates(verdict: dict[str, Any], root: Path) -> Iterator[Line]:
    """A line for every photo that shows the same picture as a kept one, the kept ones among them included."""
    if verdict["verdict"] != "keep":
        return
    own = verdict["photo_id"]
    verdicts = pl.scan_parquet(root / VERDICTS).select("photo_id", "reason", "duplicate_of", "cluster_id")
    is_same = (pl.col("duplicate_of") == own) | (pl.col("cluster_id") == verdict["cluster_id"]).fill_null(value=False)
    # A duplicate of a duplicate has the first one's name.
    near = verdicts.filter(is_same & (pl.col("photo_id") != own)).collect()
    copies = verdicts.filter(pl.col("duplicate_of").is_in(near["photo_id"].implode())).collect()
    found = pl.concat([near, copies]).unique("photo_id", maintain_order=True).filter(pl.col("photo_id") != own)
    rows = pl.scan_parquet(root / CATALOGUE).select("photo_id", "source_row", "label")
    for other in rows.join(found.lazy(), on="photo_id", maintain_order="left").collect().iter_rows(named=True):
        yield (
            "duplicate",
            f"{other['photo_id']}, {other['source_row']}, {other['label'] or 'no label'}; {other['reason']}",
        )


def _find(table: Path, photo_id: str) -> dict[str, Any] | None:
    """The row of `table` about a photo, None if there is none yet."""
    if not table.exists():
        return None
    rows = pl.scan_parquet(table).filter(pl.col("photo_id") == photo_id).collect()
    return rows.row(0, named=True) if len(rows) else None


def _find_square(folder: Path, split: str, photo_id: str) -> str | None:
    names = [f"{photo_id}.{ending}" for ending in ENDINGS.values()]
    for shard in sorted(folder.glob(f"{split}-*.tar")):
        for member in iterate_members(shard):
            if member.name in names:
                return f"{shard.name}, {member.name}, {member.size:,} bytes at {member.offset:,}"
    return None


def _find_record(root: Path, split: str, photo_id: str) -> str | None:
    # The embeddings name their rows in record order: one small text instead of every shard.
    ids = root / EMBEDDINGS / f"{split}.ids.txt"
    if not ids.exists() or not (root / RECORDS).exists():
        return None
    listed = ids.read_text(encoding="utf-8").split("\n")
    if photo_id not in listed:
        return None
    position = listed.index(photo_id)
    shards = Manifest.read(root / RECORDS).split(split).shards
    ends = np.cumsum([shard.num_records for shard in shards])
    number = int(np.searchsorted(ends, position, side="right"))
    if number == len(shards):
        return None
    return f"{shards[number].file}, record {position - int(ends[number]) + shards[number].num_records}"


def _answers(table: Path, photo_id: str) -> Iterator[Line]:
    if not table.exists():
        return
    for row in pl.scan_parquet(table).filter(pl.col("photo_id") == photo_id).collect().iter_rows(named=True):
        right = "right" if row["top5"][0] == row["label"] else f"wrong, it is {row['label']}"
        yield row["model"], f"{row['top5'][0]}, {row['confidence'][0]:.0%} sure; {right}"
