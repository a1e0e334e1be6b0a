"""The part of the `fetch` section that says how photos are asked for and kept; later stages of a stream read it too."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.stores import Access
from fieldguide.params import Section


class StoreKind(StrEnum):
    """Whether originals are kept."""

    SHARDS = "shards"
    """In tar shards below interim/fetch."""
    STREAM = "stream"
    """Not at all: later stages read a cache and ask again for what has left it."""


class DownloadParams(Section):
    """Limits of one photo's download."""

    connect_timeout_s: PositiveFloat
    """Seconds until a server must have accepted the connection."""
    read_timeout_s: PositiveFloat
    """Seconds: the longest silence in the middle of an answer."""
    total_timeout_s: PositiveFloat
    """Seconds for one attempt, all of its bytes."""
    retries: NonNegativeInt
    """Further attempts after a failure that may pass."""
    max_megabytes: PositiveFloat
    """A longer answer is refused; megabytes of 1e6 bytes."""
    max_redirects: NonNegativeInt
    """Redirects that are followed for one photo."""
    allow_private: bool
    """Whether URLs may lead to private, loopback or link-local addresses."""
    buckets: dict[str, Access]
    """Which of the `s3://bucket`, `gs://bucket` and `az://container` in tables may be asked, and how; no others are."""
    user_agent: Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]
    """Who asks, for servers to read; some want an address to write to."""
    concurrency: PositiveInt
    """Requests at once, of all workers together."""
    host_concurrency: PositiveInt
    """Requests at once to one host and port, of all workers together."""
    host_requests_per_second: PositiveFloat | None
    """Requests a second to one host and port, of all workers together; null: as fast as it answers."""

    @property
    def max_bytes(self) -> int:
        """The longest body that is kept."""
        return math.floor(self.max_megabytes * 1e6)


class OriginalsParams(DownloadParams):
    """How originals are brought and kept."""

    max_side: PositiveInt | None
    """Larger photos are shrunk to this longer side on arrival, px; null keeps every byte as it came."""
    store: StoreKind
    """`shards` keeps originals in tar shards; `stream` keeps none, later stages read a cache and ask again."""
    cache_folder: Path
    """Where a stream's cache lies; several repositories may share one."""
    cache_gb: PositiveFloat
    """The most that the cache of a stream may take, gigabytes of 1e9 bytes."""
    retry_failed: list[Status]
    """Failures that are asked for again although they look final."""
    refresh: Annotated[str | None, BeforeValidator(lambda word: word if word is None else str(word))]
    """Any word, such as a date. When it changes all URLs are asked again, and servers send only what is new."""

    @property
    def cache_bytes(self) -> int:
        """The most that the cache of a stream may take."""
        return math.floor(self.cache_gb * 1e9)
