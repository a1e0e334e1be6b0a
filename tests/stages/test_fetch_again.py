"""What a second run of fetch asks for, and what it takes over."""

import datetime
import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from fieldguide.digests import write_digests
from fieldguide.errors import PhotoError
from tests.images.pictures import blotches, encode
from tests.photo_server import PhotoServer, photo_bytes
from tests.stages.fetching import NO_FILL, OBSERVATIONS, digests, observe, photo_urls, photos_of, run


def test_a_rerun_asks_for_nothing_that_is_there(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(10)), server.url("404/x"))
    run(workspace)
    before = digests(workspace / "out")
    server.asked.clear()
    run(workspace)
    assert not server.asked
    assert digests(workspace / "out") == before


def test_a_rerun_asks_again_for_what_may_have_passed(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(5)), server.url("404/x"), server.url("once/503/y"))
    assert run(workspace, retries=0)["statuses"]["http_error"] == 1
    before = dict(server.asked)
    assert run(workspace, retries=0)["statuses"]["http_error"] == 0
    assert dict(server.asked) == before | {"/once/503/y": 2}
    run(workspace, "undisturbed")
    assert digests(workspace / "out") == digests(workspace / "undisturbed")


def test_what_looks_final_is_asked_for_again_on_request(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(5)), server.url("once/404/y"), server.url("403/x"))
    assert run(workspace)["statuses"]["missing"] == 1
    server.asked.clear()
    assert run(workspace, retry_failed=["refused"])["statuses"]["missing"] == 1
    assert not server.asked
    server.asked["/once/404/y"] = 1
    assert run(workspace, retry_failed=["missing"])["statuses"]["missing"] == 0
    assert dict(server.asked) == {"/once/404/y": 2}


def test_a_refresh_asks_for_all_photos_and_gets_what_is_new(workspace: Path, server: PhotoServer) -> None:
    tagged = [f"tagged/{number}" for number in range(10)]
    observe(workspace, *map(server.url, [*tagged, "photo/plain", "404/x"]))
    run(workspace)
    server.editions["3"] = 1
    server.asked.clear()
    server.sent.clear()
    run(workspace, refresh=datetime.date(2026, 11, 21))  # as YAML reads one
    assert dict(server.asked) == {f"/{path}": 1 for path in [*tagged, "photo/plain", "404/x"]}
    assert dict(server.sent) == {"/tagged/3": 1}
    assert photos_of(workspace / "out")[3] == photo_bytes("3 1")
    run(workspace, "undisturbed", refresh="2026-11-21")
    assert digests(workspace / "out") == digests(workspace / "undisturbed")
    server.asked.clear()
    run(workspace, refresh="2026-11-21")
    assert not server.asked


def test_what_did_not_change_but_is_damaged_here_is_sent_again(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, server.url("tagged/0"))
    run(workspace)
    shard = workspace / "out" / "shards" / "originals-00000.tar"
    content = bytearray(shard.read_bytes())
    content[600] ^= 1
    shard.write_bytes(content)
    run(workspace, refresh="now")
    assert photos_of(workspace / "out") == [photo_bytes("0 0")]
    assert server.sent["/tagged/0"] == 2


def test_photos_are_shrunk_on_request(workspace: Path) -> None:
    (workspace / "data" / "1.jpg").write_bytes(encode(blotches(1, 300, 200)))
    (workspace / "data" / "2.jpg").write_bytes(b"no photo")
    observe(workspace, "1.jpg", "2.jpg")
    run(workspace, max_side=100)
    small, broken = photos_of(workspace / "out")
    with Image.open(io.BytesIO(small)) as image:
        assert max(image.size) == 100
    assert broken == b"no photo"


def test_a_new_row_at_the_top_asks_for_one_photo(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(10)), first=1)
    run(workspace)
    observe(workspace, server.url("photo/new.jpg"), *photo_urls(server, range(10)))
    server.asked.clear()
    run(workspace)
    assert dict(server.asked) == {"/photo/new.jpg": 1}
    run(workspace, "undisturbed")
    assert digests(workspace / "out") == digests(workspace / "undisturbed")


def test_other_shard_sizes_take_over_what_is_there(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(10)))
    run(workspace)
    server.asked.clear()
    run(workspace, photos_per_shard=7)
    assert not server.asked
    assert len(list((workspace / "out" / "shards").iterdir())) == 2
    run(workspace, "undisturbed", photos_per_shard=7)
    assert digests(workspace / "out") == digests(workspace / "undisturbed")


def test_damaged_bytes_are_not_taken_over(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(4)))
    run(workspace)
    shard = workspace / "out" / "shards" / "originals-00000.tar"
    content = bytearray(shard.read_bytes())
    content[600] ^= 1
    shard.write_bytes(content)
    server.asked.clear()
    run(workspace, photos_per_shard=3)
    assert dict(server.asked) == {"/photo/0.jpg": 1}
    assert photos_of(workspace / "out") == [photo_bytes(f"{number}.jpg") for number in range(4)]


def test_other_rules_ask_anew(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, server.url("photo/0.jpg"))
    run(workspace)
    assert run(workspace, max_megabytes=0.001)["statuses"]["too_large"] == 1
    assert run(workspace, allow_private=False)["statuses"]["refused"] == 1
    assert run(workspace)["statuses"]["ok"] == 1


@pytest.mark.parametrize("store", ["shards", "stream"])
def test_what_a_source_says_about_a_photo_reads_nothing_anew(workspace: Path, server: PhotoServer, store: str) -> None:
    (workspace / "data" / "local.jpg").write_bytes(b"local")
    observe(workspace, *photo_urls(server, range(6)), server.url("404/x"), "local.jpg")
    run(workspace, store=store)
    before = identities(workspace / "out")
    server.asked.clear()
    table = workspace / "data" / "observations.jsonl"
    table.write_text(table.read_text().replace("CC0", "CC-BY-4.0").replace("Aster", "Bellis"))
    fill = NO_FILL | {"region": "EU", "rights_holder": "Ada"}
    metrics = run(workspace, store=store, sources={"flora": OBSERVATIONS | {"fill": fill}})
    assert metrics["licences"] == {"CC-BY-4.0": 8}
    assert not server.asked
    assert identities(workspace / "out") == before


def identities(out: Path) -> dict[str, tuple[int, int]]:
    """By shard and ledger, what changes when it is written again."""
    files = [*(out / "shards").iterdir(), *(out / "ledger").iterdir()]
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def test_an_older_shard_does_not_pass_for_the_one_that_was_read_last(workspace: Path) -> None:
    observe(workspace, "1.jpg")
    photo = workspace / "data" / "1.jpg"
    photo.write_bytes(b"old")
    run(workspace)
    shutil.copytree(workspace / "out", workspace / "kept")
    photo.write_bytes(b"new")
    run(workspace)
    shutil.rmtree(workspace / "out")
    shutil.copytree(workspace / "kept", workspace / "out")  # as a checkout does
    run(workspace)
    assert photos_of(workspace / "out") == [b"new"]


def test_wider_limits_ask_only_for_what_the_narrower_ones_kept_away(workspace: Path, server: PhotoServer) -> None:
    urls = [*photo_urls(server, range(5)), server.url("404/x"), server.url("large/1"), server.url("redirect//photo/7")]
    observe(workspace, *urls)
    statuses = run(workspace, max_redirects=0)["statuses"]
    assert (statuses["ok"], statuses["too_large"], statuses["too_many_redirects"]) == (5, 1, 1)
    server.asked.clear()
    assert run(workspace, max_megabytes=1)["statuses"]["ok"] == 7
    assert dict(server.asked) == {"/large/1": 1, "/redirect//photo/7": 1, "/photo/7": 1}
    run(workspace, "undisturbed", max_megabytes=1)
    assert digests(workspace / "out") == digests(workspace / "undisturbed")


def test_local_files_that_change_are_read_anew(workspace: Path) -> None:
    observe(workspace, "1.jpg")
    (workspace / "data" / "1.jpg").write_bytes(b"old")
    run(workspace)
    (workspace / "data" / "1.jpg").write_bytes(b"new")
    run(workspace)
    assert photos_of(workspace / "out") == [b"new"]


def test_a_failed_stage_loses_nothing(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(5)), *(server.url(f"404/{number}") for number in range(5)))
    with pytest.raises(PhotoError):
        run(workspace, max_failure_rate=0.4)
    server.asked.clear()
    run(workspace, max_failure_rate=0.5)
    assert not server.asked


def test_what_is_damaged_of_an_earlier_run_is_made_again(workspace: Path, server: PhotoServer) -> None:
    observe(workspace, *photo_urls(server, range(8)))
    run(workspace)
    before = digests(workspace / "out")
    for bit in (2000, 9000):
        write_digests(workspace / "out", "fetch")
        ledger = workspace / "out" / "ledger" / "originals-00001.parquet"
        content = bytearray(ledger.read_bytes())
        content[bit // 8] ^= 1
        ledger.write_bytes(content)
        run(workspace)
        assert digests(workspace / "out") == before
