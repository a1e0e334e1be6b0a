"""Verdicts that a person should hear of are told of; those that leave nothing end the stage."""

import logging

import polars as pl
import pytest

from fieldguide.clean.remarks import check_something_is_kept, describe_clusters
from fieldguide.errors import PhotoError


def reasons(**counts: int) -> pl.DataFrame:
    return pl.DataFrame({"reason": [reason for reason, count in counts.items() for _ in range(count)]})


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"licence": 5}, r"none of 5 photos is kept: licence 5; licence: say in fetch.sources.NAME.fill.licence"),
        ({"licence": 1, "truncated": 3}, r"none of 4 photos is kept: truncated 3, licence 1; licence: "),
        ({"dark": 2}, r"dark: lower clean.quality.min_brightness"),
    ],
)
def test_nothing_kept_ends_the_stage_with_a_remedy(counts: dict[str, int], message: str) -> None:
    with pytest.raises(PhotoError, match=message):
        check_something_is_kept(reasons(**counts))


@pytest.mark.parametrize("counts", [{}, {"kept": 3}, {"kept": 3, "licence": 3}])
def test_ordinary_verdicts_need_no_remark(counts: dict[str, int], caplog: pytest.LogCaptureFixture) -> None:
    check_something_is_kept(reasons(**counts))
    assert not caplog.records


@pytest.mark.parametrize("counts", [{"truncated": 2}, {"kept": 1, "licence": 2}])
def test_a_reason_that_takes_most_is_told_of(counts: dict[str, int], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_something_is_kept(reasons(**counts))
    assert "photos are dropped for one reason" in caplog.text


def member(photo: str, first: str, num_bits: int, differ: bool = False) -> dict[str, object]:
    bits = ((1 << num_bits) - 1).to_bytes(32)
    return {
        "photo_id": photo,
        "cluster_id": first,
        "fingerprint": bits,
        "searched_bits": 63,
        "labels_differ": differ,
        "reason": "kept",
    }


def test_wide_clusters_and_torn_pictures_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    rows = [member("a", "a", 0), member("b", "a", 60), member("c", "a", 100), member("d", "d", 0), member("e", "d", 63)]
    rows += [member("f", "f", 0, True), member("g", "f", 1, True), member("h", "h", 0) | {"fingerprint": None}]
    table = pl.DataFrame(rows, schema_overrides={"searched_bits": pl.Int16})
    with caplog.at_level(logging.WARNING):
        found = describe_clusters(table, 31)
    assert "1 clusters hold photos that are near" in caplog.text
    assert "why a" in caplog.text
    assert "1 pictures stand under several labels" in caplog.text
    assert found == {
        "num_clusters": 3,
        "num_photos_in_the_largest": 3,
        "num_wide_clusters": 1,
        "num_too_plain_to_compare": 1,
        "looked_up_to_bits": 63,
        "share_found": {"at_31_bits": 1.0, "at_63_bits": 1.0},
    }


def test_no_clusters_at_all() -> None:
    none = pl.DataFrame([member("a", "a", 0)], schema_overrides={"searched_bits": pl.Int16}).clear()
    assert describe_clusters(none, -1)["num_clusters"] == 0
