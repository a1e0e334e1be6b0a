"""The certificate finds what was planted, whatever it is and between whichever splits."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fieldguide.errors import CatalogueError
from fieldguide.split.leaks import count_leaks

SPLITS = ["train", "train", "val", "val", "test", "test"]
SEARCHED = [63, 63, 20, None, 63, 63, None]
COLUMNS = {
    "url": "urls",
    "sha256": "bytes",
    "observation_id": "observations",
    "group_id": "groups",
    "cluster_id": "near_duplicates",
}


def count(folder: Path, drop_from: str | None = None, **planted: list[str | None]) -> dict[str, Any]:
    """Leaks of six photos, two a split, and a seventh in none, which have nothing in common but what is planted."""
    ids = [f"p{number}" for number in range(7)]
    values = {column: [f"{column} {number}" for number in range(7)] for column in COLUMNS}
    values |= {column: [*cells, None] for column, cells in planted.items()}
    values["searched_bits"] = SEARCHED
    table = pl.DataFrame({"photo_id": ids, "split": [*SPLITS, None], **values})
    catalogue = table.select("photo_id", "url", "sha256", "observation_id")
    verdicts = table.select("photo_id", "cluster_id", "searched_bits")
    for name, rows in (("catalogue", catalogue), ("verdicts", verdicts)):
        (rows.slice(1) if name == drop_from else rows).write_parquet(folder / f"{name}.parquet")
    table.drop_nulls("split").select("photo_id", "split", "group_id").write_parquet(folder / "split.parquet")
    return count_leaks(*(folder / f"{name}.parquet" for name in ("catalogue", "verdicts", "split")))


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    ("cells", "total", "expected"),
    [
        pytest.param(list("aabbcc"), 0, {}, id="each in its split"),
        pytest.param([None] * 6, 0, {}, id="nothing known"),
        pytest.param(list("abbcde"), 1, {"train-val": 1}, id="train and val"),
        pytest.param(list("abcdea"), 1, {"test-train": 1}, id="test and train"),
        pytest.param(list("abcddb"), 2, {"test-train": 1, "test-val": 1}, id="two"),
        pytest.param(list("abacad"), 1, {"test-train": 1, "test-val": 1, "train-val": 1}, id="one in all"),
    ],
)
def test_a_planted_leak_is_counted(
    tmp_path: Path, column: str, cells: list[str | None], total: int, expected: dict[str, int]
) -> None:
    leaks = count(tmp_path, **{column: cells})
    name = COLUMNS[column]
    assert {key: value for key, value in leaks.items() if key.startswith("leaked_") and value} == (
        {f"leaked_{name}": total} if total else {}
    )
    assert {pair: counts[name] for pair, counts in leaks["leaks"].items() if counts[name]} == expected


@pytest.mark.parametrize("table", ["catalogue", "verdicts"])
def test_a_photo_that_nothing_is_known_of_is_no_certificate(tmp_path: Path, table: str) -> None:
    with pytest.raises(CatalogueError, match=rf"{table}\.parquet: expected each of the 6 photos of the split once"):
        count(tmp_path, drop_from=table)


def test_the_certificate_says_how_far_it_looked(tmp_path: Path) -> None:
    searched = {"bits": 63, "num_photos_less_far": 1, "num_photos_not_at_all": 1}
    assert count(tmp_path)["near_duplicates_searched"] == searched
