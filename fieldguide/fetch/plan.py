"""What fetch has to do, worked out before the first request: every row, every distinct URL, every shard.

Rows stream from the sources into one Parquet file. Distinct URLs, in order of first appearance, go into another
with one row group per shard. So ten million photos cost memory for numbers, about 100 bytes a row, not for text.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fieldguide.catalogue.boxes import NONSENSE, DrawnBox
from fieldguide.catalogue.licences import normalise_licence
from fieldguide.catalogue.regions import Regions
from fieldguide.catalogue.rows import Row, Source
from fieldguide.catalogue.schema import ROW_FIELDS, photo_id
from fieldguide.catalogue.where_when import coarsen
from fieldguide.errors import CatalogueError
from fieldguide.files import written_whole

BATCH_ROWS: Final = 65536
KEY_BYTES: Final = 16

DRAFT_SCHEMA: Final = pa.schema([*ROW_FIELDS, pa.field("root", pa.string())])
WANTED_SCHEMA: Final = pa.schema(
    [
        pa.field("photo_id", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("root", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One distinct URL."""

    photo_id: str
    """Of the first row that has it; names the member in the shard."""
    url: str
    root: str | None
    """The folder that a path in `url` must not leave."""

    def key(self) -> bytes:
        """The digest by which equal URLs are known."""
        return hashlib.sha256(f"{self.root or ''}\0{self.url}".encode()).digest()[:KEY_BYTES]


@dataclass(frozen=True)
class Plan:
    """The rows and distinct URLs of all sources, on disk."""

    draft: Path
    """Parquet of DRAFT_SCHEMA, one row per photo and label."""
    wanted: Path
    """Parquet of WANTED_SCHEMA, one row per URL, one row group per shard."""
    url_of_row: npt.NDArray[np.int64]
    """[num_rows] which URL each row has."""
    photos_per_shard: int

    @property
    def num_rows(self) -> int:
        """Rows of all sources."""
        return len(self.url_of_row)

    @cached_property
    def num_urls(self) -> int:
        """Distinct URLs."""
        return int(self.url_of_row.max()) + 1 if self.num_rows else 0

    @property
    def num_shards(self) -> int:
        """Shards that the URLs fill."""
        return -(-self.num_urls // self.photos_per_shard)

    @cached_property
    def _groups(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.wanted)

    def shard(self, number: int) -> list[Wanted]:
        """The URLs of one shard, in order."""
        return [Wanted(**row) for row in self._groups.read_row_group(number).to_pylist()]

    def shard_size(self, number: int) -> int:
        """How many URLs a shard has."""
        return min(self.photos_per_shard, self.num_urls - number * self.photos_per_shard)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, in order, as batches of DRAFT_SCHEMA."""
        with pq.ParquetFile(self.draft) as table:
            yield from table.iter_batches(batch_size=BATCH_ROWS)

    def close(self) -> None:
        """Release the files."""
        self._groups.close()


def draw_plan(
    sources: Mapping[str, Source],
    regions: Regions,
    photos_per_shard: int,
    folder: Path,
    *,
    shrunk: bool = False,
    cell_degrees: float | None = None,
) -> Plan:
    """Read every source once and write the plan's two tables into `folder`.

    `regions` say where photos are about whose region their source says nothing. Of photos that get `shrunk`, only boxes
    on pictures of known size are good for anything. Places are kept as centres of cells of `cell_degrees`; None keeps
    none.

    Raises CatalogueError on an unreadable source, on two rows with one id, and if there is no row at all.
    """
    draft = folder / "rows.parquet"
    ids, keys = array("Q"), bytearray()
    with written_whole(draft) as temporary, pq.ParquetWriter(temporary, DRAFT_SCHEMA, compression="zstd") as writer:
        for batch in _batches(_draft_rows(sources, regions, shrunk, cell_degrees), BATCH_ROWS):
            for row in batch:
                ids.append(int(row["photo_id"], 16))
                keys += Wanted(row["photo_id"], row["url"], row["root"]).key()
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=DRAFT_SCHEMA))
    if not ids:
        raise CatalogueError(f"no photo in any of the sources ({', '.join(sources)})")
    _check_ids_differ(np.frombuffer(ids, np.uint64), draft)
    url_of_row, is_first = number_urls(np.frombuffer(keys, f"V{KEY_BYTES}"))
    plan = Plan(draft, folder / "urls.parquet", url_of_row, photos_per_shard)
    _write_wanted(plan, is_first)
    return plan


def number_urls(keys: npt.NDArray[np.void]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Number distinct keys by first appearance; return each row's number and whether it is the first with it."""
    # Two 64-bit halves sort faster than opaque bytes, and 128 bits never meet by chance.
    halves = keys.view(np.uint64).reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    ordered = halves[order]
    starts = np.ones(len(keys), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    # lexsort is stable: within equal keys the earliest row comes first.
    group = np.cumsum(starts) - 1
    first_rows = order[starts]
    number_of_group = np.empty(len(first_rows), np.int64)
    number_of_group[np.argsort(first_rows)] = np.arange(len(first_rows))
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = number_of_group[group]
    is_first = np.zeros(len(keys), bool)
    is_first[first_rows] = True
    return numbers, is_first


def _draft_rows(
    sources: Mapping[str, Source], regions: Regions, shrunk: bool, cell_degrees: float | None
) -> Iterator[dict[str, Any]]:
    for name, source in sources.items():
        for row in source.rows():
            box = NONSENSE if shrunk and row.box and len(row.box) == len("xywh") else row.box
            region = row.region or regions.find(row.country, row.latitude, row.longitude)
            yield _draft_row(name, row, region, box, _cell(row, cell_degrees))


def _cell(row: Row, cell_degrees: float | None) -> tuple[float | None, float | None]:
    if cell_degrees is None or row.latitude is None or row.longitude is None:
        return None, None
    return coarsen(row.latitude, row.longitude, cell_degrees)


def _draft_row(
    source: str, row: Row, region: str | None, box: DrawnBox | None, cell: tuple[float | None, float | None]
) -> dict[str, Any]:
    return {
        "photo_id": photo_id(source, row.id),
        "source": source,
        "source_row": row.source_row,
        "url": row.url,
        "observation_id": row.observation_id,
        "observer": row.observer,
        "label": row.label,
        "region": region,
        "latitude": cell[0],
        "longitude": cell[1],
        "date": row.date,
        "licence": normalise_licence(row.licence),
        "rights_holder": row.rights_holder,
        "given_split": row.given_split,
        "box": box,
        "root": row.root,
    }


def _batches(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _check_ids_differ(ids: npt.NDArray[np.uint64], draft: Path) -> None:
    ordered = np.sort(ids)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return
    # Only now, for the message, are the rows looked up.
    twice = pa.scalar(f"{int(repeated[0]):016x}")
    rows = pq.read_table(draft, columns=["photo_id", "source", "source_row"], filters=pc.field("photo_id") == twice)
    first, second = rows.slice(0, 2).to_pylist()
    raise CatalogueError(
        f"source {second['source']}, {second['source_row']}: the id is that of {first['source_row']} already; "
        f"expected every id once ({len(repeated)} repeated in all)"
    )


def _write_wanted(plan: Plan, is_first: npt.NDArray[np.bool_]) -> None:
    """Write the distinct URLs, cut into row groups of photos_per_shard."""
    waiting: list[dict[str, Any]] = []
    start = 0
    with (
        written_whole(plan.wanted) as temporary,
        pq.ParquetWriter(temporary, WANTED_SCHEMA, compression="zstd") as writer,
    ):
        for batch in plan.batches():
            firsts = pa.array(is_first[start : start + len(batch)])
            start += len(batch)
            waiting += batch.select(WANTED_SCHEMA.names).filter(firsts).to_pylist()
            while len(waiting) >= plan.photos_per_shard:
                _write_group(writer, waiting[: plan.photos_per_shard])
                del waiting[: plan.photos_per_shard]
        if waiting:
            _write_group(writer, waiting)


def _write_group(writer: pq.ParquetWriter, rows: list[dict[str, Any]]) -> None:
    writer.write_table(pa.Table.from_pylist(rows, schema=WANTED_SCHEMA), row_group_size=len(rows))
