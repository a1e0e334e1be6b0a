"""What is left out, and the small set: tables row by row."""

import polars as pl
import pytest

from fieldguide.split.assembling import draw_small, leave_out, tabulate_split

PHOTOS = pl.DataFrame(
    {
        "photo_id": ["a", "b", "c", "d"],
        "label": ["Aster amellus"] * 3 + ["Bellis"],
        "group_id": ["g1", "g2", "g3", "g4"],
        "observation_id": ["o1", "o2", None, "o4"],
        "region": ["EU", None, "EU", "EU"],
        "latitude": [1.5, None, 2.5, 40.5],
        "longitude": [3.5, None, 3.5, -3.5],
        "date": ["2019-05-12", None, "2019", "2020-11"],
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
    assert rows.columns == [
        "photo_id",
        "split",
        "group_id",
        "observation_id",
        "region",
        "latitude",
        "longitude",
        "month",
        "label",
        "species",
        "genus",
    ]
    assert rows.row(3) == ("d", "val", "g4", "o4", "EU", 40.5, -3.5, 11, "Bellis", "other", "Bellis")


SPLITS = pl.DataFrame(
    {
        "photo_id": [f"{i:016x}" for i in range(400)],
        "group_id": [f"g{i // 2}" for i in range(400)],
        "split": ["train", "train", "val", "val"] * 100,
    }
)


@pytest.mark.parametrize(("fraction", "num_small"), [(0, 0), (1, 200)])
def test_the_small_set_is_drawn_from_train(fraction: float, num_small: int) -> None:
    small = draw_small(SPLITS, fraction, "salt")
    assert (small.columns, len(small)) == (["photo_id"], num_small)
    assert set(SPLITS.join(small, on="photo_id")["split"]) <= {"train"}


def test_the_small_set_holds_whole_groups() -> None:
    small = draw_small(SPLITS, 0.25, "salt")
    assert 30 < len(small) < 70
    assert set(SPLITS.join(small, on="photo_id").group_by("group_id").len()["len"]) == {2}
