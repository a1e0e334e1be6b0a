"""Joins a plan's rows with the ledgers of its shards into catalogue.parquet, and counts what came of them."""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fieldguide.catalogue.licences import UNKNOWN
from fieldguide.catalogue.schema import CATALOGUE_SCHEMA, OUTCOME_FIELDS, ROW_FIELDS, Status
from fieldguide.errors import PhotoError
from fieldguide.fetch.host_stats import MAX_HOSTS, host_of
from fieldguide.fetch.ledger import read_outcomes
from fieldguide.fetch.plan import Plan
from fieldguide.fetch.resume import Store
from fieldguide.files import written_whole
from fieldguide.spreadsheet import write_csv

OTHERS = "other hosts"


@dataclass
class Tally:
    """Counts of a catalogue. `statuses` and `licences` count rows, the rest counts each URL once."""

    num_rows: int = 0
    num_urls: int = 0
    num_photos: int = 0
    num_bytes: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    hosts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By host and status."""
    examples: dict[str, str] = field(default_factory=dict)
    """For each bad status the first error."""

    @property
    def num_unknown_licence(self) -> int:
        """Rows of which no licence is known."""
        return self.licences[UNKNOWN]

    @property
    def num_failed(self) -> int:
        """Rows without bytes."""
        return self.num_rows - self.statuses[Status.OK]

    def metrics(self) -> dict[str, Any]:
        """The counts, JSON-ready; of more than 20 hosts the smaller ones are added up."""
        sizes: Counter[str] = Counter()
        for (host, _), count in self.hosts.items():
            sizes[host] += count
        shown = {host for host, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:MAX_HOSTS]}
        hosts: dict[str, Counter[str]] = {}
        for (host, status), count in sorted(self.hosts.items()):
            hosts.setdefault(host if host in shown else OTHERS, Counter())[status] += count
        return {
            "num_rows": self.num_rows,
            "num_urls": self.num_urls,
            "num_photos": self.num_photos,
            "num_bytes": self.num_bytes,
            "statuses": {status.value: self.statuses[status] for status in Status},
            "hosts": {host: dict(counts) for host, counts in hosts.items()},
            "licences": dict(sorted(self.licences.items())),
            "num_unknown_licence": self.num_unknown_licence,
        }

    def describe_unknown_licences(self) -> str | None:
        """A line for the log; None if all licences are known."""
        if not self.num_unknown_licence:
            return None
        return (
            f"{self.num_unknown_licence} of {self.num_rows} rows have no known licence, and are dropped where "
            "clean.production_only is true; if you may use them, say under which licence in the source's fill.licence"
        )

    def check(self, max_failure_rate: float) -> None:
        """Raise PhotoError, naming the commonest reasons, if more rows failed than allowed."""
        if self.num_failed <= max_failure_rate * self.num_rows:
            return
        bad = [(status, count) for status, count in self.statuses.most_common() if status != Status.OK]
        reasons = "; ".join(f"{count} {status} ({self.examples[status]})" for status, count in bad[:3])
        raise PhotoError(
            f"{self.num_failed} of {self.num_rows} photos have no bytes, more than max_failure_rate "
            f"{max_failure_rate:g} allows: {reasons}"
        )


def write_catalogue(plan: Plan, store: Store, max_failure_rate: float) -> Tally:
    """Write catalogue.parquet and failures.csv and count what is in them.

    Raises PhotoError, and writes neither, if more than `max_failure_rate` of the rows failed.
    """
    tally = Tally()
    for number in range(plan.num_shards):
        _count_urls(tally, read_outcomes(store.ledger(number)))
    # Neighbouring rows share shards, so a few tables in memory serve most rows.
    read = lru_cache(maxsize=64)(lambda number: read_outcomes(store.ledger(number)))
    start = 0
    with written_whole(store.out / "catalogue.parquet") as temporary:
        with pq.ParquetWriter(temporary, CATALOGUE_SCHEMA, compression="zstd", write_statistics=False) as writer:
            for batch in plan.batches():
                urls = plan.url_of_row[start : start + len(batch)]
                start += len(batch)
                joined = _join(batch, urls, plan.photos_per_shard, store, read)
                _count_rows(tally, joined)
                writer.write_table(joined)
        tally.check(max_failure_rate)
        _write_failures(store.out / "failures.csv", tally)
    return tally


def _join(batch: pa.RecordBatch, urls: npt.NDArray[np.int64], per_shard: int, store: Store, read: Any) -> pa.Table:
    """One batch of the catalogue: the rows' own columns, then those of their URLs' ledger lines."""
    shards, shard_of_row = np.unique(urls // per_shard, return_inverse=True)
    tables = [read(int(number)) for number in shards]
    # All shards but a plan's last are full, and the last is last here too.
    lines = pa.concat_tables(tables).take(pa.array(shard_of_row * per_shard + urls % per_shard))
    names = pa.array([store.place(int(number)).name for number in shards]).take(pa.array(shard_of_row))
    present = pc.equal(lines["status"], Status.OK.value)
    columns = [batch[column.name] for column in ROW_FIELDS] + [lines[column.name] for column in OUTCOME_FIELDS]
    return pa.table([*columns, pc.if_else(present, names, None)], schema=CATALOGUE_SCHEMA)


def _count_rows(tally: Tally, rows: pa.Table) -> None:
    tally.num_rows += len(rows)
    for counter, name in ((tally.statuses, "status"), (tally.licences, "licence")):
        counter.update({entry["values"]: entry["counts"] for entry in pc.value_counts(rows[name]).to_pylist()})


def _count_urls(tally: Tally, lines: pa.Table) -> None:
    tally.num_urls += len(lines)
    tally.num_bytes += pc.sum(lines["num_bytes"]).as_py() or 0
    for line in lines.select(["url", "status", "error"]).to_pylist():
        tally.hosts[host_of(line["url"]), line["status"]] += 1
        if line["status"] == Status.OK:
            tally.num_photos += 1
        else:
            tally.examples.setdefault(line["status"], f"as {line['error']}")


def _write_failures(path: Path, tally: Tally) -> None:
    failures = ((*key, count) for key, count in sorted(tally.hosts.items()) if key[1] != Status.OK)
    write_csv(path, ("host", "status", "count"), failures)
