"""Groups stay whole, ratios come out, and later photos move nothing."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.splits import Split
from fieldguide.errors import CatalogueError
from fieldguide.split.splitting import (
    draw_positions,
    draw_splits,
    exceeds_cap,
    find_groups,
    guarantee_minimum,
    honour_given,
)

RATIOS = {Split.TRAIN: 0.8, Split.VAL: 0.1, Split.TEST: 0.1}
ALL_TRAIN = {Split.TRAIN: 1.0, Split.VAL: 0.0, Split.TEST: 0.0}
COLUMNS = ["observation_id", "cluster_id"]


def rows(*values: tuple[str | None, str | None], start: int = 0) -> pl.DataFrame:
    columns = {"photo_id": pl.String, "observation_id": pl.String, "cluster_id": pl.String}
    return pl.DataFrame([(f"p{i}", *row) for i, row in enumerate(values, start)], schema=columns, orient="row")


def draw(groups: pl.Series, salt: str = "s") -> list[str]:
    return draw_splits(draw_positions(groups, salt), RATIOS).to_list()


def test_groups_join_through_any_column_and_are_named_by_their_first_row() -> None:
    table = rows(
        ("o1", "c1"), ("o1", "c2"), ("o0", "c2"), (None, "c3"), (None, None), (None, "c4"), ("o3", "c4"), (None, "c3")
    )  # fmt: skip
    assert find_groups(table, COLUMNS).to_list() == [
        *["observation_id=o1"] * 3,
        "cluster_id=c3",
        "photo_id=p4",
        *["cluster_id=c4"] * 2,
        "cluster_id=c3",
    ]


def test_without_columns_every_photo_is_its_own_group() -> None:
    table = rows(("o1", "c1"), ("o1", None)).with_columns(pl.lit(None, pl.String).alias("observer"))
    assert find_groups(table, ["observer"]).to_list() == ["photo_id=p0", "photo_id=p1"]
    assert len(find_groups(table.clear(), COLUMNS)) == 0


values = st.one_of(st.none(), st.sampled_from("abcdef"))


@given(st.lists(st.tuples(values, values), max_size=12))
def test_groups_join_just_what_shares(pairs: list[tuple[str | None, str | None]]) -> None:
    table = rows(*pairs)
    groups = dict(zip(table["photo_id"], find_groups(table, COLUMNS), strict=True))
    # The same by walking from photo to photo.
    reach = {name: {name} for name in groups}
    for _ in pairs:
        for i, one in enumerate(pairs):
            for j, other in enumerate(pairs):
                if any(a is not None and a == b for a, b in zip(one, other, strict=True)):
                    reach[f"p{i}"] |= reach[f"p{j}"]
    assert {name: {other for other in groups if groups[other] == groups[name]} for name in groups} == reach


def test_ratios_come_out() -> None:
    drawn = Counter(draw(pl.Series([f"observation_id={i}" for i in range(20_000)])))
    for split, ratio in RATIOS.items():
        assert drawn[split] / 20_000 == pytest.approx(ratio, abs=0.01)


def test_the_salt_draws_anew() -> None:
    groups = pl.Series([f"g{i}" for i in range(200)])
    assert draw(groups, "a") != draw(groups, "b")


numbers = st.integers(0, 30)


@given(
    st.lists(st.tuples(st.one_of(st.none(), numbers), numbers), min_size=1, max_size=60),
    st.lists(st.tuples(st.sampled_from(["of an old observation", "of an old picture", "new"]), numbers), max_size=60),
)
def test_added_photos_move_none(old: list[tuple[int | None, int]], new: list[tuple[str, int]]) -> None:
    # What comes later sorts first: a name that is the smallest of the group's would change.
    before = rows(
        *((None if observation is None else f"o{observation}", f"c{cluster}") for observation, cluster in old)
    )
    added = []
    for number, (kind, which) in enumerate(new):
        _, observation, cluster = before.row(which % len(before))
        added.append(
            {
                "of an old observation": (observation, f"b{number}"),
                "of an old picture": (f"a{number}", cluster),
                "new": (f"a{number}", f"b{number}"),
            }[kind]
        )
    after = pl.concat([before, rows(*added, start=len(before))])
    assert draw(find_groups(after, COLUMNS))[: len(before)] == draw(find_groups(before, COLUMNS))


def test_a_given_split_is_honoured_or_named() -> None:
    given = {"given_split": ["train", "test"], "position": [0.85, 0.85]}
    table = pl.DataFrame({"source_row": ["a.csv:2", "a.csv:3"], **given})
    assert honour_given(table, "given_split", ALL_TRAIN).to_list() == [Split.TRAIN, Split.TEST]
    for strange in ("dev", None, "unseen"):
        wrong = table.with_columns(pl.Series("given_split", ["train", strange]))
        with pytest.raises(
            CatalogueError, match=rf"a\.csv:3: given_split is {strange!r}; expected one of train, val, test"
        ):
            honour_given(wrong, "given_split", RATIOS)
    with pytest.raises(CatalogueError, match="no column 'fold'"):
        honour_given(table, "fold", RATIOS)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("train train val val", "train test val val", id="test out of train"),
        pytest.param("train train test test", "train train test test", id="none falls to val"),
        pytest.param("train train train train", "train test train test", id="one list for all"),
        pytest.param("val val test test", "val val test test", id="nothing to draw from"),
    ],
)
def test_a_split_that_is_given_to_no_photo_is_drawn_from_train(given: str, expected: str) -> None:
    table = pl.DataFrame({"source_row": list("abcd"), "given_split": given.split(), "position": [0.1, 0.95] * 2})
    assert honour_given(table, "given_split", RATIOS).to_list() == expected.split()


def photos(**sizes: int) -> pl.DataFrame:
    """Photos of labels, two of them a group, all of them in train but every tenth group."""
    labels = [label for label, size in sizes.items() for _ in range(size)]
    groups = pl.Series("group_id", [f"g{i // 2}" for i in range(len(labels))])
    positions = draw_positions(groups, "s")
    table = pl.DataFrame({"photo_id": [f"p{i:03}" for i in range(len(labels))], "label": labels, "group_id": groups})
    return table.with_columns(positions, draw_splits(positions, RATIOS))


def count(table: pl.DataFrame) -> dict[str, Counter[str]]:
    return {label: Counter(table.filter(pl.col("label") == label)["split"]) for label in table["label"].unique()}


def test_every_class_has_its_minimum_and_groups_stay_whole() -> None:
    table = photos(common=400, rare=24, tiny=4, one=12, another=12)
    classes = {"common": "common", "rare": "rare", "tiny": "tiny", "one": "other", "another": "other"}
    topped = guarantee_minimum(table, 4, classes)
    counts = count(topped)
    for label in ("common", "rare"):
        assert min(counts[label][Split.VAL], counts[label][Split.TEST]) >= 4
    assert counts["tiny"][Split.TRAIN] >= 2, "train keeps half"
    merged = counts["one"] + counts["another"]
    assert min(merged[Split.VAL], merged[Split.TEST]) >= 4, "labels of one class count together"
    assert topped.group_by("group_id").agg(pl.col("split").n_unique())["split"].max() == 1
    moved = table.with_columns(topped["split"].alias("now")).filter(pl.col("now") != pl.col("split"))
    assert set(moved["split"]) == {Split.TRAIN}
    assert "common" not in set(moved["label"])
    assert guarantee_minimum(table, 0, classes).equals(table)


def test_what_is_in_no_split_stays_in_none() -> None:
    table = photos(rare=24).with_columns(
        pl.when(pl.col("group_id") == "g3").then(None).otherwise("split").alias("split")
    )
    topped = guarantee_minimum(table, 4, {"rare": "rare"})
    assert topped.filter(pl.col("split").is_null())["group_id"].unique().to_list() == ["g3"]
    assert count(topped)["rare"][Split.TEST] >= 4


def test_the_cap_leaves_the_earliest_drawn() -> None:
    table = photos(common=100, rare=6)
    beyond = exceeds_cap(table, 20)
    left = table.filter(~beyond)
    counts = count(left)
    assert counts["common"][Split.TRAIN] == 20
    assert counts["rare"] == count(table)["rare"]
    assert set(table.filter(beyond)["split"]) == {Split.TRAIN}
    kept = left.filter((pl.col("label") == "common") & (pl.col("split") == Split.TRAIN))["position"]
    assert kept.max() <= table.filter(beyond)["position"].min()
