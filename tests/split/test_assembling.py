"""What is left out, and the small set: tables row by row."""

import polars as pl
import pytest

from fieldguide.split.assembling import draw_small, leave_out, tabulate_split

PHOTOS = pl.DataFrame(
    {
        "photo_id": ["a", "b", "c", "d"],
        "label": ["Aster amellus"] * 3 + ["Bellis"],
        "group_id": ["g1", "g2", "g3", "g4"],
        "region": ["EU", None, "EU", "EU"],
        "position": [0.3, 0.1, 0.2, 0.4],
        "split": ["train", "train", None, "val"],
    }
)


@pytest.mark.parametrize(
    ("cap", "stay", "reasons"),
    [
        (None, ["a", "b", "d"], [("c", "beside_held_out")]),
        (2, ["a", "b", "d"], [("c", "beside_held_out")]),
        (1, ["b", "d"], [("a", "class_cap"), ("c", "beside_held_out")]),
    ],
)
def test_leave_out(cap: int | None, stay: list[str], reasons: list[tuple[str, str]]) -> None:
    photos, left_out = leave_out(PHOTOS, cap)
    assert photos["photo_id"].to_list() == stay
    assert photos.columns == PHOTOS.columns
    assert left_out.rows() == reasons


def test_rows_name_the_class_at_each_rank() -> None:
    names = {
        "Aster amellus": {"species": "Aster amellus", "genus": "Aster"},
        "Bellis": {"species": "other", "genus": "Bellis"},
    }
    rows = tabulate_split(PHOTOS, names, ["species", "genus"])
    assert rows.columns == ["photo_id", "split", "group_id", "region", "label", "species", "genus"]
    assert rows.row(3) == ("d", "val", "g4", "EU", "Bellis", "other", "Bellis")


@pytest.mark.parametrize(("fraction", "num_small"), [(0, 0), (1, 200)])
def test_the_small_set_is_drawn_from_train(fraction: float, num_small: int) -> None:
    rows = pl.DataFrame(
        {"group_id": [f"g{i // 2}" for i in range(400)], "split": ["train", "train", "val", "val"] * 100}
    )
    small = draw_small(rows, fraction, "salt")
    assert small.name == "train_small"
    assert small.sum() == num_small
    assert not small.filter(rows["split"] == "val").any()


def test_the_small_set_holds_whole_groups() -> None:
    rows = pl.DataFrame({"group_id": [f"g{i // 2}" for i in range(400)], "split": ["train"] * 400})
    small = draw_small(rows, 0.25, "salt")
    assert 60 < small.sum() < 140
    assert rows.with_columns(small).group_by("group_id").agg(pl.col("train_small").n_unique())["train_small"].max() == 1
