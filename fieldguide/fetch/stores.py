"""Reads photos from object stores: only from the buckets that the parameters name.

A table of photos is a stranger's. With this machine's credentials it could fetch whatever they open, so they are used
only where the operator says so.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import fsspec

from fieldguide.catalogue.schema import Status
from fieldguide.errors import CatalogueError
from fieldguide.fetch.outcomes import Outcome, bounded

STORES: Final = ("s3", "gs", "az")
OBJECT: Final = re.compile(rf"(?P<scheme>{'|'.join(STORES)})://(?P<bucket>[A-Za-z0-9._-]+)/(?P<key>.+)", re.DOTALL)


class Access(StrEnum):
    """How a bucket is asked."""

    CREDENTIALS = "credentials"
    """With those of this machine."""
    ANONYMOUS = "anonymous"


ANONYMOUSLY: Final[Mapping[str, Mapping[str, Any]]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "az": {"anon": True},
}


def bucket_of(url: str) -> str | None:
    """`s3://bucket` of a store's URL; None for any other."""
    match = OBJECT.fullmatch(url)
    return match and f"{match['scheme']}://{match['bucket']}"


def read_object(url: str, buckets: Mapping[str, Access], max_bytes: int) -> Outcome:
    """The outcome of a store's URL. Raises CatalogueError if the store's package is not installed."""
    match = OBJECT.fullmatch(url)
    if match is None:
        return Outcome(Status.INVALID_URL, error="expected s3://bucket/key, gs://bucket/key or az://container/key")
    scheme, bucket = match["scheme"], f"{match['scheme']}://{match['bucket']}"
    access = buckets.get(bucket)
    if access is None:
        allowed = " or ".join(f"`{bucket}: {access}`" for access in Access)
        return Outcome(
            Status.REFUSED, error=f"fetch.buckets in params.yaml does not name the bucket; expected {allowed}"
        )
    try:
        store = open_store(scheme, access)
    except ImportError as error:
        raise CatalogueError(f"{scheme}:// URLs need a package that is not installed: {error}") from None
    except Exception as error:
        return _failed(error)
    try:
        # The scheme and bucket are those that were checked; a URL would be parsed again.
        with store.open(f"{match['bucket']}/{match['key']}", "rb") as stream:
            return bounded(stream.read(max_bytes + 1), max_bytes)
    except FileNotFoundError:
        return Outcome(Status.MISSING, error=f"no object {match['key']!r} in {bucket}")
    except Exception as error:
        return _failed(error)


def open_store(scheme: str, access: Access) -> Any:
    """The fsspec file system of `s3`, `gs` or `az`. Raises ImportError if its package is not installed."""
    return fsspec.filesystem(scheme, **(ANONYMOUSLY[scheme] if access is Access.ANONYMOUS else {}))


def _failed(error: Exception) -> Outcome:
    """Each store's package raises its own family of errors, with no base in common."""
    status = Status.TIMEOUT if isinstance(error, TimeoutError) else Status.CONNECTION_ERROR
    return Outcome(status, error=str(error) or type(error).__name__)
