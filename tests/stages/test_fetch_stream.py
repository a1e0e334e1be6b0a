"""`store: stream`: no originals are kept, and every stage still sees the photos that fetch saw."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError
from fieldguide.fetch.cache import BASE_BYTES, BLOCK_BYTES, LINE_BYTES
from fieldguide.fetch.reading import Location, Originals
from stages.clean import clean
from stages.resize import resize
from tests.images.pictures import blotches, encode
from tests.photo_server import PhotoServer, photo_bytes
from tests.stages.fetching import digests, observe, photo_urls, run, start
from tests.stages.test_clean import PARAMS as CLEAN
from tests.stages.test_resize import PARAMS as RESIZE

FIFTY = (BASE_BYTES + 50 * (BLOCK_BYTES + LINE_BYTES)) / 1e9
"""GB for fifty of the server's photos."""


def read(out: Path) -> list[bytes | None]:
    """The photos of a catalogue, as later stages read them."""
    places = pl.read_parquet(out / "catalogue.parquet").drop_nulls("shard")
    return list(Originals(out).read(Location(*row) for row in places["shard", "offset", "num_bytes"].iter_rows()))


def test_a_stream_keeps_no_originals_and_gives_the_same_catalogue(workspace: Path, server: PhotoServer) -> None:
    (workspace / "data" / "local.jpg").write_bytes(b"local")
    observe(workspace, *photo_urls(server, range(10)), server.url("404/x"), "local.jpg", server.url("photo/3.jpg"))
    metrics = run(workspace, store="stream")
    assert not list((workspace / "out" / "shards").iterdir())
    assert metrics == run(workspace, "kept")
    stream, kept = (pl.read_parquet(workspace / out / "catalogue.parquet") for out in ("out", "kept"))
    assert stream.drop("shard", "offset").equals(kept.drop("shard", "offset"))
    server.asked.clear()
    assert read(workspace / "out") == read(workspace / "kept")
    assert not server.asked


def test_what_left_the_cache_is_asked_for_again(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(100)))
    run(workspace, store="stream", cache_gb=FIFTY)
    server.asked.clear()
    assert read(workspace / "out") == [photo_bytes(f"{number}.jpg") for number in range(100)]
    assert 50 <= sum(server.asked.values()) <= 100
    assert sum(file.stat().st_blocks * 512 for file in (workspace / "cache").iterdir()) <= FIFTY * 1e9


def test_readers_keep_the_limits_together(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(24)))
    run(workspace, store="stream", cache_gb=1e-6, host_concurrency=3)
    places = pl.read_parquet(workspace / "out" / "catalogue.parquet")["shard", "offset", "num_bytes"].rows()
    server.pause_s, server.most_in_flight = 0.05, 0
    originals = Originals(workspace / "out", num_readers=4)
    with ThreadPoolExecutor(4) as readers:
        parts = [[Location(*place) for place in places[start::4]] for start in range(4)]
        contents = list(readers.map(lambda part: list(originals.read(part)), parts))
    assert contents[1][0] == photo_bytes("1.jpg")
    assert server.most_in_flight == 3


def test_shrunk_photos_come_back_the_same(workspace: Path, server: PhotoServer) -> None:
    (workspace / "data" / "1.jpg").write_bytes(encode(blotches(1, 300, 200)))
    observe(workspace, "1.jpg")
    run(workspace, store="stream", max_side=100)
    run(workspace, "kept", max_side=100)
    for file in (workspace / "cache").glob("?" * 64):
        file.unlink()
    assert read(workspace / "out") == read(workspace / "kept")


def test_photos_that_are_gone_or_changed_are_none(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *map(server.url, ["tagged/0", "tagged/1"]), "2.jpg")
    (workspace / "data" / "2.jpg").write_bytes(b"here")
    run(workspace, store="stream", cache_gb=1e-6)
    server.editions["1"] = 1
    (workspace / "data" / "2.jpg").unlink()
    assert read(workspace / "out") == [photo_bytes("0 0"), None, None]


def test_a_rerun_asks_for_nothing_and_a_switch_for_all(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(10)), server.url("404/x"))
    run(workspace, store="stream")
    before = digests(workspace / "out")
    server.asked.clear()
    run(workspace, store="stream")
    assert not server.asked
    assert digests(workspace / "out") == before
    run(workspace)
    run(workspace, "undisturbed")
    assert digests(workspace / "out") == digests(workspace / "undisturbed")


def test_new_rows_and_refreshes_ask_for_what_is_new(workspace: Path, server: PhotoServer) -> None:
    urls = [server.url(f"tagged/{number}") for number in range(9)]
    observe(workspace, *urls[1:], first=1)
    run(workspace, store="stream")
    observe(workspace, *urls)
    server.asked.clear()
    run(workspace, store="stream")
    assert dict(server.asked) == {"/tagged/0": 1}
    server.sent.clear()
    run(workspace, store="stream", refresh="now")
    assert not server.sent
    assert read(workspace / "out") == [photo_bytes(f"{number} 0") for number in range(9)]


@pytest.mark.slow
def test_killed_and_run_again_gives_the_same(workspace: Path, server: PhotoServer) -> None:
    # Workers live on from test to test in the folder they were born in: so the cache has an absolute path.
    cache = {"cache_folder": str(workspace / "cache"), "cache_gb": FIFTY}
    changes = {"store": "stream", "engine": {"backend": "loky", "workers": 2}, **cache}
    observe(workspace, *photo_urls(server, range(60)), server.url("404/a"))
    run(workspace, "undisturbed", **changes)
    server.pause_s = 0.05
    for _ in range(3):
        stage = start(workspace, concurrency=4, **changes)
        asked = sum(server.asked.values()) + random.randint(1, 20)
        while stage.poll() is None and sum(server.asked.values()) < asked:
            time.sleep(0.01)
        os.killpg(stage.pid, signal.SIGKILL)
        stage.communicate()
    server.pause_s = 0
    run(workspace, **changes)
    assert digests(workspace / "out") == digests(workspace / "undisturbed")
    assert read(workspace / "out") == [photo_bytes(f"{number}.jpg") for number in range(60)]


@pytest.fixture
def photographs(workspace: Path) -> Path:
    """Ten real files in the workspace, observed."""
    for number in range(10):
        (workspace / "data" / f"{number}.jpg").write_bytes(encode(blotches(number, 200, 160)))
    observe(workspace, *(f"{number}.jpg" for number in range(10)))
    return workspace


def squares_of(workspace: Path, out: str) -> dict[str, str]:
    """Digests of what clean and resize make of `out`."""
    fetched = workspace / out
    clean(CLEAN, fetch=fetched, out=workspace / f"{out}-clean", reports=workspace / f"{out}-reports")
    catalogue = pl.read_parquet(fetched / "catalogue.parquet")
    verdicts = pl.read_parquet(workspace / f"{out}-clean" / "verdicts.parquet")
    kept = catalogue.filter(verdicts["verdict"] == "keep")
    split = workspace / f"{out}-split"
    Taxonomy(
        ranks=["species"], classes={"species": ["other"]}, parents={}, merged_into_other={}, vernacular={}, regions={}
    ).write(split / "taxonomy.json")
    kept.select("photo_id", "region", pl.lit("train").alias("split"), pl.lit("other").alias("species")).write_parquet(
        split / "split.parquet"
    )
    resize(RESIZE, fetch=fetched, split=split, out=workspace / f"{out}-squares")
    return digests(workspace / f"{out}-squares") | digests(workspace / f"{out}-clean")


@pytest.mark.parametrize("cache_gb", [1, 1e-6])
def test_later_stages_make_the_same_of_a_stream(photographs: Path, cache_gb: float) -> None:
    run(photographs, "kept")
    run(photographs, "stream", store="stream", cache_gb=cache_gb)
    assert squares_of(photographs, "stream") == squares_of(photographs, "kept")


def test_clean_drops_what_is_gone_and_resize_says_how_to_go_on(photographs: Path) -> None:
    run(photographs, "stream", store="stream", cache_gb=1e-6)
    photo = photographs / "data" / "3.jpg"
    content = photo.read_bytes()
    photo.unlink()
    squares_of(photographs, "stream")
    reasons = pl.read_parquet(photographs / "stream-clean" / "verdicts.parquet")["reason"].to_list()
    assert reasons == [*["kept"] * 3, "fetch_failed", *["kept"] * 6]
    assert "gone, changed or out of reach since" in (photographs / "stream-reports" / "index.html").read_text(
        encoding="utf-8"
    )
    photo.write_bytes(content)
    (photographs / "data" / "4.jpg").unlink()
    with pytest.raises(PhotoError, match=r"gone, changed .* run again, or `dvc repro -f clean`"):
        resize(RESIZE, fetch=photographs / "stream", split=photographs / "stream-split", out=photographs / "again")
