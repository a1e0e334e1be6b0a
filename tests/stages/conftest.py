"""What stages are tested with: a server of photos and a folder to run in, or a small interim/fetch made by hand."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fieldguide.tar import TarShardWriter
from tests.photo_server import PhotoServer, serve_photos

COLUMNS = {
    "photo_id": pl.String,
    "source": pl.String,
    "source_row": pl.String,
    "url": pl.String,
    "observation_id": pl.String,
    "observer": pl.String,
    "label": pl.String,
    "region": pl.String,
    "licence": pl.String,
    "rights_holder": pl.String,
    "given_split": pl.String,
    "box": pl.List(pl.Float64),
    "status": pl.String,
    "http_status": pl.Int32,
    "error": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "date": pl.String,
    "sha256": pl.String,
    "num_bytes": pl.Int64,
    "shard": pl.String,
    "offset": pl.Int64,
}

WriteFetch = Callable[..., Path]


@pytest.fixture
def server() -> Iterator[PhotoServer]:
    with serve_photos() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository root, and the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def write_fetch(tmp_path: Path) -> WriteFetch:
    """`write_fetch([(content or None, {column: value}), ...])` writes interim/fetch and returns its path."""

    def write(photos: list[tuple[bytes | None, dict[str, Any]]], out: Path = tmp_path / "fetch") -> Path:
        rows = []
        with TarShardWriter(out / "shards" / "originals-00000.tar") as tar:
            for number, (content, given) in enumerate(photos):
                row: dict[str, Any] = dict.fromkeys(COLUMNS)
                row |= {"photo_id": f"{number:016x}", "source": "s", "source_row": f"s.jsonl:{number + 1}"}
                row |= {"url": f"tar://{number}::p.tar", "licence": "CC0-1.0", "status": "missing"}
                if content is not None:
                    member = tar.add(f"{number:04d}.jpg", content)
                    row |= {"status": "ok", "shard": "originals-00000.tar", "offset": member.offset}
                    row |= {"num_bytes": member.size, "sha256": hashlib.sha256(content).hexdigest()}
                rows.append(row | given)
        pl.DataFrame(rows, schema=COLUMNS).write_parquet(out / "catalogue.parquet")
        return out

    return write
