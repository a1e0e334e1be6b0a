"""Which shards there are to stream: those of a manifest that lies beside them, or a list of addresses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from fieldguide.credentials import mask_credentials
from fieldguide.errors import RecordError
from fieldguide.fetch.limits import DownloadParams
from fieldguide.files import salted_unit
from fieldguide.records.manifest import PLAIN_NAME, Manifest, SquareManifest

LIMITS: Final = DownloadParams(
    connect_timeout_s=10,
    read_timeout_s=30,
    total_timeout_s=60,
    retries=5,
    max_megabytes=200,
    max_redirects=5,
    allow_private=False,
    buckets={},
    user_agent="fieldguide/0.1",
    concurrency=4,
    host_concurrency=4,
    host_requests_per_second=None,
)
"""How shards are asked for. `retries` counts attempts in a row that bring nothing, an attempt lasts as long as bytes
come, `max_megabytes` is of a manifest, `concurrency` of shards at once. A bucket that `buckets` does not name is asked
with this machine's credentials: here addresses are the caller's own, not a table's."""


@dataclass(frozen=True)
class Shard:
    """One file to stream."""

    url: str
    """http://, https://, s3://, gs:// or az://."""
    num_bytes: int | None = None
    """None: the server is asked."""
    sha256: str | None = None
    """None: nothing is compared but what the file says of itself (a record's crc, a member's digest)."""

    @property
    def name(self) -> str:
        """The last part of its path, or `shard` where that is no plain name for a file."""
        name = self.url.partition("?")[0].rpartition("/")[2]
        return name if PLAIN_NAME.fullmatch(name) else "shard"

    def __str__(self) -> str:
        return mask_credentials(self.url)


def beside(url: str, name: str) -> str:
    """The address of a file in the same folder; a query, which may hold the right to read, goes along."""
    path, mark, query = url.partition("?")
    return f"{path.rpartition('/')[0]}/{name}{mark}{query}"


def read_manifest(url: str, content: bytes) -> Manifest | SquareManifest:
    """What a manifest.json of the tfrecord or the resize stage says. Raises RecordError."""
    try:
        is_of_records = "splits" in json.loads(content)
        return (Manifest if is_of_records else SquareManifest).model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the file"
        raise RecordError(f"{mask_credentials(url)}: {where}: {problem['msg']}") from None
    except (ValueError, TypeError):
        raise RecordError(f"{mask_credentials(url)} is no manifest.json of the tfrecord or the resize stage") from None


def list_shards(url: str, manifest: Manifest | SquareManifest, split: str) -> list[Shard]:
    """The shards of a split of the manifest at `url`, in reading order. Raises RecordError if it has no such split."""
    if isinstance(manifest, Manifest):
        entries = manifest.split(split).shards
        return [Shard(beside(url, entry.file), entry.num_bytes, entry.sha256) for entry in entries]
    names = [name for name in manifest.num_photos if name.startswith(f"{split}-") and PLAIN_NAME.fullmatch(name)]
    if not names:
        found = ", ".join(manifest.num_photos) or "none"
        raise RecordError(f"{mask_credentials(url)}: no shards of split '{split}'; found {found}")
    return [Shard(beside(url, name)) for name in names]


def choose_shards(shards: Sequence[Shard], share: tuple[int, int], seed: int | None, epoch: int) -> list[Shard]:
    """The shards of reader `share[0]` of `share[1]` in the order of an epoch: a pure function of what is given.

    Without a seed the order is that of the list. Each shard is of one reader, another one in other epochs.
    """
    index, count = share
    if seed is None:
        return list(shards[index::count])
    order = sorted(range(len(shards)), key=lambda place: salted_unit(f"{seed} {epoch}", f"{place}"))
    return [shards[place] for place in order[index::count]]
