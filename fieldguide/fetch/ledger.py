"""Beside every finished shard of originals, the record of what became of each of its URLs.

A ledger is written after its shard and only then counts. It names the list of URLs, what decides their bytes, and the
limits under which they were asked for, so the next run can tell what is still good. No times and no numbers of
attempts: equal runs give equal ledgers, however the network behaved. MLflow has those, by host.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from fieldguide.catalogue.schema import OUTCOME_FIELDS, Status
from fieldguide.fetch.limits import OriginalsParams
from fieldguide.fetch.local import local_file
from fieldguide.fetch.outcomes import is_retryable
from fieldguide.fetch.plan import Wanted
from fieldguide.files import written_whole

LEDGER_SCHEMA: Final = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("key", pa.binary(16), nullable=False),
        *OUTCOME_FIELDS,
        pa.field("etag", pa.string()),
        pa.field("last_modified", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One URL's line of a ledger."""

    url: str
    key: bytes
    """Wanted.key() of the URL."""
    status: str
    http_status: int | None
    error: str | None
    sha256: str | None
    num_bytes: int | None
    offset: int | None
    etag: str | None
    last_modified: str | None
    """The server's ETag and Last-Modified headers: sent back, they say which version we have."""

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask the server to send the photo only if it changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}

    @property
    def is_final(self) -> bool:
        """Whether asking again would give the same answer."""
        return not is_retryable(self.status, self.http_status)

    @property
    def is_reusable(self) -> bool:
        """Whether a later run may take this line over. A local file may have changed and costs little to read again."""
        return self.is_final and local_file(self.url) is None


class Limits(NamedTuple):
    """What may keep a photo from being there. Wider limits change only what the narrower ones kept away."""

    max_bytes: int
    max_redirects: int
    allow_private: bool
    buckets: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, params: OriginalsParams) -> Self:
        """Those of the parameters."""
        buckets = frozenset((name, access.value) for name, access in params.buckets.items())
        return cls(params.max_bytes, params.max_redirects, params.allow_private, buckets)

    def are_within(self, others: Self) -> bool:
        """Whether all that these let through the `others` do too."""
        numbers = zip(self[:3], others[:3], strict=True)
        return all(ours <= theirs for ours, theirs in numbers) and self.buckets <= others.buckets

    def to_json(self) -> str:
        """For the ledger."""
        return json.dumps([*self[:3], sorted(self.buckets)])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote. Raises ValueError on other text."""
        max_bytes, max_redirects, allow_private, buckets = json.loads(text)
        return cls(max_bytes, max_redirects, allow_private, frozenset((name, access) for name, access in buckets))


KEPT_AWAY: Final = frozenset({Status.TOO_LARGE, Status.TOO_MANY_REDIRECTS, Status.REFUSED})
"""Outcomes that limits may have caused."""


@dataclass(frozen=True)
class LedgerHead:
    """What a ledger says of itself, readable without its lines."""

    wanted: str
    """Digest of the list of URLs."""
    rules: str
    """Digest of the parameters that decide a photo's bytes, and of the ledger's own form."""
    limits: Limits
    """Under which it was made."""
    refresh: str
    """The `refresh` it was made under."""
    shard_bytes: int
    """Size of the tar it describes; 0 where none is kept."""
    num_retryable: int
    num_reusable: int


def ledger_path(shards: Path, shard: str) -> Path:
    """Where the ledger of the shard file `shard` lies."""
    return shards.parent / "ledger" / f"{Path(shard).stem}.parquet"


def digest_wanted(wanted: Iterable[Wanted]) -> str:
    """A digest of URLs, their order and their member names."""
    digest = hashlib.sha256()
    for item in wanted:
        digest.update(item.key() + item.photo_id.encode())
    return digest.hexdigest()


def digest_rules(params: OriginalsParams) -> str:
    """A digest of the parameters that decide a photo's bytes, and where they are kept."""
    rules = (params.max_side, params.store.value, LEDGER_SCHEMA.names)
    return hashlib.sha256(repr(rules).encode()).hexdigest()


def write_ledger(
    path: Path, entries: Sequence[Entry], *, wanted: str, params: OriginalsParams, shard_bytes: int
) -> None:
    """Write a ledger, whole or not at all."""
    head = {
        "wanted": wanted,
        "rules": digest_rules(params),
        "limits": Limits.of(params).to_json(),
        "refresh": params.refresh or "",
        "shard_bytes": str(shard_bytes),
        "num_retryable": str(sum(not entry.is_final for entry in entries)),
        "num_reusable": str(sum(entry.is_reusable for entry in entries)),
    }
    columns = [pa.array([getattr(entry, field.name) for entry in entries], field.type) for field in LEDGER_SCHEMA]
    table = pa.Table.from_arrays(columns, schema=LEDGER_SCHEMA.with_metadata(head))
    with written_whole(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_statistics=False)


def read_head(path: Path) -> LedgerHead | None:
    """What a ledger says of itself; None if there is no readable ledger."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        return LedgerHead(
            wanted=metadata[b"wanted"].decode(),
            rules=metadata[b"rules"].decode(),
            limits=Limits.from_json(metadata[b"limits"].decode()),
            refresh=metadata[b"refresh"].decode(),
            shard_bytes=int(metadata[b"shard_bytes"]),
            num_retryable=int(metadata[b"num_retryable"]),
            num_reusable=int(metadata[b"num_reusable"]),
        )
    except (FileNotFoundError, pa.ArrowInvalid, KeyError, TypeError, ValueError):
        return None


def read_outcomes(path: Path) -> pa.Table:
    """A ledger's lines as a table of LEDGER_SCHEMA."""
    return pq.read_table(path, schema=LEDGER_SCHEMA, use_threads=False)


def read_entries(path: Path) -> list[Entry]:
    """A ledger's lines."""
    return [Entry(**line) for line in read_outcomes(path).to_pylist()]
