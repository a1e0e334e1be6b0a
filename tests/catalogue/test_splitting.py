"""Groups stay whole, ratios come out, and later photos move nothing."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.splitting import Split, draw_split, find_groups, honour_given
from fieldguide.errors import CatalogueError

RATIOS = {Split.TRAIN: 0.8, Split.VAL: 0.1, Split.TEST: 0.1}


def rows(*values: tuple[str | None, str | None]) -> pl.DataFrame:
    columns = {"photo_id": pl.String, "observation_id": pl.String, "cluster_id": pl.String}
    return pl.DataFrame([(f"p{i}", *row) for i, row in enumerate(values)], schema=columns, orient="row")


def test_groups_join_through_any_column() -> None:
    table = rows(("o1", "c1"), ("o1", "c2"), ("o2", "c2"), (None, "c3"), (None, None), ("o3", "c4"))
    groups = find_groups(table, ["observation_id", "cluster_id"])
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups[2:])) == 4
    assert groups[4] == "photo_id=p4"


values = st.one_of(st.none(), st.sampled_from("abcdef"))


@given(st.lists(st.tuples(values, values), max_size=12))
def test_groups_do_not_depend_on_row_order(pairs: list[tuple[str | None, str | None]]) -> None:
    table = rows(*pairs)
    groups = dict(zip(table["photo_id"], find_groups(table, ["observation_id", "cluster_id"]), strict=True))
    turned = table.reverse()
    assert dict(zip(turned["photo_id"], find_groups(turned, ["observation_id", "cluster_id"]), strict=True)) == groups


def test_ratios_come_out() -> None:
    drawn = [draw_split(f"observation_id={i}", "salt", RATIOS) for i in range(20_000)]
    for split, ratio in RATIOS.items():
        assert drawn.count(split) / len(drawn) == pytest.approx(ratio, abs=0.01)


def test_the_salt_draws_anew() -> None:
    groups = [f"g{i}" for i in range(200)]
    assert [draw_split(g, "a", RATIOS) for g in groups] != [draw_split(g, "b", RATIOS) for g in groups]


def test_added_observations_move_none() -> None:
    old = rows(*((f"o{i}", f"c{i}") for i in range(300)))
    new = rows(*((f"o{i}", f"c{i}") for i in range(-200, 500)))
    columns = ["observation_id", "cluster_id"]

    def splits(table: pl.DataFrame) -> dict[str, Split]:
        groups = find_groups(table, columns)
        drawn = [draw_split(group, "s", RATIOS) for group in groups]
        return dict(zip(table["observation_id"], drawn, strict=True))

    before, after = splits(old), splits(new)
    assert [name for name in before if after[name] != before[name]] == []


def test_a_given_split_is_honoured_or_named() -> None:
    table = pl.DataFrame({"source_row": ["a.csv:2", "a.csv:3"], "given_split": ["train", "test"]})
    assert honour_given(table, "given_split") == [Split.TRAIN, Split.TEST]
    wrong = table.with_columns(pl.Series("given_split", ["train", "dev"]))
    with pytest.raises(CatalogueError, match=r"a\.csv:3: given_split is 'dev'; expected one of train, val, test"):
        honour_given(wrong, "given_split")
    with pytest.raises(CatalogueError, match="no column 'fold'"):
        honour_given(table, "fold")
