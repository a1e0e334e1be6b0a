"""One catalogue with one of everything: each row gets the first reason that applies."""

import hashlib
import io
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from fieldguide.clean.params import Canonical, CleanParams, OnConflict, QualityParams
from fieldguide.engine import EngineParams
from fieldguide.errors import CatalogueError, PhotoError, RecordError
from fieldguide.files import file_sha256
from stages.clean import clean
from tests.images.pictures import blotches, encode
from tests.stages.conftest import WriteFetch

PARAMS = CleanParams(
    min_side=32,
    max_megapixels=1,
    production_only=True,
    quality=QualityParams(min_brightness=0, max_brightness=255, min_sharpness=0, min_entropy=0, drop_framed=False),
    near_duplicate_distance=31,
    drop_near_duplicates=True,
    on_conflict=OnConflict.KEEP,
    canonical=Canonical.FIRST,
    replacements=None,
    max_failure_rate=0.9,
    engine=EngineParams(backend="loky", workers=1),
)


def again(content: bytes, quality: int) -> bytes:
    return encode(Image.open(io.BytesIO(content)), quality=quality)


GOOD = encode(blotches(1))
OTHER = encode(blotches(2))
PHOTOS = [
    (GOOD, {"licence": "CC-BY-NC-4.0"}, "licence", None),
    (GOOD, {"url": "u1", "label": "a species"}, "kept", None),
    (GOOD, {"url": "u1", "label": "another species"}, "duplicate_url", 1),
    (GOOD, {}, "duplicate_bytes", 1),
    (again(GOOD, 40), {}, "near_duplicate", 1),
    (OTHER, {}, "kept", None),
    (None, {"status": "timeout"}, "fetch_failed", None),
    (b"", {}, "empty", None),
    (b"<html></html>", {}, "not_an_image", None),
    (encode(blotches(3, 2000, 1000)), {}, "bomb", None),
    (GOOD[: len(GOOD) // 2], {}, "truncated", None),
    (encode(blotches(4, 100, 20)), {}, "too_small", None),
    (encode(blotches(5)), {"licence": "unknown"}, "licence", None),
]


@pytest.fixture
def fetch(write_fetch: WriteFetch) -> Path:
    return write_fetch([(content, given) for content, given, _, _ in PHOTOS])


def test_every_row_gets_its_reason(fetch: Path, tmp_path: Path) -> None:
    metrics = clean(PARAMS, fetch=fetch, out=tmp_path / "clean", reports=tmp_path / "reports")
    verdicts = pl.read_parquet(tmp_path / "clean" / "verdicts.parquet")
    found = verdicts.select("verdict", "reason", "duplicate_of").rows()
    assert found == [
        ("keep" if reason == "kept" else "drop", reason, None if first is None else f"{first:016x}")
        for _, _, reason, first in PHOTOS
    ]
    assert (metrics["num_photos"], metrics["num_kept"]) == (len(PHOTOS), 2)
    assert sum(metrics["reasons"].values()) == len(PHOTOS)
    assert metrics["formats"] == {"JPEG": 7}
    assert metrics["num_pictures_with_conflicting_labels"] == 1


def test_near_duplicates_may_stay_and_share_a_cluster(fetch: Path, tmp_path: Path) -> None:
    params = PARAMS.model_copy(update={"drop_near_duplicates": False, "production_only": False})
    clean(params, fetch=fetch, out=tmp_path, reports=tmp_path)
    verdicts = pl.read_parquet(tmp_path / "verdicts.parquet")
    kept = verdicts.filter(pl.col("reason") == "kept")
    assert kept["photo_id"].to_list() == [f"{row:016x}" for row in (0, 1, 4, 5, 12)][:1] + [
        f"{row:016x}" for row in (4, 5, 12)
    ]
    assert kept["cluster_id"].to_list()[:2] == [f"{0:016x}"] * 2


def test_any_number_of_workers_gives_the_same_bytes(fetch: Path, tmp_path: Path) -> None:
    digests = set()
    for workers in (1, 2):
        params = PARAMS.model_copy(update={"engine": EngineParams(backend="loky", workers=workers)})
        clean(params, fetch=fetch, out=tmp_path / str(workers), reports=tmp_path / str(workers))
        digests.add(file_sha256(tmp_path / str(workers) / "verdicts.parquet"))
    assert len(digests) == 1


def test_too_many_failures_name_the_reasons(fetch: Path, tmp_path: Path) -> None:
    params = PARAMS.model_copy(update={"max_failure_rate": 0.1})
    with pytest.raises(PhotoError, match=r"6 of 13 photos cannot be used.*fetch_failed 1"):
        clean(params, fetch=fetch, out=tmp_path / "clean", reports=tmp_path / "reports")
    assert not (tmp_path / "clean").exists()


def test_the_page_shows_every_reason(fetch: Path, tmp_path: Path) -> None:
    clean(PARAMS, fetch=fetch, out=tmp_path / "clean", reports=tmp_path / "reports")
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    sections = {part.partition('"')[0]: part for part in page.split('<section id="')[1:]}
    assert set(sections) == {reason for _, _, reason, _ in PHOTOS}
    assert sections["near_duplicate"].count("data:image/jpeg") == 2
    assert sections["duplicate_bytes"].count("data:image/jpeg") == 1
    assert "timeout: " in sections["fetch_failed"]
    assert "nothing to show" in sections["truncated"]
    assert "data:image" not in sections["licence"]
    assert "&lt;" not in sections["not_an_image"]
    assert 'src="http' not in page


def test_a_replaced_photo_is_no_failure(fetch: Path, tmp_path: Path) -> None:
    catalogue = pl.read_parquet(fetch / "catalogue.parquet")
    catalogue.with_columns(pl.lit("Ada").alias("rights_holder"), pl.lit("x").alias("label")).write_parquet(
        fetch / "catalogue.parquet"
    )
    ids = [f"{row:016x}" for row in range(len(PHOTOS))]
    (tmp_path / "r.csv").write_text(f"photo,replacement\n{ids[10]},{ids[5]}\n")
    params = PARAMS.model_copy(update={"replacements": tmp_path / "r.csv", "max_failure_rate": 6 / 13})
    metrics = clean(params, fetch=fetch, out=tmp_path, reports=tmp_path)
    assert metrics["num_replaced"] == 1
    verdicts = pl.read_parquet(tmp_path / "verdicts.parquet")
    assert verdicts.filter(pl.col("replaced_by") == ids[5])["photo_id"].to_list() == [ids[10]]
    with pytest.raises(PhotoError, match="6 of 13 photos cannot be used"):
        clean(
            params.model_copy(update={"replacements": None, "max_failure_rate": 5 / 13}),
            fetch=fetch,
            out=tmp_path,
            reports=tmp_path,
        )


def test_a_forgotten_photo_goes_with_its_copies_and_is_not_shown(fetch: Path, tmp_path: Path) -> None:
    (tmp_path / "forgotten.csv").write_text(
        f"kind,value\nbytes,{hashlib.sha256(GOOD).hexdigest()}\nphoto_id,{4:016x}\n"
    )
    clean(PARAMS, fetch=fetch, out=tmp_path, reports=tmp_path, forgotten=tmp_path / "forgotten.csv")
    verdicts = pl.read_parquet(tmp_path / "verdicts.parquet")
    assert [row for row, reason in enumerate(verdicts["reason"]) if reason == "forgotten"] == [0, 1, 2, 3, 4]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "data:image" not in page.split('<section id="forgotten"')[1].split("</section>")[0]


def test_licences_that_nobody_filled_in_end_the_stage_with_a_remedy(write_fetch: WriteFetch, tmp_path: Path) -> None:
    fetch = write_fetch([(GOOD, {"licence": "unknown"}), (OTHER, {"licence": "unknown"})])
    with pytest.raises(PhotoError, match=r"none of 2 photos is kept: licence 2; .*fetch.sources.NAME.fill.licence"):
        clean(PARAMS, fetch=fetch, out=tmp_path / "clean", reports=tmp_path)
    assert not (tmp_path / "clean").exists()


def test_a_list_of_the_forgotten_that_is_gone_is_no_empty_one(fetch: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"gone\.csv is missing, and what it forgets would come back"):
        clean(PARAMS, fetch=fetch, out=tmp_path, reports=tmp_path, forgotten=tmp_path / "gone.csv")


def test_a_missing_shard_is_one_line_that_says_what_to_run(fetch: Path, tmp_path: Path) -> None:
    for shard in (fetch / "shards").iterdir():
        shard.unlink()
    with pytest.raises(RecordError, match=r"originals-00000\.tar is missing; run the fetch stage first"):
        clean(PARAMS, fetch=fetch, out=tmp_path, reports=tmp_path)
    (fetch / "catalogue.parquet").unlink()
    with pytest.raises(RecordError, match=r"catalogue\.parquet is missing; run the fetch stage first"):
        clean(PARAMS, fetch=fetch, out=tmp_path, reports=tmp_path)


def test_decisions_drop_and_relabel(fetch: Path, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(f"photo_id,decision\n{5:016x},drop\n{1:016x},relabel:another species\n")
    metrics = clean(PARAMS, fetch=fetch, out=tmp_path, reports=tmp_path, decisions=decisions)
    verdicts = pl.read_parquet(tmp_path / "verdicts.parquet")
    assert verdicts["reason"][5] == "decided"
    assert verdicts["new_label"].drop_nulls().to_list() == ["another species"]
    # Rows 1 and 2 show one picture, under one label from now on.
    assert not verdicts["labels_differ"].any()
    assert (metrics["num_relabelled"], metrics["reasons"]["decided"]) == (1, 1)


def test_a_list_of_decisions_that_is_gone_is_missed(fetch: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"decisions\.csv is missing, and what it decides would be undone"):
        clean(PARAMS, fetch=fetch, out=tmp_path, reports=tmp_path, decisions=tmp_path / "decisions.csv")
