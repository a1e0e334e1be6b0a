"""The catalogue's table: its columns, its closed words, and the names of its photos.

docs/formats.md says what each column means; this is the same contract for code.
"""

import hashlib
from enum import StrEnum
from typing import Final

import pyarrow as pa


class Status(StrEnum):
    """Whether a photo's bytes are there, and if not, why."""

    OK = "ok"
    MISSING = "missing"
    """The server, folder or archive says that there is no such thing (404, 410, no such file)."""
    REFUSED = "refused"
    """We do not ask: a private address, a scheme or a path that is not allowed."""
    INVALID_URL = "invalid_url"
    HTTP_ERROR = "http_error"
    """Any other answer than 200."""
    TOO_MANY_REDIRECTS = "too_many_redirects"
    TOO_LARGE = "too_large"
    INCOMPLETE = "incomplete"
    """The body ended before its announced length."""
    TIMEOUT = "timeout"
    CONNECTION_ERROR = "connection_error"
    """No such host, no connection, or one that broke."""
    READ_ERROR = "read_error"
    """A file or archive that is there but cannot be read."""


ROW_FIELDS: Final = (
    pa.field("photo_id", pa.string(), nullable=False),
    pa.field("source", pa.string(), nullable=False),
    pa.field("source_row", pa.string(), nullable=False),
    pa.field("url", pa.string(), nullable=False),
    pa.field("observation_id", pa.string()),
    pa.field("observer", pa.string()),
    pa.field("label", pa.string()),
    pa.field("region", pa.string()),
    pa.field("latitude", pa.float64()),
    pa.field("longitude", pa.float64()),
    pa.field("date", pa.string()),
    pa.field("licence", pa.string(), nullable=False),
    pa.field("rights_holder", pa.string()),
    pa.field("given_split", pa.string()),
    pa.field("box", pa.list_(pa.float64())),
)
"""What a source says about a photo."""

OUTCOME_FIELDS: Final = (
    pa.field("status", pa.string(), nullable=False),
    pa.field("http_status", pa.int32()),
    pa.field("error", pa.string()),
    pa.field("sha256", pa.string()),
    pa.field("num_bytes", pa.int64()),
    pa.field("offset", pa.int64()),
)
"""What became of its URL."""

CATALOGUE_SCHEMA: Final = pa.schema([*ROW_FIELDS, *OUTCOME_FIELDS, pa.field("shard", pa.string())])


def photo_id(source: str, row_id: str) -> str:
    """The 16 hexadecimal digits that name a photo for good: a digest of its source's name and its id there."""
    return hashlib.sha256(f"{source}\0{row_id}".encode()).hexdigest()[:16]
