import csv
import tarfile
from pathlib import Path

import polars as pl
import pytest
import yaml

from fieldguide.catalogue.schema import CATALOGUE_SCHEMA
from fieldguide.errors import CatalogueError, PhotoError
from fieldguide.fetch.params import FetchParams
from tests.photo_server import PhotoServer, photo_bytes
from tests.stages.fetching import NO_FILL, OBSERVATIONS, ROOT, digests, observe, photo_urls, photos_of, run, start


def test_every_row_gets_its_bytes_or_its_reason(workspace: Path, server: PhotoServer) -> None:
    paths = "photo/a.jpg 404/b.jpg stalled/c photo/d photo/a.jpg truncated/e empty/f.png 500/g loop/h"
    urls = [server.url(path) for path in paths.split()]
    observe(workspace, *urls, "gopher://h/i.jpg", "../secret.jpg")
    metrics = run(workspace)

    catalogue = pl.read_parquet(workspace / "out" / "catalogue.parquet")
    assert catalogue.columns == CATALOGUE_SCHEMA.names
    assert catalogue["url"].to_list()[:9] == urls
    statuses = "ok missing timeout ok ok incomplete ok http_error too_many_redirects refused refused"
    assert catalogue["status"].to_list() == statuses.split()
    assert catalogue["http_status"].to_list()[:3] == [200, 404, None]
    a, d = photo_bytes("a.jpg"), photo_bytes("d")
    assert photos_of(workspace / "out") == [a, None, None, d, a, None, b"", None, None, None, None]

    assert (metrics["num_rows"], metrics["num_urls"], metrics["num_photos"]) == (11, 10, 3)
    assert metrics["num_bytes"] == 6000
    assert (metrics["statuses"]["ok"], metrics["statuses"]["timeout"]) == (4, 1)
    assert metrics["hosts"]["127.0.0.1"]["ok"] == 3
    assert metrics["licences"] == {"CC0-1.0": 11}
    assert server.asked["/photo/a.jpg"] == 1
    assert server.asked["/500/g"] == 2
    with (workspace / "out" / "failures.csv").open() as stream:
        assert ["127.0.0.1", "missing", "1"] in list(csv.reader(stream))


def test_rows_without_a_known_licence_are_counted_and_named(
    workspace: Path, server: PhotoServer, caplog: pytest.LogCaptureFixture
) -> None:
    observe(workspace, *photo_urls(server, range(3)))
    assert run(workspace)["num_unknown_licence"] == 0
    assert "licence" not in caplog.text
    table = workspace / "data" / "observations.jsonl"
    table.write_text(table.read_text().replace("CC0", "ask the museum", 2))
    assert run(workspace)["num_unknown_licence"] == 2
    assert "2 of 3 rows have no known licence, and are dropped where clean.production_only is true" in caplog.text


def test_shards_are_plain_tars_in_catalogue_order(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *(server.url(f"photo/{number}.jpg?size=l") for number in range(6)))
    run(workspace)
    shards = sorted((workspace / "out" / "shards").iterdir())
    assert [shard.name for shard in shards] == ["originals-00000.tar", "originals-00001.tar"]
    catalogue = pl.read_parquet(workspace / "out" / "catalogue.parquet")
    names = []
    for shard in shards:
        with tarfile.open(shard) as tar:
            assert {(entry.mtime, entry.uid, entry.gid) for entry in tar} == {(0, 0, 0)}
            names += tar.getnames()
    assert names == [f"{photo_id}.jpg" for photo_id in catalogue["photo_id"]]
    assert sorted(path.name for path in (workspace / "out").iterdir()) == [
        "catalogue.parquet", "failures.csv", "ledger", "shards",
    ]  # fmt: skip


def test_sources_of_all_kinds_become_one_catalogue(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, server.url("photo/1.jpg"), "photos.tar", "tar://2.jpg::photos.tar")
    with tarfile.open(workspace / "data" / "photos.tar", "w") as tar:
        (workspace / "2.jpg").write_bytes(b"two")
        tar.add(workspace / "2.jpg", "2.jpg")
    (workspace / "tree" / "Bellis perennis").mkdir(parents=True)
    (workspace / "tree" / "Bellis perennis" / "3.jpg").write_bytes(b"three")
    (workspace / "data" / "list.txt").write_text(f"# old\nn1 {server.url('photo/1.jpg')}\n")
    fill = NO_FILL | {"licence": "CC BY 4.0", "region": "EU"}
    metrics = run(
        workspace,
        sources={
            "flora": OBSERVATIONS,
            "tree": {"kind": "folders", "roots": ["tree"], "pattern": None, "fill": fill},
            "list": {"kind": "urls", "path": "data/list.txt", "fill": NO_FILL},
        },
    )
    catalogue = pl.read_parquet(workspace / "out" / "catalogue.parquet")
    assert catalogue["source"].to_list() == ["flora"] * 3 + ["tree", "list"]
    assert catalogue["label"].to_list() == ["Aster 0", "Aster 1", "Aster 2", "Bellis perennis", None]
    assert catalogue["url"].to_list()[1:4] == [
        "file:data/photos.tar", "tar://2.jpg::data/photos.tar", "file:tree/Bellis perennis/3.jpg",
    ]  # fmt: skip
    assert catalogue["licence"].to_list() == ["CC0-1.0"] * 3 + ["CC-BY-4.0", "unknown"]
    assert photos_of(workspace / "out")[2:] == [b"two", b"three", photo_bytes("1.jpg")]
    assert (metrics["num_rows"], metrics["num_urls"]) == (5, 4)


@pytest.mark.slow
def test_outputs_do_not_depend_on_the_number_of_workers(workspace: Path, server: PhotoServer) -> None:
    paths = ["404/x", "stalled/x", "photo/0", *(f"photo/{number % 17}" for number in range(30))]
    observe(workspace, *map(server.url, paths))
    run(workspace, "one")
    run(workspace, "two", engine={"backend": "loky", "workers": 2})
    assert digests(workspace / "one") == digests(workspace / "two")


@pytest.mark.slow
def test_limits_are_those_of_all_workers_together(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(32)))
    server.pause_s = 0.05
    run(workspace, host_concurrency=3, engine={"backend": "loky", "workers": 4})
    assert server.most_in_flight == 3


@pytest.mark.parametrize("store", ["shards", "stream"])
def test_the_next_shards_do_not_wait_for_a_slow_photo(workspace: Path, server: PhotoServer, store: str) -> None:
    slow = server.url("after/photo/11.jpg")
    observe(workspace, slow, *photo_urls(server, range(1, 12)))
    metrics = run(workspace, store=store, read_timeout_s=60, total_timeout_s=60)
    assert metrics["statuses"]["ok"] == 12


def test_private_addresses_are_refused_by_the_shipped_parameters(workspace: Path, server: PhotoServer) -> None:
    shipped = yaml.safe_load((ROOT / "params.yaml").read_text())["fetch"]
    assert FetchParams.model_validate(shipped).allow_private is False
    observe(workspace, server.url("photo/0.jpg"))
    assert run(workspace, allow_private=shipped["allow_private"])["statuses"]["refused"] == 1
    assert not server.asked


def test_hostile_addresses_are_one_short_line_each_and_ask_nobody(workspace: Path, server: PhotoServer) -> None:
    port = server.server_port
    hosts = (
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "localhost",
        "ⓛocalhost",
        "2130706433",
        "0x7f.1",
        "[::ffff:7f00:1]",
    )
    urls = [f"http://{host}:{port}/photo/1.jpg" for host in hosts]
    urls += [f"http://example.org\\@127.0.0.1:{port}/photo/1.jpg", "http://" + "a" * 100_000, "http://" + "é" * 100_000]
    urls += ["tar://1.jpg::" * 3000 + "p.tar", "s3://private/1.jpg", "x" * 100_000, "../" * 30_000 + "etc/passwd"]
    urls += ["zip://" + "m" * 100_000 + "::p.zip", "tar://\x1b[2J::p.tar"]
    observe(workspace, *urls)
    (workspace / "data" / "p.zip").write_bytes(b"PK")
    with tarfile.open(workspace / "data" / "p.tar", "w"):
        pass
    metrics = run(workspace, allow_private=False)
    assert not server.asked
    assert metrics["statuses"]["ok"] == 0
    catalogue = pl.read_parquet(workspace / "out" / "catalogue.parquet")
    assert set(catalogue["status"]) == {"refused", "invalid_url", "read_error", "missing"}
    for row in catalogue.iter_rows(named=True):
        assert 0 < len(row["error"]) <= 300
        assert row["error"].isprintable()
    assert all(len(host) < 100 for host in metrics["hosts"])


def test_without_a_network_the_stage_fails_and_says_why(workspace: Path) -> None:
    observe(workspace, *(f"http://no-such-host.invalid/{number}.jpg" for number in range(3)))
    with pytest.raises(PhotoError, match=r"3 of 3 photos have no bytes.*0\.1 allows: 3 connection_error \(as Cannot"):
        run(workspace, retries=0, max_failure_rate=0.1)
    assert not (workspace / "out" / "catalogue.parquet").exists()


def test_missing_data_names_the_command_that_brings_it(workspace: Path) -> None:
    (workspace / "data").rmdir()
    with pytest.raises(CatalogueError, match=r"data is missing; `dvc pull"):
        run(workspace)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": 1,\n', "left out 1 x bad row (data/observations.jsonl line 1: not valid JSON"),
        (None, "data/observations.jsonl is missing"),
    ],
)
def test_a_broken_source_is_one_line_and_exit_code_1(workspace: Path, content: str | None, message: str) -> None:
    if content is not None:
        (workspace / "data" / "observations.jsonl").write_text(content)
    _, errors = (stage := start(workspace)).communicate()
    assert stage.returncode == 1
    assert errors.startswith("fetch: ")
    assert message in errors
    assert errors.count("\n") == 1
