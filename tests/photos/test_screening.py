"""Verdicts of random catalogues, against the same rules spelled out row by row."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from fieldguide.photos.screening import FACTS, Reason, judge_photos

NUM_ROWS = 400


def make_catalogue(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A catalogue full of repetitions, and what its photos are."""
    random = np.random.default_rng(seed)
    urls = random.integers(0, 250, NUM_ROWS)
    # A URL has one place, and some places hold the same bytes, or nearly.
    content_of_url = random.integers(0, 150, 250)
    fetched = random.random(250) < 0.9
    originals = random.integers(0, 2**64, (40, 4), dtype=np.uint64)
    look = originals[random.integers(0, 40, 150)] ^ random.integers(0, 8, (150, 4), dtype=np.uint64)
    broken = random.random(150) < 0.1
    catalogue = pl.DataFrame(
        {
            "photo_id": [f"{row:016x}" for row in range(NUM_ROWS)],
            "status": ["ok" if fetched[url] else "missing" for url in urls],
            "licence": random.choice(["CC0-1.0", "unknown"], NUM_ROWS, p=[0.8, 0.2]).tolist(),
            "url": [f"u{url}" for url in urls],
            "sha256": [f"s{content_of_url[url]}" if fetched[url] else None for url in urls],
            "shard": ["a.tar" if fetched[url] else None for url in urls],
            "offset": [512 * int(url) if fetched[url] else None for url in urls],
        },
        schema_overrides={"offset": pl.Int64},
    )
    facts: list[dict[str, Any]] = []
    for url in np.flatnonzero(fetched):
        content = content_of_url[url]
        usable = not broken[content]
        fact = dict.fromkeys(FACTS) | {"reason": None if usable else "truncated", "format": "JPEG", "width": 7}
        bits = look[content].tobytes() if usable else None
        facts.append({"shard": "a.tar", "offset": 512 * int(url), **fact, "fingerprint": bits})
    return catalogue, pl.DataFrame(facts, schema={"shard": pl.String, "offset": pl.Int64, **FACTS})


def spell_out(
    catalogue: pl.DataFrame, facts: pl.DataFrame, max_distance: int, drop_near_duplicates: bool
) -> list[tuple[str, str | None, str | None]]:
    """Reason, duplicate_of and cluster_id of every row."""
    known = {(fact["shard"], fact["offset"]): fact for fact in facts.iter_rows(named=True)}
    rows = [row | (known.get((row["shard"], row["offset"])) or {}) for row in catalogue.iter_rows(named=True)]
    answers: list[list[Any]] = []
    seen: dict[Any, str] = {}
    for row in rows:
        reason, original = row.get("reason"), None
        if row["status"] != "ok":
            reason = "fetch_failed"
        elif reason is None and row["licence"] != "CC0-1.0":
            reason = "licence"
        elif reason is None and row["url"] in seen:
            reason, original = "duplicate_url", seen[row["url"]]
        elif reason is None and row["sha256"] in seen:
            reason, original = "duplicate_bytes", seen[row["sha256"]]
        if reason in (None, "duplicate_bytes"):
            seen.setdefault(row["url"], row["photo_id"])
            seen.setdefault(row["sha256"], row["photo_id"])
        answers.append([reason, original, None])
    good = [place for place, answer in enumerate(answers) if answer[0] is None]
    bits = {place: int.from_bytes(rows[place]["fingerprint"]) for place in good}
    cluster = {place: place for place in good}
    for one in good:
        for other in good:
            if one < other and (bits[one] ^ bits[other]).bit_count() <= max_distance:
                low, high = sorted((cluster[one], cluster[other]))
                cluster = {place: low if first == high else first for place, first in cluster.items()}
    for place in good:
        first = rows[cluster[place]]["photo_id"]
        answers[place][2] = first
        if cluster[place] != place and drop_near_duplicates:
            answers[place][:2] = ["near_duplicate", first]
    return [(reason or "kept", original, first) for reason, original, first in answers]


@pytest.mark.parametrize("drop_near_duplicates", [True, False])
@pytest.mark.parametrize("max_distance", [-1, 3, 12])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_verdicts_follow_the_rules(seed: int, max_distance: int, drop_near_duplicates: bool) -> None:
    catalogue, facts = make_catalogue(seed)
    verdicts = judge_photos(
        catalogue,
        facts,
        is_allowed=lambda licence: licence == "CC0-1.0",
        max_distance=max_distance,
        drop_near_duplicates=drop_near_duplicates,
    )
    assert verdicts.select("reason", "duplicate_of", "cluster_id").rows() == spell_out(
        catalogue, facts, max_distance, drop_near_duplicates
    )
    assert verdicts["photo_id"].equals(catalogue["photo_id"])
    assert (verdicts["verdict"] == "keep").equals(verdicts["reason"] == Reason.KEPT)
