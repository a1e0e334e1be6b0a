"""What the tests of fetch share: parameters, a table of URLs, and two ways to run the stage."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from fieldguide.digests import DIGESTS
from fieldguide.fetch.params import FetchParams
from fieldguide.files import file_sha256
from fieldguide.stage import Metrics
from stages.fetch import fetch
from tests.photo_server import PhotoServer

ROOT = Path(__file__).parents[2]
NO_FILL = {"region": None, "licence": None, "rights_holder": None}
OBSERVATIONS = {
    "kind": "observations",
    "path": "data/observations.jsonl",
    "columns": {
        "id": "id",
        "url": "url",
        "observation_id": None,
        "observer": None,
        "label": "name",
        "region": None,
        "country": None,
        "latitude": None,
        "longitude": None,
        "licence": "licence",
        "rights_holder": None,
        "given_split": None,
    },
    "root": None,
    "explode": None,
    "fill": NO_FILL,
}
PARAMS: dict[str, Any] = {
    "sources": {"flora": OBSERVATIONS},
    "regions": {"polygons": None, "boxes": {}, "countries": {}},
    "cell_degrees": 1,
    "photos_per_shard": 4,
    "max_side": None,
    "store": "shards",
    "cache_folder": "cache",
    "cache_gb": 1,
    "buckets": {},
    "user_agent": "fieldguide tests",
    "concurrency": 8,
    "host_concurrency": 8,
    "host_requests_per_second": None,
    "connect_timeout_s": 5,
    "read_timeout_s": 0.5,
    "total_timeout_s": 5,
    "retries": 1,
    "retry_failed": [],
    "refresh": None,
    "max_megabytes": 0.2,
    "max_redirects": 3,
    "allow_private": True,
    "max_failure_rate": 1.0,
    "engine": {"backend": "loky", "workers": 1},
}


def observe(workspace: Path, *urls: str, first: int = 0) -> None:
    rows = [
        {"id": first + number, "url": url, "name": f"Aster {number % 3}", "licence": "CC0"}
        for number, url in enumerate(urls)
    ]
    (workspace / "data" / "observations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(workspace: Path, out: str = "out", **changes: Any) -> Metrics:
    params = FetchParams.model_validate(PARAMS | changes)
    return fetch(params, data=workspace / "data", out=workspace / out)


def digests(folder: Path) -> dict[str, str]:
    """Of all files but digests.json, which follows from them and which only a stage that runs as a program writes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != DIGESTS]
    return {str(path.relative_to(folder)): file_sha256(path) for path in files}


def photos_of(out: Path) -> list[bytes | None]:
    """What the catalogue says where the bytes are."""
    contents = []
    for row in pl.read_parquet(out / "catalogue.parquet").iter_rows(named=True):
        if row["status"] != "ok":
            assert (row["shard"], row["offset"], row["num_bytes"], row["sha256"]) == (None,) * 4
            contents.append(None)
            continue
        shard = (out / "shards" / row["shard"]).read_bytes()
        contents.append(shard[row["offset"] : row["offset"] + row["num_bytes"]])
    return contents


def photo_urls(server: PhotoServer, numbers: range) -> list[str]:
    return [server.url(f"photo/{number}.jpg") for number in numbers]


def start(workspace: Path, out: str = "out", **changes: Any) -> subprocess.Popen[str]:
    """The stage as DVC starts it."""
    (workspace / "params.yaml").write_text(yaml.safe_dump({"fetch": PARAMS | changes}))
    command = [sys.executable, "-m", "stages.fetch", "--data", "data", "--out", out]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=workspace, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
