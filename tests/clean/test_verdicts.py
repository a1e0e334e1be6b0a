"""Verdicts of random catalogues, against the same rules spelled out row by row."""

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest

from fieldguide.clean.candidates import Edges
from fieldguide.clean.forgotten import Forgotten, Line
from fieldguide.clean.params import Canonical, CleanParams, OnConflict, QualityParams
from fieldguide.clean.screening import FACTS
from fieldguide.clean.verdicts import judge_photos
from fieldguide.engine import EngineParams

NUM_ROWS = 400
NOTHING = Forgotten(frozenset())
ANY_QUALITY = QualityParams(min_brightness=0, max_brightness=255, min_sharpness=0, min_entropy=0, drop_framed=False)
PARAMS = CleanParams(
    min_side=32,
    max_megapixels=1,
    production_only=True,
    quality=ANY_QUALITY,
    near_duplicate_distance=3,
    drop_near_duplicates=True,
    on_conflict=OnConflict.KEEP,
    canonical=Canonical.FIRST,
    replacements=None,
    max_failure_rate=1,
    engine=EngineParams(backend="loky", workers=1),
)


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
            "label": random.choice(["a", "b", "c", None], NUM_ROWS, p=[0.8, 0.1, 0.05, 0.05]).tolist(),
            "licence": random.choice(["CC0-1.0", "unknown"], NUM_ROWS, p=[0.8, 0.2]).tolist(),
            "url": [f"u{url}" for url in urls],
            "sha256": [f"s{content_of_url[url]}" if fetched[url] else None for url in urls],
            "shard": ["a.tar" if fetched[url] else None for url in urls],
            "offset": [512 * int(url) if fetched[url] else None for url in urls],
            "num_bytes": [1 if fetched[url] else None for url in urls],
        },
        schema_overrides={"offset": pl.Int64},
    )
    facts: list[dict[str, Any]] = []
    for url in np.flatnonzero(fetched):
        content = content_of_url[url]
        usable = not broken[content]
        fact = dict.fromkeys(FACTS) | {"flaw": None if usable else "truncated", "format": "JPEG"}
        fact |= {
            "width": int(content % 5) + 1,
            "height": 7,
            "brightness": 100.0,
            "sharpness": 9.0,
            "entropy": 5.0,
        }
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
        reason, original = row.get("flaw"), None
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
    update = {"near_duplicate_distance": max_distance, "drop_near_duplicates": drop_near_duplicates}
    verdicts = judge(catalogue, facts, **update)
    assert verdicts.select("reason", "duplicate_of", "cluster_id").rows() == spell_out(
        catalogue, facts, max_distance, drop_near_duplicates
    )
    assert verdicts["photo_id"].equals(catalogue["photo_id"])
    assert (verdicts["verdict"] == "keep").equals(verdicts["reason"] == "kept")


def judge(catalogue: pl.DataFrame, facts: pl.DataFrame, forgotten: Forgotten = NOTHING, **update: Any) -> pl.DataFrame:
    params = PARAMS.model_copy(update=update)

    def look_at(edges: Edges, places: pl.DataFrame) -> np.ndarray:
        """There are no pictures here: those are the same whose fingerprints are near enough."""
        assert len(places) > edges[:2].max()
        return edges[2] <= params.near_duplicate_distance

    return judge_photos(catalogue, facts, params, forgotten, look_at)


def pictures(catalogue: pl.DataFrame, facts: pl.DataFrame) -> list[list[int]]:
    """The rows of every cluster, by the verdicts that keep all they can."""
    verdicts = judge(catalogue, facts, drop_near_duplicates=False)
    rows = verdicts.select("photo_id", "reason", "duplicate_of", "cluster_id").rows()
    original_of = {photo_id: original for photo_id, _, original, _ in rows}
    cluster_of = {photo_id: cluster for photo_id, _, _, cluster in rows}
    members: dict[str, list[int]] = {}
    for row, (photo_id, reason, _, _) in enumerate(rows):
        if reason in ("kept", "duplicate_url", "duplicate_bytes"):
            # The first row of a URL may itself have the bytes of an earlier one.
            while original_of[photo_id]:
                photo_id = original_of[photo_id]
            members.setdefault(cluster_of[photo_id], []).append(row)
    return list(members.values())


@pytest.mark.parametrize("canonical", Canonical)
@pytest.mark.parametrize("on_conflict", OnConflict)
@pytest.mark.parametrize("seed", [4, 5])
def test_one_member_of_each_picture_is_kept(seed: int, on_conflict: OnConflict, canonical: Canonical) -> None:
    catalogue, facts = make_catalogue(seed)
    verdicts = judge(catalogue, facts, on_conflict=on_conflict, canonical=canonical)
    table = pl.concat([verdicts, catalogue.select("label")], how="horizontal").with_row_index("row").rows(named=True)
    for members in pictures(catalogue, facts):
        votes = Counter(table[row]["label"] for row in members if table[row]["label"])
        differ = len(votes) > 1
        assert {table[row]["labels_differ"] for row in members} == {differ}
        candidates = members
        if differ and on_conflict is not OnConflict.KEEP:
            (most, num_most), *others = votes.most_common()
            wins = on_conflict is OnConflict.KEEP_MAJORITY and num_most > others[0][1]
            candidates = [row for row in members if wins and table[row]["label"] == most]
        sizes = {row: table[row]["width"] if canonical is Canonical.LARGEST else 0 for row in candidates}
        best = sorted(candidates, key=lambda row: (-sizes[row], row))[:1]
        assert [row for row in members if table[row]["verdict"] == "keep"] == best
        for row in set(candidates) - set(best):
            assert table[row]["reason"] in ("duplicate_url", "duplicate_bytes", "near_duplicate")
        for row in set(members) - set(candidates):
            assert table[row]["reason"] == "conflicting_labels"


@pytest.mark.parametrize(
    ("fact", "value", "threshold", "reason"),
    [
        ("brightness", 9.9, {"min_brightness": 10}, "dark"),
        ("brightness", 250.1, {"max_brightness": 250}, "bright"),
        ("sharpness", 4.9, {"min_sharpness": 5}, "blurred"),
        ("entropy", 0.9, {"min_entropy": 1}, "plain"),
        ("border_color", "ffffff", {"drop_framed": True}, "framed"),
    ],
)
def test_poor_photos_are_told_by_their_first_fault(
    fact: str, value: float | str, threshold: dict[str, Any], reason: str
) -> None:
    catalogue, facts = make_catalogue(1)
    facts = facts.with_columns(
        pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit(value)).otherwise(fact).cast(FACTS[fact]).alias(fact)
    )
    assert reason not in set(judge(catalogue, facts)["reason"])
    verdicts = judge(catalogue, facts, quality=ANY_QUALITY.model_copy(update=threshold))
    poor = verdicts.filter(pl.col("reason") == reason)
    assert set(poor[fact].cast(pl.String)) == {str(pl.Series([value], dtype=FACTS[fact]).cast(pl.String)[0])}
    kept = verdicts.filter(pl.col("verdict") == "keep")
    assert not set(kept[fact].drop_nulls().cast(pl.String)) & set(poor[fact].cast(pl.String))


def test_what_is_too_plain_to_compare_stands_alone() -> None:
    catalogue, facts = make_catalogue(1)
    verdicts = judge(catalogue, facts.with_columns(pl.lit(None, pl.Binary).alias("fingerprint")))
    assert "near_duplicate" not in set(verdicts["reason"])
    assert verdicts["searched_bits"].null_count() == NUM_ROWS
    kept = verdicts.filter(pl.col("verdict") == "keep")
    assert kept["cluster_id"].equals(kept["photo_id"].alias("cluster_id"))


@pytest.mark.parametrize(("max_distance", "bits"), [(-1, None), (3, 35)])
def test_how_far_was_searched_is_written_down(max_distance: int, bits: int | None) -> None:
    verdicts = judge(*make_catalogue(1), near_duplicate_distance=max_distance)
    assert set(verdicts.filter(pl.col("verdict") == "keep")["searched_bits"]) == {bits}


def test_a_forgotten_photo_takes_its_copies_along_and_promotes_none() -> None:
    catalogue, facts = make_catalogue(1)
    before = judge(catalogue, facts)
    copied = before.filter(pl.col("reason") == "near_duplicate")["duplicate_of"][0]
    row = before.row(by_predicate=pl.col("photo_id") == copied, named=True)
    line = Line("fingerprint", row["fingerprint"].hex())
    after = judge(catalogue, facts, Forgotten(frozenset({line, Line("photo_id", copied)})))
    picture = before["cluster_id"] == row["cluster_id"]
    assert set(after.filter(picture)["reason"]) == {"forgotten"}
    # The source forgets the row itself as well: its copies stay forgotten.
    gone = catalogue["photo_id"] != copied
    later = judge(catalogue.filter(gone), facts, Forgotten(frozenset({line})))
    assert set(later.filter(picture.filter(gone))["reason"]) == {"forgotten"}
